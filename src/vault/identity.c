#include "vault/identity.h"

#include <string.h>

#include "base/text.h"
#include "base/unseen.h"

#define SHOWN_MOST                                                                                 \
    24 /* IDENTITY may be a secret in the wrong place: quote less than its client ID */
#define HEX_ID  32
#define GUID_ID 36

/* Names a character that people paste around a text or into it by mistake. */
static const char *identity_kind(const char *text, size_t len, size_t *size)
{
    static const struct {
        const char *characters, *name;
    } kinds[] = {{"{}", "a brace"},
                 {"()[]<>", "a bracket"},
                 {"'\"`", "a quote"},
                 {"_", "an underscore"},
                 {":", "a colon"},
                 {"/\\", "a slash"},
                 {",;", "a comma or semicolon"}};
    const char *name = unseen_first(text, len, size);
    if (name != NULL || len == 0) {
        return name;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strchr(kinds[i].characters, *text) != NULL) {
            return kinds[i].name;
        }
    }
    /* The other bytes of the same character. */
    while (*size < len && ((unsigned char)text[*size] & 0xC0) == 0x80) {
        ++*size;
    }
    return (unsigned char)*text >= 0x80 ? "a character beyond ASCII"
                                        : "a character that no host has";
}

/* Says what to write instead of a host that is no vault's. */
static const char *identity_advice(const char *host)
{
    char lower[300];
    (void)text_copy(lower, sizeof lower, host);
    text_lower(lower);
    if (strstr(lower, ".privatelink.") != NULL || strstr(lower, ".vaultcore.") != NULL) {
        return "give the vault's public name, also with a private endpoint: name.vault.azure.net";
    }
    if (strstr(lower, "azurestack") != NULL) {
        return "Azure Stack Hub is not supported";
    }
    if (strchr(host, '.') == NULL) {
        return "a vault's name has 3 to 24 characters";
    }
    return "its end is that of no known cloud, nor one of vault_suffixes";
}

static enum ekm_rc identity_refuse(struct call *call, const char *text, size_t len)
{
    size_t scheme = text_equal_nocase_n(text, "https://", 8) ? 8 : 0;
    size_t good = scheme + text_name_len(text + scheme, "-.", len - scheme);
    size_t shown = good < SHOWN_MOST ? good : SHOWN_MOST, size = 0;
    if (len == 0) {
        return call_fail(call, EKM_VAULT_NOT_ALLOWED, "IDENTITY is empty");
    }
    if (good + (text[good] == '/') == len) {
        return call_fail(call, EKM_VAULT_NOT_ALLOWED, "IDENTITY begins with '%.*s': %s", (int)shown,
                         text, identity_advice(text));
    }
    const char *kind = identity_kind(text + good, len - good, &size);
    size_t culprit = shown == good ? size : 0;
    return call_fail(
        call, EKM_VAULT_NOT_ALLOWED,
        "IDENTITY begins with '%.*s': character %u is %s; only 0-9 A-Z a-z - . are allowed",
        (int)(shown + culprit), text, (unsigned)good + 1, kind);
}

enum ekm_rc identity_read(struct call *call, const char *text, size_t len,
                          struct vault_address *out)
{
    char host[512];
    text = unseen_trim(text, &len);
    if (!text_copy_n(host, sizeof host, text, len)) {
        return call_fail(call, EKM_VAULT_NOT_ALLOWED, "IDENTITY begins with '%.*s' and is too long",
                         SHOWN_MOST, host);
    }
    enum ekm_rc rc = address_parse(call->config, host, out);
    if (rc != EKM_OK) {
        return identity_refuse(call, host, len);
    }
    return EKM_OK;
}

/* The number of valid characters of the client ID (hex digits or a GUID). *whole is the number that
 * it must have. */
static size_t identity_id_len(const char *secret, size_t len, size_t *whole)
{
    bool guid = len > 8 && secret[8] == '-';
    size_t at = 0;
    *whole = guid ? GUID_ID : HEX_ID;
    for (; at < *whole && at < len; at++) {
        bool hyphen = guid && (at == 8 || at == 13 || at == 18 || at == 23);
        const char *right = hyphen ? "-" : "0123456789abcdefABCDEF";
        if (secret[at] == '\0' || strchr(right, secret[at]) == NULL) {
            break;
        }
    }
    return at;
}

void identity_judge_end(const char *secret, size_t len, char *out, size_t cap)
{
    size_t size = 0;
    const char *kind = unseen_last(secret, len, &size);
    out[0] = '\0';
    if (kind != NULL) {
        (void)text_format(out, cap, "SECRET ends with %s", kind);
    } else if (len > 0 && strchr("'\"`{}()[]<>", secret[len - 1]) != NULL) {
        (void)text_copy(out, cap, "SECRET ends with a quote, brace or bracket");
    }
}

void identity_judge_secret(const char *secret, size_t len, char *out, size_t cap)
{
    size_t size = 0, whole, id_len = identity_id_len(secret, len, &whole);
    const char *kind = NULL;
    identity_judge_end(secret, len, out, cap);
    if (id_len < len && id_len < whole) {
        kind = identity_kind(secret + id_len, len - id_len, &size);
        size_t said = strlen(out);
        (void)text_format(out + said, cap - said,
                          "%scharacter %u of SECRET, still within the client ID, is %s",
                          said > 0 ? "; " : "", (unsigned)id_len + 1,
                          text_is_alnum(secret[id_len]) ? "a letter or digit out of place" : kind);
    } else if (out[0] == '\0' && id_len < len &&
               (kind = unseen_first(secret + id_len, len - id_len, &size)) != NULL) {
        (void)text_format(out, cap, "in SECRET %s follows the client ID", kind);
    }
}
