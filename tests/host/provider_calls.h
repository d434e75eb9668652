/*
 * The calls of a session of a provider: keys, Encrypt, Decrypt, each first for the size, then for
 * the content (provider_calls.c).
 *
 * All return the code of the provider. Any thread.
 */
#ifndef EKMHOST_PROVIDER_CALLS_H
#define EKMHOST_PROVIDER_CALLS_H

#include "provider_library.h"

struct provider_key_info {
    char name[513];
    uint8_t thumbprint[SQLCP_MAX_THUMBPRINT_BYTES];
    size_t thumbprint_len;
    SqlCpAlgId algorithm_id;
    SqlCpKeyFlags flags;
};

int provider_key_by_name(struct provider_session *session, const char *name,
                         struct provider_key_info *info);
int provider_key_by_thumbprint(struct provider_session *session, const uint8_t *thumbprint,
                               size_t len, struct provider_key_info *info);
int provider_key_by_id(struct provider_session *session, SqlCpKeyId id,
                       struct provider_key_info *info);
int provider_key_next_id(struct provider_session *session, SqlCpKeyId *id);
/* *blob is to be freed. */
int provider_key_export(struct provider_session *session, const uint8_t *thumbprint, size_t len,
                        uint8_t **blob, size_t *blob_len);
int provider_key_create(struct provider_session *session, const char *name, SqlCpAlgId algorithm,
                        SqlCpKeyFlags flags, struct provider_key_info *thumbprint_out);
int provider_key_drop(struct provider_session *session, const uint8_t *thumbprint, size_t len);
/* *out is to be wiped and freed. */
int provider_encrypt(struct provider_session *session, const uint8_t *thumbprint,
                     size_t thumbprint_len, const uint8_t *in, size_t in_len, uint8_t **out,
                     size_t *out_len);
int provider_decrypt(struct provider_session *session, const uint8_t *thumbprint,
                     size_t thumbprint_len, const uint8_t *in, size_t in_len, uint8_t **out,
                     size_t *out_len);

#endif
