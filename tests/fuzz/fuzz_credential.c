/* SECRET: the client ID in one form whatever its spelling, the same credential for the same secret,
 * and none of the secret outside of it. */
#include "fuzz.h"

// aims: src/vault/credential.c src/vault/sign_in.c

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "vault/sign_in.h"
#include "vault/token.h"

static bool is_guid(const char *id)
{
    bool right = strlen(id) == 36;
    for (size_t i = 0; right && i < 36; i++) {
        bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        right = hyphen ? id[i] == '-' : strchr("0123456789abcdef", id[i]) != NULL;
    }
    return right;
}

/* The other spellings of the same ID lead to the same credential. */
static void check_spellings(const struct credential *credential, const char *secret)
{
    char text[8192], id[37];
    struct credential *other = NULL;
    (void)text_copy(id, sizeof id, credential_client_id(credential));
    bool guid = strlen(secret) >= 36 && text_equal_nocase_n(secret, id, 36);
    const char *own = secret + (guid ? 36 : 32);
    FUZZ_CHECK(text_format(text, sizeof text, "%s%s", id, own));
    FUZZ_CHECK(credential_open(fuzz_call(), text, strlen(text), &other) == EKM_OK);
    FUZZ_CHECK(other == credential);
    credential_release(other);
    FUZZ_CHECK(text_format(text, sizeof text, "%.8s%.4s%.4s%.4s%.12s%s", id, id + 9, id + 14,
                           id + 19, id + 24, own));
    /* Without hyphens, what follows may look like a GUID's: then it is read as one. */
    if (text[8] != '-' && credential_open(fuzz_call(), text, strlen(text), &other) == EKM_OK) {
        FUZZ_CHECK(other == credential);
        credential_release(other);
    }
    FUZZ_CHECK(text_format(text, sizeof text, "%s%s.", id, own));
    FUZZ_CHECK(credential_open(fuzz_call(), text, strlen(text), &other) == EKM_OK);
    FUZZ_CHECK(other != credential);
    credential_release(other);
}

/* A form without a secret: what is kept of it is checked text, and the same again is the same. */
static void check_form(const struct credential *credential, const char *secret)
{
    struct sign_in who;
    struct credential *again = NULL;
    FUZZ_CHECK(sign_in_parse(fuzz_call(), secret, strlen(secret), &who) == EKM_OK);
    FUZZ_CHECK(who.form != SIGN_IN_SECRET && who.secret_len == 0);
    FUZZ_CHECK(who.client_id[0] == '\0' || is_guid(who.client_id));
    FUZZ_CHECK(who.form != SIGN_IN_CERTIFICATE || text_is_name(who.name, "._-", 64));
    FUZZ_CHECK(who.form == SIGN_IN_CERTIFICATE || who.selector == IDENTITY_OF_MACHINE ||
               who.selector == IDENTITY_BY_RESOURCE_ID || is_guid(who.name));
    FUZZ_CHECK(strpbrk(who.name, "?&=#% \r\n") == NULL);
    FUZZ_CHECK(credential_open(fuzz_call(), secret, strlen(secret), &again) == EKM_OK);
    FUZZ_CHECK(again == credential);
    credential_release(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned runs;
    struct fuzz_input input = {data, size < 6000 ? size : 6000};
    struct call *call = fuzz_call();
    struct credential *credential = NULL;
    char *secret = fuzz_rest(&input);
    call->client_id[0] = '\0';
    enum ekm_rc rc = credential_open(call, secret, strlen(secret), &credential);
    if (rc == EKM_OK && sign_in_has_word(secret, strlen(secret))) {
        check_form(credential, secret);
        credential_release(credential);
    } else if (rc == EKM_OK) {
        FUZZ_CHECK(is_guid(credential_client_id(credential)));
        FUZZ_CHECK(strcmp(call->client_id, credential_client_id(credential)) == 0);
        check_spellings(credential, secret);
        credential_release(credential);
    } else {
        FUZZ_CHECK_ONE_OF(call, rc, EKM_SECRET_TOO_SHORT, EKM_BAD_CREDENTIALS,
                          EKM_SIGN_IN_MALFORMED);
        FUZZ_CHECK(credential == NULL);
    }
    free(secret);
    /* The table has room for 256: it is full most of the time. */
    if (++runs % 1000 == 0) {
        credential_forget_all();
    }
    return 0;
}
