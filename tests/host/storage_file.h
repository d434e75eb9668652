/*
 * The structures that the files storage_*.c share: the open database and its two kinds of file
 * headers.
 *
 * A header is one JSON text in clear, filled with zeros to a page: names, encryptor, wrapped key.
 * Only storage*.c include this.
 */
#ifndef EKMHOST_STORAGE_FILE_H
#define EKMHOST_STORAGE_FILE_H

#include <cjson/cJSON.h>

#include "platform.h"
#include "storage.h"
#include "storage_crypt.h"
#include "storage_key.h"
#include "storage_log.h"

struct storage {
    char *base, *name;
    struct platform_file *file; /* the data file */
    bool encrypted;
    char algorithm[16];
    struct storage_wrapped wrapped;
    char check[STORAGE_CHECK_HEX];
    size_t content_len;
    char digest[STORAGE_DIGEST_HEX]; /* of the pages as they are stored */
    uint8_t key[STORAGE_MAX_KEY];
    size_t key_len; /* 0: locked, or there is no key */
    int active;     /* number of the segment that is written */
};

bool storage_fail(char why[256], const char *action, const char *path);
void storage_put_wrapped(cJSON *header, const struct storage_wrapped *wrapped, const char *check);
void storage_take_wrapped(const cJSON *header, struct storage_wrapped *wrapped,
                          char check[STORAGE_CHECK_HEX]);
/* The data file's header, written in place and flushed. */
bool storage_save_header(struct storage *storage, char why[256]);

/* storage_log.c */
char *storage_hint_path(const char *base); /* the file with the number of the first log segment */
char *storage_segment_path(const char *base, int number);
/* Once the pages are encrypted, no log record may stay readable. */
bool storage_blank_clear_segments(struct storage *storage, char why[256]);
bool storage_begin_segment(struct storage *storage, char why[256]);
bool storage_read_segment(const char *base, int number, struct storage_segment *out,
                          char check[STORAGE_CHECK_HEX]);
int storage_next_segment(const char *base, int after); /* the next existing number, 0 if none */

#endif
