/*
 * The types of settings: how a value is read, checked and written as text.
 *
 * config_table.c calls it. `field` points to the setting's place in the configuration. Any thread.
 */
#ifndef AKVEKM_BASE_CONFIG_VALUES_H
#define AKVEKM_BASE_CONFIG_VALUES_H

#include "base/config_record.h"

enum config_type {
    KIND_BOOL,   /* yes or no */
    KIND_NUMBER, /* low..high */
    KIND_TEXT,   /* 1..high - 1 bytes */
    KIND_NAME,   /* empty, or 0-9 A-Z a-z . _ - */
    KIND_PATH,   /* absolute; empty unless low is 1 */
    KIND_PROXY,  /* any text, may be empty */
    KIND_LEVEL,
    KIND_WRAP,       /* auto or an algorithm */
    KIND_UNWRAP,     /* a list of algorithms without repeats */
    KIND_SUFFIXES,   /* a list of domain suffixes, a leading dot is added */
    KIND_HOSTS,      /* a list of host names */
    KIND_CONNECT_TO, /* a list of HOST:PORT:CONNECT-HOST:CONNECT-PORT */
    KIND_PAIRS,      /* a list of NAME: VALUE */
    KIND_DATES,      /* a list of YYYY-MM-DD or CLIENT ID: YYYY-MM-DD */
    KIND_GUID,
    KIND_VERSION,
    KIND_API_VERSION,
    KIND_FORMS,     /* a list of forms of signing in, as bits */
    KIND_SOURCE,    /* of managed identities */
    KIND_CLIENT_ID, /* a GUID, kept in lower case with hyphens; or empty */
    KIND_TENANT     /* a GUID or domain, or empty */
};

struct config_kind {
    enum config_type type;
    uint32_t low;
    size_t high; /* the largest number, or the size of the field */
};

enum ekm_rc config_value_read(const struct config_kind *kind, const char *value, void *field,
                              struct config *config, const char **why) EKM_MUST_CHECK;
void config_value_text(const struct config_kind *kind, const void *field,
                       const struct config *config, char *out, size_t cap);

#endif
