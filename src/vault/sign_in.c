#include "vault/sign_in.h"

#include <string.h>

#include "base/codec.h"
#include "base/text.h"

#define HEX_ID               32
#define GUID_ID              36
#define CERTIFICATE_NAME_MAX 64

/* A piece of SECRET. */
struct piece {
    const char *at;
    size_t len;
};

static enum ekm_rc sign_in_malformed(struct call *call, const char *why)
{
    return call_fail(call, EKM_SIGN_IN_MALFORMED, "%s", why);
}

static enum ekm_rc sign_in_check_allowed(struct call *call, enum sign_in_form form)
{
    if ((call->config->sign_in.forms & 1u << form) != 0) {
        return EKM_OK;
    }
    return call_fail(call, EKM_SIGN_IN_NOT_ALLOWED, "the setting sign_in does not name %s",
                     sign_in_form_name(form));
}

/* Takes the piece before the next colon, and skips the colon. False: nothing is left. */
static bool sign_in_next_piece(struct piece *rest, struct piece *out)
{
    if (rest->at == NULL) {
        return false;
    }
    const char *colon = memchr(rest->at, ':', rest->len);
    out->at = rest->at;
    out->len = colon != NULL ? (size_t)(colon - rest->at) : rest->len;
    rest->len = colon != NULL ? rest->len - out->len - 1 : 0;
    rest->at = colon != NULL ? colon + 1 : NULL;
    return true;
}

static bool sign_in_piece_is(const struct piece *piece, const char *word)
{
    return piece->len == strlen(word) && text_equal_nocase_n(piece->at, word, piece->len);
}

static bool sign_in_copy_name(const struct piece *piece, const char *extra, size_t max, char *out,
                              size_t cap)
{
    return text_copy_n(out, cap, piece->at, piece->len) && strlen(out) == piece->len &&
           text_is_name(out, extra, max);
}

/* certificate:<client ID>:<name> */
static enum ekm_rc sign_in_read_certificate(struct call *call, struct piece *rest,
                                            struct sign_in *out)
{
    struct piece id, name;
    if (!sign_in_next_piece(rest, &id) || !uuid_read(id.at, id.len, out->client_id)) {
        return sign_in_malformed(call, "a client ID must follow certificate:");
    }
    if (!sign_in_next_piece(rest, &name) || rest->at != NULL ||
        !sign_in_copy_name(&name, "._-", CERTIFICATE_NAME_MAX, out->name, sizeof out->name)) {
        return sign_in_malformed(call, "the name of a certificate must follow the client ID: "
                                       "1 to 64 of 0-9 A-Z a-z . _ -");
    }
    return EKM_OK;
}

/* /subscriptions/.../providers/Microsoft.ManagedIdentity/userAssignedIdentities/... Names of
 * resource groups may have letters of any alphabet. */
static bool sign_in_read_resource_id(const struct piece *piece, struct sign_in *out)
{
    static const char first[] = "/subscriptions/";
    if (piece->len < sizeof first || !text_equal_nocase_n(piece->at, first, sizeof first - 1) ||
        !text_copy_n(out->name, sizeof out->name, piece->at, piece->len)) {
        return false;
    }
    for (size_t i = 0; i < piece->len; i++) {
        unsigned char c = (unsigned char)piece->at[i];
        if (!text_is_alnum((char)c) && c < 0x80 && (c == '\0' || strchr("/._-()", c) == NULL)) {
            return false;
        }
    }
    return out->name[piece->len - 1] != '/';
}

/* [<client ID> | object:<id> | resource:<ARM id>], behind the word's colon. */
static enum ekm_rc sign_in_read_selector(struct call *call, struct piece *rest, struct sign_in *out)
{
    struct piece first;
    if (!sign_in_next_piece(rest, &first)) {
        return EKM_OK;
    }
    bool right;
    if (sign_in_piece_is(&first, "object")) {
        out->selector = IDENTITY_BY_OBJECT_ID;
        right = rest->at != NULL && uuid_read(rest->at, rest->len, out->name);
    } else if (sign_in_piece_is(&first, "resource")) {
        out->selector = IDENTITY_BY_RESOURCE_ID;
        right = rest->at != NULL && sign_in_read_resource_id(rest, out);
    } else {
        out->selector = IDENTITY_BY_CLIENT_ID;
        right = rest->at == NULL && uuid_read(first.at, first.len, out->name);
    }
    return right ? EKM_OK
                 : sign_in_malformed(call, "after managed-identity: must come a client ID, "
                                           "object:<id> or resource:<ARM id>");
}

static enum ekm_rc sign_in_read_workload(struct call *call, struct piece *rest, struct sign_in *out)
{
    struct piece id;
    if (!sign_in_next_piece(rest, &id)) {
        return EKM_OK;
    }
    return rest->at == NULL && uuid_read(id.at, id.len, out->client_id)
               ? EKM_OK
               : sign_in_malformed(call, "a client ID must follow workload-identity:");
}

/* federated-identity:<client ID>[:<client ID of the managed identity>] */
static enum ekm_rc sign_in_read_federated(struct call *call, struct piece *rest,
                                          struct sign_in *out)
{
    struct piece id;
    if (!sign_in_next_piece(rest, &id) || !uuid_read(id.at, id.len, out->client_id)) {
        return sign_in_malformed(call, "a client ID must follow federated-identity:");
    }
    if (!sign_in_next_piece(rest, &id)) {
        return EKM_OK;
    }
    out->selector = IDENTITY_BY_CLIENT_ID;
    return rest->at == NULL && uuid_read(id.at, id.len, out->name)
               ? EKM_OK
               : sign_in_malformed(call, "the client ID of a managed identity must follow the "
                                         "client ID");
}

