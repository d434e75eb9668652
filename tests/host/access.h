/*
 * Whose credential opens which provider session, and which library is loaded for a provider
 * (ekm-abi.md section 6).
 *
 * Owns the list of loaded providers and the rule: a user's statement uses the credential of its
 * login, the engine that of the login made FROM the asymmetric key. The engine's functions may be
 * called by any thread, those with a connection by its thread.
 */
#ifndef EKMHOST_ACCESS_H
#define EKMHOST_ACCESS_H

#include <stdbool.h>

#include "catalog.h"
#include "connection.h"
#include "instance.h"
#include "message.h"
#include "provider_library.h"

/* Loads what CREATE or ALTER CRYPTOGRAPHIC PROVIDER names, asks for its properties and algorithms,
 * and unloads it. */
bool access_try(struct instance *instance, const char *path, struct provider_info *info,
                struct failure *failure);

/* The library of a registered provider, loaded on first use, its guid and version held against the
 * catalog. */
bool access_library(struct instance *instance, const cJSON *provider,
                    struct provider_library **library, struct failure *failure);
/* The same if it is loaded already, else NULL. */
struct provider_library *access_loaded(struct instance *instance, int provider_id);
/* Forgets the loaded library; it is unloaded when nobody uses it any more. */
void access_unload(struct instance *instance, int provider_id);
/* Between two statements of the only connection: its sessions end and every library is unloaded. */
void access_reload(struct connection *connection);
void access_stop(struct instance *instance);

/* The connection's session with this provider, opened on first use; it lives as long as the
 * connection. */
bool access_user(struct connection *connection, const cJSON *provider,
                 struct provider_session **session, struct failure *failure);
void access_end(struct connection *connection);

/* A session of the engine's own for this asymmetric key; the caller ends it with access_release
 * (NULL allowed). */
bool access_engine(struct instance *instance, const cJSON *key, struct provider_session **session,
                   struct failure *failure);
void access_release(struct provider_session *session);

/* As sys.cryptographic_providers shows it: 'aa.bb.cccc.dd'. */
void access_version_text(const SqlCpVersion *version, char out[24]);

/* 33053 unless EKM is enabled. */
bool access_enabled(const struct instance *instance, struct failure *failure);

#endif
