/*
 * The identity of the provider and its algorithms, which SQL Server may ask for in any state.
 *
 * Owns the identity: the defaults, then a copy of what the last successful Initialize read, which
 * stays after Free. Any thread; no call record, no log, no allocation.
 */
#ifndef AKVEKM_PROVIDER_PROVIDER_INFO_H
#define AKVEKM_PROVIDER_PROVIDER_INFO_H

#include "base/config.h"

void provider_info_set(const struct config *config);
enum ekm_rc provider_info_read(SqlCpProviderInfo *out) EKM_MUST_CHECK;

/* From SQLCP_INVALID_ID to the first, then to the next ones. EKM_NOT_FOUND after the last. */
enum ekm_rc provider_info_next_algorithm(SqlCpAlgId *id) EKM_MUST_CHECK;
enum ekm_rc provider_info_algorithm(SqlCpAlgId id, SqlCpAlgorithmInfo *out) EKM_MUST_CHECK;

/* The algorithm that a key of this size is reported as; 0 if there is none. */
SqlCpAlgId provider_info_algorithm_of(const struct config *config, uint32_t key_bits);
uint32_t provider_info_algorithm_bits(SqlCpAlgId id); /* 0 for an unknown id */

#endif
