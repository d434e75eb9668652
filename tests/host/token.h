/*
 * T-SQL text into tokens.
 *
 * Owns the lexical rules: comments (nested blocks too), 'strings' with N prefix, [names] and
 * "names", numbers, 0x binary, @variables, signs. Line numbers start at 1 with the batch, as in SQL
 * Server's messages. One thread.
 */
#ifndef EKMHOST_TOKEN_H
#define EKMHOST_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,   /* keyword or plain name */
    TOKEN_NAME,   /* [name] or "name": never a keyword */
    TOKEN_STRING, /* without quotes, doubled quotes undone */
    TOKEN_NUMBER,
    TOKEN_BINARY,   /* hex digits without 0x */
    TOKEN_VARIABLE, /* with its @ */
    TOKEN_SIGN
};

struct token {
    enum token_kind kind;
    char *text;
    size_t len; /* bytes of text; a string may hold any byte but zero */
    bool wide;  /* N'...' */
    int line;
};

struct token_list {
    struct token *items; /* the last one is TOKEN_END with empty text */
    size_t count;        /* without it */
    int error;           /* 0, 105 (string without end) or 113 (comment without end) */
    char *error_near;
    int error_line;
};

struct token_list token_split(const char *text);
void token_free(struct token_list *list);

bool token_is(const struct token *token, const char *word); /* a plain word or sign, any case */
bool token_is_name(const struct token *token);
/* Whether a statement may begin at this token. */
bool token_starts_statement(const struct token *token);

#endif
