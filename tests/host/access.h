/*
 * The credential of each provider session, and the loaded library of each provider (ekm-abi.md
 * section 6).
 *
 * Owns the list of loaded providers and this rule: a user's statement uses the credential of its
 * login; the engine uses that of the login made FROM the asymmetric key. Any thread may call the
 * engine's functions; those with a connection belong to its thread.
 */
#ifndef EKMHOST_ACCESS_H
#define EKMHOST_ACCESS_H

#include <stdbool.h>

#include "catalog.h"
#include "connection.h"
#include "instance.h"
#include "message.h"
#include "provider_library.h"

/* Loads the library that CREATE or ALTER CRYPTOGRAPHIC PROVIDER names, asks for its properties and
 * algorithms, and unloads it. */
bool access_try(struct instance *instance, const char *path, struct provider_info *info,
                struct failure *failure);

/* The library of a registered provider, loaded on first use. Its guid and version must be those of
 * the catalog. */
bool access_library(struct instance *instance, const cJSON *provider,
                    struct provider_library **library, struct failure *failure);
/* The same if it is loaded already, else NULL. */
struct provider_library *access_loaded(struct instance *instance, int provider_id);
/* Forgets the loaded library. It is unloaded when its last session ends. */
void access_unload(struct instance *instance, int provider_id);
/* For the time between two statements of the only connection: ends its sessions and unloads every
 * library. */
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
