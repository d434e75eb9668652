/*
 * The record of one call of an export: deadline, error and log fields. It is on that call's stack,
 * belongs to one thread, and is the first argument of every function below the export. The function
 * that detects a failure sets the error, once.
 */
#ifndef AKVEKM_BASE_CALL_H
#define AKVEKM_BASE_CALL_H

#include "base/call_patience.h"
#include "base/config.h"
#include "base/text.h"

struct call_error {
    enum ekm_rc rc;
    bool at_vault; /* the failed request went to the vault itself */
    long http_status;
    uint32_t aadsts, akv; /* Entra's and the vault's own numbers (AADSTSn, AKVn), 0 for none */
    char azure_code[64], inner_code[64]; /* error.code, innermost error.innererror.code */
    char request_id[64];                 /* x-ms-request-id of the refusal */
    char note[256]; /* further explanation for the log; no secrets, no bodies */
};

struct call {
    const char *operation;
    const struct config *config;
    const atomic_bool *session_aborted;  /* NULL outside sessions */
    const atomic_bool *provider_closing; /* set by the closing Free; may be NULL */
    uint64_t number, start_ms, deadline_ms;
    unsigned tries;
    char correlation_id[37];      /* made by call_correlation_id when the first request needs it */
    bool audited, vault_answered; /* logs a success at info; got a response to an operation */
    bool hedged, hedge_won;       /* a late request was sent once more; the copy was faster */
    struct call_patience patience;
    struct call_error error;
    char request_id[64]; /* of the last response */
    char vault[TEXT_HOST_CAP], key[128], version[65], thumbprint[65], client_id[37], sign_in[160];
    char proxy[160], peer[64]; /* the route of the last failed try */
};
/* Fills the record. The deadline is config->call_timeout_ms from now. */
void call_begin(struct call *call, const char *operation, const struct config *config);
/* Logs the outcome (failures at error, audited successes at info). Returns the code. */
int32_t call_end(struct call *call, enum ekm_rc rc);
const char *call_correlation_id(struct call *call); /* x-ms-client-request-id of every try */
void call_new_try(struct call *call);               /* clears the error of the try before */
void call_clear_error(struct call *call);           /* after a failure that does not end the call */
/* Sets the error and returns rc. The format may be NULL. */
enum ekm_rc call_fail(struct call *call, enum ekm_rc rc, const char *format, ...) EKM_PRINTF(3, 4);
void call_add_note(struct call *call, const char *text); /* appends to the error's note */
bool call_aborted(const struct call *call);
uint64_t call_remaining_ms(const struct call *call);
#define CALL_SLICE_MS 250 /* a call that waits notices an abort within this time */
/* Waits, at most until the deadline. EKM_CLOSING within CALL_SLICE_MS of an abort, else EKM_OK. */
enum ekm_rc call_sleep(struct call *call, uint64_t ms) EKM_MUST_CHECK;
/* EKM_CLOSING if the session was aborted, EKM_DEADLINE if time is up; sets the error. */
enum ekm_rc call_check(struct call *call) EKM_MUST_CHECK;
/* Writes one line about this call's progress, with the call's number, vault and key. */
void call_log(const struct call *call, enum log_level level, const char *format, ...)
    EKM_PRINTF(3, 4);

#endif
