#include "tool/chain.h"

#include <string.h>

static int64_t chain_unix_time(const ASN1_TIME *time_of)
{
    int days = 0, seconds = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    bool done = epoch != NULL && ASN1_TIME_diff(&days, &seconds, epoch, time_of) == 1;
    ASN1_TIME_free(epoch);
    return done ? (int64_t)days * 86400 + seconds : 0;
}

void chain_read(const SSL *ssl, struct chain *out)
{
    memset(out, 0, sizeof *out);
    STACK_OF(X509) *certificates = SSL_get0_verified_chain(ssl);
    out->verified = SSL_get_verify_result(ssl) == X509_V_OK && sk_X509_num(certificates) > 0;
    if (!out->verified) {
        certificates = SSL_get_peer_cert_chain(ssl);
    }
    int count = certificates != NULL ? sk_X509_num(certificates) : 0;
    for (int i = 0; i < count && out->count < CHAIN_MAX; i++) {
        const X509 *certificate = sk_X509_value(certificates, i);
        struct chain_link *link = &out->links[out->count++];
        (void)X509_NAME_oneline(X509_get_subject_name(certificate), link->subject,
                                sizeof link->subject);
        (void)X509_NAME_oneline(X509_get_issuer_name(certificate), link->issuer,
                                sizeof link->issuer);
        link->not_before_s = chain_unix_time(X509_get0_notBefore(certificate));
        link->not_after_s = chain_unix_time(X509_get0_notAfter(certificate));
    }
}

const struct chain_link *chain_find_outdated(const struct chain *chain, int64_t now_s)
{
    for (size_t i = 0; i < chain->count; i++) {
        const struct chain_link *link = &chain->links[i];
        if (link->not_after_s <= now_s || link->not_before_s > now_s) {
            return link;
        }
    }
    return NULL;
}
