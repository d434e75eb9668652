#include "tool/connection.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "net/http.h"
#include "platform/system.h"
#include "provider/provider.h"
#include "provider/session.h"
#include "tool/account.h"
#include "tool/explain.h"
#include "vault/aadsts.h"
#include "vault/second_vault.h"
#include "vault/wire.h"

#define SECRET_UNITS 2048

/* The reason why the provider does not start is known only here; the provider would write it into
 * its log. */
static enum ekm_rc connection_check(char *why, size_t cap)
{
    static struct config config;
    wire_start();
    enum ekm_rc rc = config_load(&config, why, cap, NULL, NULL);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = second_vault_start(&config, why, cap);
    if (rc != EKM_OK) {
        goto out;
    }
    second_vault_stop();
    rc = http_start(&config, why, cap);
    if (rc != EKM_OK) {
        goto out;
    }
    http_stop();
out:
    config_free(&config);
    return rc;
}

enum ekm_rc connection_start(struct connection *connection, const char *user, char *why, size_t cap)
{
    memset(connection, 0, sizeof *connection);
    why[0] = '\0';
    if (!account_become(user, why, cap)) {
        return EKM_FAILURE;
    }
    enum ekm_rc rc = connection_check(why, cap);
    if (rc != EKM_OK) {
        return rc;
    }
    rc = provider_initialize();
    if (rc != EKM_OK) {
        return rc;
    }
    rc = provider_enter(&connection->config);
    if (rc != EKM_OK) {
        connection->config = NULL;
    }
    return rc;
}

void connection_begin_call(const struct connection *connection, struct call *call,
                           const char *operation)
{
    call_begin(call, operation, connection->config);
    if (call->deadline_ms > call->start_ms + CONNECTION_CALL_MS) {
        call->deadline_ms = call->start_ms + CONNECTION_CALL_MS;
    }
    (void)text_copy(call->vault, sizeof call->vault, connection->vault.address.host);
}

/* Reads one line, without its end. False: too long, or nothing can be read. */
static bool connection_read_secret(char *out, size_t cap)
{
    size_t len = 0;
    int c = 0;
    bool person = account_has_terminal();
    if (person) {
        (void)fputs("SECRET (not shown): ", stderr);
        account_set_echo(false);
    }
    while (len + 1 < cap && (c = getchar()) != EOF && c != '\n') {
        out[len++] = (char)c;
    }
    if (person) {
        account_set_echo(true);
        (void)fputc('\n', stderr);
    }
    if (len > 0 && out[len - 1] == '\r') {
        len--;
    }
    out[len] = '\0';
    return (c == '\n' || c == EOF) && len > 0;
}

enum ekm_rc connection_read(struct connection *connection, struct call *call, const char *identity)
{
    char secret[3 * SECRET_UNITS];
    uint16_t name_units[512], secret_units[SECRET_UNITS];
    enum ekm_rc rc = EKM_SECRET_TOO_SHORT;
    /* Without a buffer, because the one of stdio could not be wiped. */
    (void)setvbuf(stdin, NULL, _IONBF, 0);
    size_t name_len = text_to_utf16(identity, name_units, 512);
    if (!connection_read_secret(secret, sizeof secret)) {
        rc = call_fail(call, EKM_SECRET_TOO_SHORT, "standard input holds no SECRET");
        goto out;
    }
    size_t len = text_to_utf16(secret, secret_units, SECRET_UNITS);
    if (name_len > 512 || len > SECRET_UNITS) {
        rc = call_fail(call, EKM_INVALID_ARGUMENT, "IDENTITY or SECRET is too long");
        goto out;
    }
    SqlCpCredential auth;
    memset(&auth, 0, sizeof auth);
    auth.name = (SqlCpStr){(uint32_t)(2 * name_len), name_units};
    auth.password = (SqlCpStr){(uint32_t)(2 * len), secret_units};
    rc = session_read_credential(call, &auth, &connection->vault, connection->odd);
    connection->vault.spare = second_vault_find(connection->vault.address.host);
out:
    plat_wipe(secret, sizeof secret);
    plat_wipe(secret_units, sizeof secret_units);
    return rc;
}

static enum ekm_rc connection_sign_in(struct connection *connection, struct call *call,
                                      const char *identity)
{
    enum ekm_rc rc = connection_read(connection, call, identity);
    if (rc != EKM_OK) {
        return rc;
    }
    return vault_authenticate(call, &connection->vault);
}

bool connection_open(struct connection *connection, const char *user, const char *identity)
{
    char why[1600];
    struct call call;
    enum ekm_rc rc = connection_start(connection, user, why, sizeof why);
    if (rc != EKM_OK) {
        (void)fprintf(stderr, "akv-ekm: %d: %s: %s\n", (int)ekm_code(rc), ekm_text(rc), why);
        return false;
    }
    if (identity == NULL) {
        return true;
    }
    connection_begin_call(connection, &call, "OpenSession");
    rc = connection_sign_in(connection, &call, identity);
    if (rc != EKM_OK) {
        connection_complain(&call, rc);
        return false;
    }
    return true;
}

void connection_close(struct connection *connection)
{
    credential_release(connection->vault.credential);
    connection->vault.credential = NULL;
    if (connection->config != NULL) {
        connection->config = NULL;
        provider_leave();
        enum ekm_rc rc = provider_free();
        (void)rc; /* the process ends anyway */
    }
}

static void connection_add(char *out, size_t cap, const char *before, const char *text)
{
    size_t len = strlen(out);
    if (text[0] != '\0') {
        (void)text_format(out + len, cap - len, "%s%s", before, text);
    }
}

void connection_explain(const struct call *call, enum ekm_rc rc, char *out, size_t cap)
{
    const struct call_error *error = &call->error;
    (void)text_format(out, cap, "%d: %s", (int)ekm_code(rc), ekm_text(rc));
    connection_add(out, cap, "; ", error->note);
    if (error->http_status != 0) {
        char status[24];
        (void)text_format(status, sizeof status, "%ld", error->http_status);
        connection_add(out, cap, "; http ", status);
    }
    connection_add(out, cap, " ", error->azure_code);
    connection_add(out, cap, " ", error->inner_code);
    if (error->aadsts != 0) {
        char number[24];
        const struct aadsts *known = aadsts_find(error->aadsts);
        (void)text_format(number, sizeof number, "%u", (unsigned)error->aadsts);
        connection_add(out, cap, "; AADSTS", number);
        connection_add(out, cap, ": ", known != NULL ? known->text : "");
    }
    if (error->akv != 0) {
        char number[24];
        (void)text_format(number, sizeof number, "%u", (unsigned)error->akv);
        connection_add(out, cap, "; AKV", number);
    }
    connection_add(out, cap, "; proxy ", call->proxy);
    connection_add(out, cap, "; at ", call->peer);
}

void connection_complain(const struct call *call, enum ekm_rc rc)
{
    char why[1600];
    connection_explain(call, rc, why, sizeof why);
    (void)fprintf(stderr, "akv-ekm: %s\nwhat to do: %s\n", why, explain_todo(ekm_code(rc)));
}
