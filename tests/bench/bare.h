/*
 * The bare loop: a libcurl easy handle for each thread, kept alive, that sends the same requests as
 * the library with a ready token and reads the response. It is the limit of this design, and the
 * library is compared with it.
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

/* Reads the vault's address, the key and the wrapped key from vaultsim's folder, and fetches a
 * token. */
void bare_open(struct bare *bare, const char *folder);
void bare_choose(struct bare *bare, enum bare_operation operation);
void bare_perform(void *bare, unsigned thread); /* a loop_operation */
void bare_close(struct bare *bare);

#endif
