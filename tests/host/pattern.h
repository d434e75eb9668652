/*
 * Statements as patterns: what a line of the statement table says, held against tokens.
 *
 * A pattern is a row of items: WORD or a sign stands for itself; {x:n} takes a name, {x:s} a
 * string, {x:i} a number, {x:v} any one value, {x:w} a plain word, {x:*} all up to the statement's
 * end; {x:=WORD} is WORD, remembered; [ ... ] may be absent;
 * #(A:s,B:f,...) is a comma-separated list of NAME = value in any order, captured under their own
 * names (kind f: without value, kind p: a parenthesis, kind m: 'a' TO 'b'). A match must reach the
 * end of the statement. Pure, any thread.
 */
#ifndef EKMHOST_PATTERN_H
#define EKMHOST_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "token.h"

struct pattern_capture {
    const char *name; /* inside the pattern, not terminated */
    size_t name_len;
    size_t first, count; /* tokens */
};

struct pattern_match {
    const struct token *tokens;
    struct pattern_capture captures[24];
    size_t capture_count;
    size_t end;      /* the first token behind the statement */
    size_t furthest; /* the token at which the matching failed, greatest of all tries */
};

/* Keeps `furthest` of earlier attempts. The rest of `out` is valid only after true. */
bool pattern_try(const char *pattern, const struct token *tokens, size_t first,
                 struct pattern_match *out);

/* The first token of a capture, NULL if the statement did not have it. */
const struct token *pattern_token(const struct pattern_match *match, const char *name);
const char *pattern_text(const struct pattern_match *match, const char *name);
size_t pattern_count(const struct pattern_match *match, const char *name);

#endif
