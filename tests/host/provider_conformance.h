/*
 * Rules for a provider that its return codes do not show, checked at every call.
 *
 * A breach prints one line `conformance: <function>: <what>` to stderr and increments the count. It
 * never changes what the host does next. Buffers for a provider are filled with a pattern first, so
 * that a byte written past the given size is detected. Any thread.
 */
#ifndef EKMHOST_PROVIDER_CONFORMANCE_H
#define EKMHOST_PROVIDER_CONFORMANCE_H

#include <stddef.h>

#include <akvekm/sqlcrypt.h>

#include "platform.h"
#include "provider_library.h"

enum { PROVIDER_GUARD_LEN = 32 }; /* bytes to allocate beyond the size that the provider is given */

void provider_conformance_report(const char *function, const char *format, ...)
    PLATFORM_PRINTF(2, 3);
/* Breaches since the start of the process. */
long provider_conformance_count(void);

/* 8 to 2048 are reserved, and 7 is SQL Server's own. */
void provider_conformance_code(const char *function, int code);

void provider_conformance_fill(void *buffer, size_t len);
/* The bytes of a filled buffer from `used` to `len` must be unchanged. */
void provider_conformance_tail(const char *function, const void *buffer, size_t used, size_t len);

/* After a call with a NULL pointer: the pointer still NULL, a size of 1..max, and
 * InsufficientBuffer. */
void provider_conformance_query(const char *function, int code, const void *pointer, uint32_t cb,
                                uint32_t max);
/* After the call with a buffer of `room` bytes, the size that the provider asked for. */
void provider_conformance_fetch(const char *function, int code, const void *given, uint32_t room,
                                const void *pointer, uint32_t cb);

/* After InsufficientBuffer nothing but the sizes may have been written; padding stays zero. */
void provider_conformance_info(int code, const SqlCpProviderInfo *info);
void provider_conformance_key(const char *function, int code, const SqlCpKeyInfo *info,
                              uint32_t thumbprint_len);
/* Id, type, bits and initialization vector must agree with the tag. */
void provider_conformance_algorithm(const struct provider_algorithm *algorithm);

#endif
