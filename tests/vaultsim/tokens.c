#include "tokens.h"

#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encode.h"

/* As long as real tokens and of the same form, but opaque. */
#define TOKEN_PREFIX     "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9."
#define TOKEN_RANDOM_LEN 900
#define TOKEN_REMEMBERED 4096

struct token {
    char *text;
    struct token_claims claims;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct token tokens[TOKEN_REMEMBERED]; /* a ring: the oldest is forgotten */
static size_t issued;

char *tokens_issue(const struct token_claims *claims)
{
    uint8_t bytes[TOKEN_RANDOM_LEN];
    if (RAND_bytes(bytes, sizeof bytes) != 1) {
        must(NULL);
    }
    char *random = base64url_encode(bytes, sizeof bytes);
    char *text = format_text(TOKEN_PREFIX "%s", random);
    free(random);
    pthread_mutex_lock(&lock);
    struct token *token = &tokens[issued++ % TOKEN_REMEMBERED];
    free(token->text);
    token->text = must(strdup(text));
    token->claims = *claims;
    pthread_mutex_unlock(&lock);
    return text;
}

/* The token that begins at text. If is_whole is false, anything may follow it. */
static struct token *tokens_look_up(const char *text, bool is_whole)
{
    for (size_t i = 0; i < TOKEN_REMEMBERED && tokens[i].text != NULL; i++) {
        size_t len = strlen(tokens[i].text);
        if (strncmp(text, tokens[i].text, len) == 0 && (!is_whole || text[len] == '\0')) {
            return &tokens[i];
        }
    }
    return NULL;
}

bool tokens_find(const char *text, struct token_claims *claims)
{
    pthread_mutex_lock(&lock);
    const struct token *token = tokens_look_up(text, true);
    if (token != NULL) {
        *claims = token->claims;
    }
    pthread_mutex_unlock(&lock);
    return token != NULL;
}

char *tokens_reuse(struct token_claims *claims)
{
    const struct token *best = NULL;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < TOKEN_REMEMBERED && tokens[i].text != NULL; i++) {
        const struct token_claims *other = &tokens[i].claims;
        bool is_same = strcmp(other->client_id, claims->client_id) == 0 &&
                       strcmp(other->audience, claims->audience) == 0 &&
                       strcmp(other->tenant, claims->tenant) == 0 && other->revoked == TOKEN_GOOD;
        if (is_same && other->end_ms > clock_ms() &&
            (best == NULL || other->end_ms > best->claims.end_ms)) {
            best = &tokens[i];
        }
    }
    char *text = best != NULL ? must(strdup(best->text)) : NULL;
    if (best != NULL) {
        *claims = best->claims;
    }
    pthread_mutex_unlock(&lock);
    return text;
}

void tokens_expire_all(void)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < TOKEN_REMEMBERED; i++) {
        tokens[i].claims.end_ms = 0;
    }
    pthread_mutex_unlock(&lock);
}

void tokens_revoke_all(bool even_without_cp1)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < TOKEN_REMEMBERED; i++) {
        bool can = even_without_cp1 || tokens[i].claims.has_cp1;
        tokens[i].claims.revoked = can ? TOKEN_CHALLENGED : TOKEN_REVOKED;
    }
    pthread_mutex_unlock(&lock);
}

bool tokens_any_in(const char *text, const char *but)
{
    bool is_there = false;
    const char *at = text;
    size_t but_len = but != NULL ? strlen(but) : 0;
    pthread_mutex_lock(&lock);
    while (!is_there && (at = strstr(at, TOKEN_PREFIX)) != NULL) {
        const struct token *token = tokens_look_up(at, false);
        is_there =
            token != NULL && (but == NULL || strncmp(token->claims.audience, but, but_len) != 0);
        at++;
    }
    pthread_mutex_unlock(&lock);
    return is_there;
}
