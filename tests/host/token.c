#include "token.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "memory.h"

struct reader {
    const char *at;
    int line;
    struct token_list *list;
};

static void token_error(struct reader *reader, int number, const char *near_text, int line)
{
    if (reader->list->error)
        return;
    reader->list->error = number;
    reader->list->error_near = memory_text_n(near_text, strnlen(near_text, 40));
    reader->list->error_line = line;
}

static struct token *token_add(struct reader *reader, enum token_kind kind, const char *text,
                               size_t len)
{
    struct token_list *list = reader->list;
    if (list->count % 64 == 0)
        list->items = memory_grow(list->items, (list->count + 65) * sizeof *list->items);
    struct token *token = &list->items[list->count];
    memset(token, 0, sizeof *token);
    token->kind = kind;
    token->text = memory_take(len + 1);
    memcpy(token->text, text, len);
    token->len = len;
    token->line = reader->line;
    if (kind != TOKEN_END)
        list->count++;
    return token;
}

static void read_block_comment(struct reader *reader)
{
    int depth = 0;
    int line = reader->line;
    do {
        if (!*reader->at) {
            token_error(reader, 113, "", line);
            return;
        }
        if (reader->at[0] == '/' && reader->at[1] == '*') {
            depth++;
            reader->at++;
        } else if (reader->at[0] == '*' && reader->at[1] == '/') {
            depth--;
            reader->at++;
        } else if (*reader->at == '\n') {
            reader->line++;
        }
        reader->at++;
    } while (depth > 0);
}

static void read_blank(struct reader *reader)
{
    for (;;) {
        if (*reader->at == '\n')
            reader->line++;
        if (isspace((unsigned char)*reader->at))
            reader->at++;
        else if (reader->at[0] == '-' && reader->at[1] == '-')
            reader->at += strcspn(reader->at, "\n");
        else if (reader->at[0] == '/' && reader->at[1] == '*')
            read_block_comment(reader);
        else
            return;
    }
}

/* `at` is after the opening quote. */
static void read_quoted(struct reader *reader, enum token_kind kind, char close, bool wide)
{
    const char *start = reader->at;
    int line = reader->line;
    char *text = memory_take(strlen(start) + 1);
    size_t len = 0;
    for (;; reader->at++) {
        if (!*reader->at) {
            token_error(reader, 105, start, line);
            break;
        }
        if (*reader->at == close) {
            reader->at++;
            if (*reader->at != close)
                break;
        } else if (*reader->at == '\n') {
            reader->line++;
        }
        text[len++] = *reader->at;
    }
    struct token *token = token_add(reader, kind, text, len);
    token->wide = wide;
    token->line = line;
    free(text);
}

static void read_run(struct reader *reader, enum token_kind kind, const char *extra)
{
    const char *start = reader->at++;
    while (isalnum((unsigned char)*reader->at) || (*reader->at && strchr(extra, *reader->at)) ||
           (unsigned char)*reader->at >= 0x80)
        reader->at++;
    token_add(reader, kind, start, (size_t)(reader->at - start));
}

static void read_sign(struct reader *reader)
{
    static const char *const pairs[] = {"<>", "<=", ">=", "!="};
    size_t len = 1;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (strncmp(reader->at, pairs[i], 2) == 0)
            len = 2;
    }
    token_add(reader, TOKEN_SIGN, reader->at, len);
    reader->at += len;
}

static void read_token(struct reader *reader)
{
    const char *at = reader->at;
    if ((*at == 'N' || *at == 'n') && at[1] == '\'') {
        reader->at += 2;
        read_quoted(reader, TOKEN_STRING, '\'', true);
    } else if (*at == '\'' || *at == '[' || *at == '"') {
        reader->at++;
        read_quoted(reader, *at == '\'' ? TOKEN_STRING : TOKEN_NAME, *at == '[' ? ']' : *at, false);
    } else if (*at == '0' && (at[1] == 'x' || at[1] == 'X')) {
        reader->at += 2;
        const char *start = reader->at;
        reader->at += strspn(start, "0123456789abcdefABCDEF");
        token_add(reader, TOKEN_BINARY, start, (size_t)(reader->at - start));
    } else if (isdigit((unsigned char)*at)) {
        read_run(reader, TOKEN_NUMBER, ".");
    } else if (*at == '@') {
        read_run(reader, TOKEN_VARIABLE, "@_$#");
    } else if (isalpha((unsigned char)*at) || *at == '_' || *at == '#' ||
               (unsigned char)*at >= 0x80) {
        read_run(reader, TOKEN_WORD, "_@$#");
    } else {
        read_sign(reader);
    }
}

struct token_list token_split(const char *text)
{
    struct token_list list = {0};
    struct reader reader = {text, 1, &list};
    for (read_blank(&reader); *reader.at && !list.error; read_blank(&reader))
        read_token(&reader);
    token_add(&reader, TOKEN_END, "", 0);
    return list;
}

void token_free(struct token_list *list)
{
    for (size_t i = 0; list->items && i <= list->count; i++)
        memory_wipe_text(list->items[i].text);
    free(list->items);
    free(list->error_near);
    memset(list, 0, sizeof *list);
}

bool token_is(const struct token *token, const char *word)
{
    return (token->kind == TOKEN_WORD || token->kind == TOKEN_SIGN) &&
           strcasecmp(token->text, word) == 0;
}

bool token_is_name(const struct token *token)
{
    return token->kind == TOKEN_WORD || token->kind == TOKEN_NAME;
}

bool token_starts_statement(const struct token *token)
{
    static const char *const starters[] = {
        "ALTER",    "BACKUP", "CLOSE",       "CREATE",  "DECLARE",   "DROP",   "EXEC",
        "EXECUTE",  "INSERT", "OPEN",        "PRINT",   "RESTORE",   "SELECT", "SET",
        "SHUTDOWN", "USE",    "RECONFIGURE", "WAITFOR", "CHECKPOINT"};
    for (size_t i = 0; i < sizeof starters / sizeof *starters; i++) {
        if (token_is(token, starters[i]))
            return true;
    }
    return false;
}
