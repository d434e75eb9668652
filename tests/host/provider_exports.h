/*
 * The 17 entry points of a loaded library, found by name. Their order is that of the states of
 * error 33085.
 *
 * Also what provider_calls.c needs of a session. Immutable after loading, any thread.
 */
#ifndef EKMHOST_PROVIDER_EXPORTS_H
#define EKMHOST_PROVIDER_EXPORTS_H

#include <stddef.h>
#include <stdint.h>

#include <akvekm/sqlcrypt.h>

#include "provider_library.h"

struct provider_exports {
    __typeof__(SqlCryptInitializeProvider) *initialize;
    __typeof__(SqlCryptFreeProvider) *free_provider;
    __typeof__(SqlCryptOpenSession) *open_session;
    __typeof__(SqlCryptCloseSession) *close_session;
    __typeof__(SqlCryptGetProviderInfo) *get_provider_info;
    __typeof__(SqlCryptGetNextAlgorithmId) *get_next_algorithm_id;
    __typeof__(SqlCryptGetAlgorithmInfo) *get_algorithm_info;
    __typeof__(SqlCryptCreateKey) *create_key;
    __typeof__(SqlCryptDropKey) *drop_key;
    __typeof__(SqlCryptGetNextKeyId) *get_next_key_id;
    __typeof__(SqlCryptGetKeyInfoByKeyId) *get_key_info_by_key_id;
    __typeof__(SqlCryptGetKeyInfoByThumb) *get_key_info_by_thumb;
    __typeof__(SqlCryptGetKeyInfoByName) *get_key_info_by_name;
    __typeof__(SqlCryptExportKey) *export_key;
    __typeof__(SqlCryptImportKey) *import_key;
    __typeof__(SqlCryptEncrypt) *encrypt;
    __typeof__(SqlCryptDecrypt) *decrypt;
};

/* 0, or the number of the first one that is missing, whose name goes to `missing`. */
int provider_exports_find(struct provider_exports *exports, void *module, char *missing,
                          size_t cap);

const struct provider_exports *provider_session_exports(const struct provider_session *session);
const SqlCpSession *provider_session_handle(const struct provider_session *session);
uint32_t provider_session_thumbprint_len(const struct provider_session *session);
int provider_session_trace(const struct provider_session *session, uint64_t start_ns,
                           const char *function, int code);

#endif
