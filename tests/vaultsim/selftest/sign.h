/*
 * Client assertions for the self test, made without code of vaultsim.
 *
 * sign_open makes the key and its certificate once; main thread only.
 */
#ifndef VAULTSIM_SELFTEST_SIGN_H
#define VAULTSIM_SELFTEST_SIGN_H

#include <stdbool.h>

enum sign_thumbprint {
    SIGN_S256,     /* x5t#S256, base64url */
    SIGN_S256_PAD, /* the same in the standard alphabet, with padding */
    SIGN_X5T,
    SIGN_X5T_PAD,
    SIGN_NONE,
};

struct sign_what {
    const char *alg; /* NULL: PS256 */
    enum sign_thumbprint thumbprint;
    const char *aud, *iss, *sub, *jti; /* NULL: the right ones, a random jti */
    int nbf_s, exp_s;                  /* from now on; both 0: now and in ten minutes */
    bool has_other_key, has_text_times;
};

void sign_open(void);
void sign_close(void);
const char *sign_certificate(void); /* PEM, with \n written as two characters, for JSON */
/* malloc'd */
char *sign_assertion(const struct sign_what *what);

#endif
