/*
 * The settings of docs/configuration.md, read once when the provider starts.
 * Immutable until config_free; any thread. Unknown keys are reported, bad values and unsafe rights
 * are EKM_CONFIGURATION (specification.md section 8).
 */
#ifndef AKVEKM_BASE_CONFIG_H
#define AKVEKM_BASE_CONFIG_H

#include "base/config_record.h"

/* Finds and reads the file (AKVEKM_CONFIG, else the system's places; none: defaults). On failure
 * `reason` has file, line and cause, and config holds nothing to free. Warnings (unknown keys) go
 * to `warn`, which may be NULL. */
enum ekm_rc config_load(struct config *config, char *reason, size_t reason_cap,
                        void (*warn)(void *context, const char *text),
                        void *context) EKM_MUST_CHECK;
void config_free(struct config *config);

#endif
