#include "net/http_send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/throttle.h"
#include "platform/system.h"

static void http_watch_sending(CURL *curl, bool on)
{
    (void)curl_easy_setopt(curl, CURLOPT_VERBOSE, on ? 1L : 0L);
}

/* A copy is not sent to a host that refused another request while the copy's connection was made.
 */
static bool http_has_lost_turn(const struct http_request *request)
{
    return request->until_ms != 0 && !throttle_stands(request->host, request->pass);
}

/* curl calls this right before it sends the request, on a new or a reused connection, and once more
 * if it has to begin again. */
static int http_on_ready(void *context, char *peer_ip, char *own_ip, int peer_port, int own_port)
{
    struct http_easy *easy = context;
    (void)peer_ip;
    (void)own_ip;
    (void)peer_port;
    (void)own_port;
    easy->body_sent = easy->head_len = 0;
    easy->head_sent = false;
    easy->sent_ms = 0;
    easy->withheld = http_has_lost_turn(easy->request);
    http_watch_sending(easy->curl, !easy->withheld);
    return easy->withheld ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static bool http_watch_beginning(struct http_easy *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075000
    return curl_easy_setopt(easy->curl, CURLOPT_PREREQFUNCTION, http_on_ready) == CURLE_OK &&
           curl_easy_setopt(easy->curl, CURLOPT_PREREQDATA, easy) == CURLE_OK;
#else
    http_watch_sending(easy->curl, true);
    return true;
#endif
}

/* curl shows the bytes that it has just sent in its own buffer. It frees that buffer without wiping
 * it, or keeps it while the handle lives. So the bytes are wiped here. Other kinds of information
 * are ignored. */
static int http_on_sent(CURL *curl, curl_infotype type, char *data, size_t size, void *context)
{
    struct http_easy *easy = context;
    if (type == CURLINFO_HEADER_OUT) {
        easy->head_sent = size >= 4 && memcmp(data + size - 4, "\r\n\r\n", 4) == 0;
        easy->sent_ms = plat_now_ms();
    } else if (type == CURLINFO_DATA_OUT) {
        easy->body_sent += size;
    } else {
        return 0;
    }
    easy->head_len += type == CURLINFO_HEADER_OUT ? size : 0;
    plat_wipe(data, size);
    easy->sent = true;
    if (LIBCURL_VERSION_NUM >= 0x075000 && easy->head_sent &&
        easy->body_sent >= easy->request->body_len) {
        http_watch_sending(curl, false);
    }
    return 0;
}

/* Writes the body directly into the buffer that http_on_sent wipes. With CURLOPT_POSTFIELDS curl
 * would copy it behind the head, into a block that grows and is freed unwiped. */
static size_t http_on_read(char *out, size_t size, size_t count, void *context)
{
    struct http_easy *easy = context;
    size_t left = easy->request->body_len - easy->body_given;
    size_t len = size * count < left ? size * count : left;
    memcpy(out, easy->request->body + easy->body_given, len);
    easy->body_given += len;
    return len;
}

/* curl begins again if a reused connection breaks before the request is sent. */
static int http_on_seek(void *context, curl_off_t offset, int origin)
{
    struct http_easy *easy = context;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > easy->request->body_len) {
        return CURL_SEEKFUNC_FAIL;
    }
    easy->body_given = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

bool http_send_prepare(struct http_easy *easy)
{
    CURL *curl = easy->curl;
    return curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, http_on_sent) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_DEBUGDATA, easy) == CURLE_OK &&
           http_watch_beginning(easy) &&
           curl_easy_setopt(curl, CURLOPT_READFUNCTION, http_on_read) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_READDATA, easy) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, http_on_seek) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SEEKDATA, easy) == CURLE_OK;
}

bool http_send_body(struct http_easy *easy)
{
    CURL *curl = easy->curl;
    const struct http_request *request = easy->request;
    easy->body_given = 0;
    /* Either option makes the request a POST. With POSTFIELDS the body leaves in one packet with
     * the head; for a secret body see http_on_read. */
    bool right = request->secret_body
                     ? curl_easy_setopt(curl, CURLOPT_POST, 1L) == CURLE_OK
                     : curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body) == CURLE_OK;
    return right && curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                                     (curl_off_t)request->body_len) == CURLE_OK;
}

/* A shared curl writes the head of a request into a block that grows by doubling, and frees the
 * block with the token in it. The allocator usually hands out first the block that it got back
 * last. So blocks of these sizes are allocated, wiped and freed. That finds most of them;
 * plat_wipe_freed finds the rest at Free. */
void http_send_wipe(struct http_easy *easy)
{
    if (!easy->sent) {
        return;
    }
    easy->sent = false;
#ifndef AKVEKM_PRIVATE_LIBRARIES
    void *blocks[8];
    size_t count = 0;
    bool secret = easy->request->authorization != NULL || easy->request->header != NULL;
    const size_t head_most = secret ? 2 * easy->head_len : 0;
    easy->head_len = 0;
    for (size_t size = 512; size < head_most && count < sizeof blocks / sizeof blocks[0];
         size *= 2) {
        blocks[count] = malloc(size);
        if (blocks[count] != NULL) {
            plat_wipe(blocks[count++], size);
        }
    }
    while (count > 0) {
        free(blocks[--count]);
    }
#endif
}
