/*
 * The bare loop: a libcurl easy handle for each thread, kept alive, sending with a ready token what
 * the library sends, and reading the answer. The limit of this design, and what the library is held
 * against.
 */
#ifndef AKVEKM_BENCH_BARE_H
#define AKVEKM_BENCH_BARE_H

#include <curl/curl.h>

#include "loop.h"

enum bare_operation { BARE_UNWRAP, BARE_WRAP, BARE_GET_KEY, BARE_OPERATIONS };

struct bare {
    char connect_to[128], ca_file[256], url[BARE_OPERATIONS][512], body[BARE_OPERATIONS][2048];
    struct curl_slist *headers, *connect_list;
    enum bare_operation operation;
    CURL *handles[THREADS_MAX];
};

/* Reads where the vault is, which key and what to unwrap from vaultsim's folder, and fetches a
 * token. */
void bare_open(struct bare *bare, const char *folder);
void bare_choose(struct bare *bare, enum bare_operation operation);
void bare_perform(void *bare, unsigned thread); /* a loop_operation */
void bare_close(struct bare *bare);

#endif
