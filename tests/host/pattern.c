#include "pattern.h"

#include <string.h>
#include <strings.h>

static bool match_from(const char *at, size_t token, struct pattern_match *out);

static const struct token *token_at(struct pattern_match *out, size_t index)
{
    if (index > out->furthest)
        out->furthest = index;
    return &out->tokens[index];
}

static bool pattern_take_value(struct pattern_match *out, const char *name, size_t name_len,
                               size_t first, size_t count)
{
    if (out->capture_count == sizeof out->captures / sizeof *out->captures)
        return false;
    out->captures[out->capture_count++] = (struct pattern_capture){name, name_len, first, count};
    return true;
}

static bool statement_ends(const struct token *token)
{
    return token->kind == TOKEN_END || token_is(token, ";") || token_starts_statement(token);
}

/* How many tokens from `first` are a parenthesis, 0 if they are none. */
static size_t count_parenthesis(struct pattern_match *out, size_t first)
{
    size_t depth = 0;
    if (!token_is(token_at(out, first), "("))
        return 0;
    for (size_t i = first; out->tokens[i].kind != TOKEN_END; i++) {
        const struct token *token = token_at(out, i);
        if (token_is(token, "("))
            depth++;
        else if (token_is(token, ")"))
            depth--;
        if (depth == 0)
            return token_is(token, ")") ? i - first + 1 : 0;
    }
    return 0;
}

static size_t count_rest(struct pattern_match *out, size_t first)
{
    size_t depth = 0;
    size_t i = first;
    for (; out->tokens[i].kind != TOKEN_END; i++) {
        const struct token *token = &out->tokens[i];
        if (depth == 0 && statement_ends(token))
            break;
        if (token_is(token, "("))
            depth++;
        else if (token_is(token, ")") && depth > 0)
            depth--;
    }
    return i - first;
}

static size_t count_of_kind(struct pattern_match *out, char kind, size_t first)
{
    const struct token *token = token_at(out, first);
    switch (kind) {
    case 'n':
        return token_is_name(token) ? 1 : 0;
    case 'w':
        return token->kind == TOKEN_WORD ? 1 : 0;
    case 's':
        return token->kind == TOKEN_STRING ? 1 : 0;
    case 'i':
        return token->kind == TOKEN_NUMBER ? 1 : 0;
    case 'v':
        return token->kind != TOKEN_END && token->kind != TOKEN_SIGN ? 1 : 0;
    case 'p':
        return count_parenthesis(out, first);
    case 'm':
        return token->kind == TOKEN_STRING && token_is(token_at(out, first + 1), "TO") &&
                       token_at(out, first + 2)->kind == TOKEN_STRING
                   ? 3
                   : 0;
    default:
        return count_rest(out, first);
    }
}

/* One option of the list at `list` ("A:s,B:f)"). Returns the index of the token after it, or 0. */
static size_t match_option(const char *list, size_t token, struct pattern_match *out)
{
    for (const char *item = list; item; item = *item == ',' ? item + 1 : NULL) {
        size_t name_len = strcspn(item, ":");
        char kind = item[name_len + 1];
        const struct token *name = token_at(out, token);
        if (name->kind == TOKEN_WORD && name->len == name_len &&
            strncasecmp(name->text, item, name_len) == 0) {
            if (kind == 'f')
                return pattern_take_value(out, item, name_len, token, 1) ? token + 1 : 0;
            size_t first = token + 1;
            if (kind != 'p' && kind != 'm' && !token_is(token_at(out, first++), "="))
                return 0;
            size_t count = count_of_kind(out, kind, first);
            return count && pattern_take_value(out, item, name_len, first, count) ? first + count
                                                                                  : 0;
        }
        item += name_len + 2;
    }
    return 0;
}

static bool match_options(const char *at, size_t token, struct pattern_match *out)
{
    const char *close = strchr(at, ')');
    size_t next = match_option(at + 2, token, out);
    while (next && token_is(token_at(out, next), ","))
        next = match_option(at + 2, next + 1, out);
    return next && match_from(close + 1, next, out);
}

static bool match_capture(const char *at, size_t token, struct pattern_match *out)
{
    const char *close = strchr(at, '}');
    const char *name = at + 1;
    size_t name_len = strcspn(name, ":");
    const char *kind = name + name_len + 1;
    size_t count = 0;
    if (*kind == '=') {
        const struct token *word = token_at(out, token);
        size_t len = (size_t)(close - kind - 1);
        count = word->kind == TOKEN_WORD && word->len == len &&
                strncasecmp(word->text, kind + 1, len) == 0;
    } else {
        count = count_of_kind(out, *kind, token);
    }
    return (count > 0 || *kind == '*') && pattern_take_value(out, name, name_len, token, count) &&
           match_from(close + 1, token + count, out);
}

static bool match_optional(const char *at, size_t token, struct pattern_match *out)
{
    size_t captures = out->capture_count;
    if (match_from(at + 1, token, out))
        return true;
    out->capture_count = captures;
    int depth = 0;
    do {
        depth += *at == '[' ? 1 : *at == ']' ? -1 : 0;
        at++;
    } while (depth > 0);
    return match_from(at, token, out);
}

static bool match_from(const char *at, size_t token, struct pattern_match *out)
{
    at += strspn(at, " ]");
    if (!*at) {
        out->end = token;
        return statement_ends(token_at(out, token));
    }
    if (*at == '[')
        return match_optional(at, token, out);
    if (*at == '{')
        return match_capture(at, token, out);
    if (*at == '#')
        return match_options(at, token, out);
    size_t len = strcspn(at, " ");
    const struct token *word = token_at(out, token);
    return (word->kind == TOKEN_WORD || word->kind == TOKEN_SIGN) && word->len == len &&
           strncasecmp(word->text, at, len) == 0 && match_from(at + len, token + 1, out);
}

bool pattern_try(const char *pattern, const struct token *tokens, size_t first,
                 struct pattern_match *out)
{
    out->tokens = tokens;
    out->capture_count = 0;
    return match_from(pattern, first, out);
}

static const struct pattern_capture *find_capture(const struct pattern_match *match,
                                                  const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < match->capture_count; i++) {
        const struct pattern_capture *found = &match->captures[i];
        if (found->name_len == len && strncmp(found->name, name, len) == 0)
            return found;
    }
    return NULL;
}

const struct token *pattern_token(const struct pattern_match *match, const char *name)
{
    const struct pattern_capture *found = find_capture(match, name);
    return found ? &match->tokens[found->first] : NULL;
}

const char *pattern_text(const struct pattern_match *match, const char *name)
{
    const struct token *token = pattern_token(match, name);
    return token ? token->text : NULL;
}

size_t pattern_count(const struct pattern_match *match, const char *name)
{
    const struct pattern_capture *found = find_capture(match, name);
    return found ? found->count : 0;
}
