/*
 * The values of T-SQL that ekmhost needs: NULL, whole numbers, text, bytes.
 *
 * Owns conversion, comparison and output. Text is UTF-8; `wide` means that its bytes as binary are
 * UTF-16LE (nvarchar). Free values by value_free, which accepts an empty value. No state, any
 * thread.
 */
#ifndef EKMHOST_VALUE_H
#define EKMHOST_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"

enum value_kind { VALUE_NULL, VALUE_NUMBER, VALUE_TEXT, VALUE_BINARY };

struct value {
    enum value_kind kind;
    long long number;
    char *data; /* text or bytes, followed by a zero */
    size_t len;
    bool wide;
};

struct value value_null(void);
struct value value_number(long long number);
struct value value_text(const char *text);
struct value value_text_n(const char *text, size_t len);
struct value value_binary(const void *bytes, size_t len);
struct value value_hex(const char *hex); /* "" gives NULL */
struct value value_copy(const struct value *value);
void value_free(struct value *value);

char *value_display(const struct value *value); /* as sqlcmd shows it; to be freed */
/* -1, 0, 1 as with strcmp; text without case, as the default collation has it. Both not NULL. */
int value_compare(const struct value *a, const struct value *b);

/* A type of CONVERT, DECLARE and CREATE TABLE. */
struct value_type {
    char name[24]; /* lower case */
    long size;     /* 0 not given, -1 max */
};
bool value_convert(struct value *value, const struct value_type *type, int style,
                   struct failure *failure);
/* The bytes that a cryptographic function sees. */
struct value value_as_binary(const struct value *value);

#endif