/* The form whose word SECRET begins with, and the text after the word. An application's secret
 * begins with hex digits, which no word does. */
static bool sign_in_find_word(const char *secret, size_t len, enum sign_in_form *form,
                              struct piece *rest)
{
    for (int i = SIGN_IN_SECRET + 1; i < SIGN_IN_FORM_COUNT; i++) {
        const char *word = sign_in_form_name((enum sign_in_form)i);
        size_t word_len = strlen(word);
        if (len >= word_len && text_equal_nocase_n(secret, word, word_len)) {
            *form = (enum sign_in_form)i;
            *rest = (struct piece){secret + word_len, len - word_len};
            return true;
        }
    }
    return false;
}

static enum ekm_rc sign_in_read_form(struct call *call, struct piece *rest, struct sign_in *out)
{
    if (rest->len > 0 && *rest->at != ':') {
        return call_fail(call, EKM_SIGN_IN_MALFORMED, "after %s comes neither a colon nor the end",
                         sign_in_form_name(out->form));
    }
    *rest = rest->len > 0 ? (struct piece){rest->at + 1, rest->len - 1} : (struct piece){NULL, 0};
    switch (out->form) {
    case SIGN_IN_CERTIFICATE:
        return sign_in_read_certificate(call, rest, out);
    case SIGN_IN_MANAGED_IDENTITY:
        return sign_in_read_selector(call, rest, out);
    case SIGN_IN_WORKLOAD_IDENTITY:
        return sign_in_read_workload(call, rest, out);
    case SIGN_IN_FEDERATED_IDENTITY:
        return sign_in_read_federated(call, rest, out);
    default:
        return EKM_INTERNAL;
    }
}

/* 32 hex digits, or a GUID, directly followed by the secret. */
static enum ekm_rc sign_in_read_secret(struct call *call, const char *secret, size_t len,
                                       struct sign_in *out)
{
    if (len < HEX_ID) {
        return call_fail(call, EKM_SECRET_TOO_SHORT, NULL);
    }
    bool guid = len >= GUID_ID && secret[8] == '-' && secret[13] == '-' && secret[18] == '-' &&
                secret[23] == '-';
    size_t id_len = guid ? GUID_ID : HEX_ID;
    if (!uuid_read(secret, id_len, out->client_id)) {
        return call_fail(call, EKM_BAD_CREDENTIALS, "SECRET does not begin with a client ID");
    }
    if (len <= id_len) {
        return call_fail(call, EKM_SECRET_TOO_SHORT, "the client secret must follow the client ID");
    }
    out->secret = secret + id_len;
    out->secret_len = len - id_len;
    return EKM_OK;
}

bool sign_in_has_word(const char *secret, size_t len)
{
    enum sign_in_form form;
    struct piece rest;
    return sign_in_find_word(secret, len, &form, &rest);
}

enum ekm_rc sign_in_parse(struct call *call, const char *secret, size_t len, struct sign_in *out)
{
    struct piece rest;
    memset(out, 0, sizeof *out);
    bool is_word = sign_in_find_word(secret, len, &out->form, &rest);
    enum ekm_rc rc =
        is_word ? sign_in_read_form(call, &rest, out) : sign_in_read_secret(call, secret, len, out);
    if (rc != EKM_OK) {
        return rc;
    }
    return sign_in_check_allowed(call, out->form);
}

bool sign_in_is_managed(const char *identity, bool *blank)
{
    *blank = text_equal_nocase(identity, "Managed Identity");
    return *blank || text_equal_nocase(identity, "ManagedIdentity");
}

enum ekm_rc sign_in_managed(struct call *call, struct sign_in *out)
{
    memset(out, 0, sizeof *out);
    out->form = SIGN_IN_MANAGED_IDENTITY;
    return sign_in_check_allowed(call, out->form);
}

bool sign_in_equal(const struct sign_in *a, const struct sign_in *b)
{
    return a->form == b->form && a->selector == b->selector &&
           strcmp(a->client_id, b->client_id) == 0 && strcmp(a->name, b->name) == 0;
}

bool sign_in_needs_tenant(const struct sign_in *who)
{
    return who->form != SIGN_IN_MANAGED_IDENTITY && who->form != SIGN_IN_WORKLOAD_IDENTITY;
}

void sign_in_describe(const struct sign_in *who, const char *detail, char *out, size_t cap)
{
    static const char *const selectors[] = {
        [IDENTITY_OF_MACHINE] = "",
        [IDENTITY_BY_CLIENT_ID] = " client_id=",
        [IDENTITY_BY_OBJECT_ID] = " object_id=",
        [IDENTITY_BY_RESOURCE_ID] = " resource_id=",
    };
    bool selects = who->selector != IDENTITY_OF_MACHINE;
    bool named = who->form == SIGN_IN_CERTIFICATE;
    (void)text_format(out, cap, "%s%s%s%s%s%s%s", sign_in_form_name(who->form),
                      detail[0] != '\0' ? " " : "", detail, named ? " name=" : "",
                      named ? who->name : "", selectors[who->selector], selects ? who->name : "");
}
