/*
 * The key and the wrapped key that all parts of the benchmark use, kept in vaultsim's folder for
 * processes that start fresh.
 */
#ifndef AKVEKM_BENCH_SAMPLE_H
#define AKVEKM_BENCH_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#define SAMPLE_KEY         "BenchKey"
#define SAMPLE_PLAIN_BYTES 32u /* an AES-256 key, as of a database */

extern const uint8_t sample_plain[SAMPLE_PLAIN_BYTES];

struct sample {
    uint8_t thumb[20], cipher[512];
    uint32_t cipher_len;
};

void sample_write(const struct sample *sample, const char *folder);
void sample_read(struct sample *sample, const char *folder);
/* The KeyUri of the map's first line. */
void sample_key_uri(const char *folder, char *out, size_t cap);

#endif
