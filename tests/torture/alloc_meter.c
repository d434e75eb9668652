#include "alloc_meter.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES   (1u << 18)
#define BUCKETS (1u << 16)
#define FRAMES  32

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
CURLcode __real_curl_global_init(long flags);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);
CURLcode __wrap_curl_global_init(long flags);

const char *const meter_names[METER_COUNT] = {"core", "curl", "cJSON", "OpenSSL"};

struct node {
    const void *block;
    struct node *next;
    unsigned long number;
    enum meter meter;
    int frame_count;
    void *frames[FRAMES];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct node nodes[NODES], *buckets[BUCKETS], *unused;
static unsigned fresh;
static bool inside, stacks;
static unsigned long live[METER_COUNT], last_number;
static struct {
    bool armed, onwards;
    enum meter meter;
    unsigned long nth, count, failed;
} trap;

static struct node **bucket_of(const void *block)
{
    return &buckets[((uintptr_t)block >> 4) * 2654435761u % BUCKETS];
}

static void note(enum meter meter, const void *block)
{
    if (!inside || block == NULL) {
        return;
    }
    struct node *node = unused != NULL ? unused : fresh < NODES ? &nodes[fresh++] : NULL;
    if (node == NULL) {
        fputs("alloc_meter: more allocations than there is room for\n", stderr);
        abort();
    }
    unused = node == unused ? node->next : unused;
    struct node **bucket = bucket_of(block);
    node->block = block;
    node->meter = meter;
    node->number = ++last_number;
    node->next = *bucket;
    node->frame_count = stacks ? backtrace(node->frames, FRAMES) : 0;
    *bucket = node;
    live[meter]++;
}

static void forget(const void *block)
{
    for (struct node **at = bucket_of(block); *at != NULL; at = &(*at)->next) {
        struct node *node = *at;
        if (node->block == block) {
            live[node->meter]--;
            *at = node->next;
            node->next = unused;
            unused = node;
            return;
        }
    }
}

static bool refused(enum meter meter)
{
    if (!inside || !trap.armed || trap.meter != meter) {
        return false;
    }
    trap.count++;
    bool refuse = trap.count == trap.nth || (trap.onwards && trap.count > trap.nth);
    trap.failed += refuse;
    return refuse;
}

/* `former` with a size of 0: a new block. */
static void *allocate(enum meter meter, void *former, size_t count, size_t size, bool zeroed)
{
    void *block = NULL;
    pthread_mutex_lock(&lock);
    if (!refused(meter)) {
        if (former != NULL) {
            forget(former);
            block = __real_realloc(former, size);
            note(meter, block != NULL ? block : former);
        } else {
            block = zeroed ? __real_calloc(count, size) : __real_malloc(count * size);
            note(meter, block);
        }
    }
    pthread_mutex_unlock(&lock);
    return block;
}

static void release(void *block)
{
    if (block != NULL) {
        pthread_mutex_lock(&lock);
        forget(block);
        pthread_mutex_unlock(&lock);
        __real_free(block);
    }
}

void *__wrap_malloc(size_t size)
{
    return allocate(METER_CORE, NULL, 1, size, false);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return allocate(METER_CORE, NULL, count, size, true);
}

void *__wrap_realloc(void *block, size_t size)
{
    return allocate(METER_CORE, block, 1, size, false);
}

void __wrap_free(void *block)
{
    release(block);
}

static void *curl_malloc(size_t size)
{
    return allocate(METER_CURL, NULL, 1, size, false);
}

static void *curl_calloc(size_t count, size_t size)
{
    return allocate(METER_CURL, NULL, count, size, true);
}

static void *curl_realloc(void *block, size_t size)
{
    return allocate(METER_CURL, block, 1, size, false);
}

static char *curl_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = allocate(METER_CURL, NULL, 1, size, false);
    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

static void *cjson_malloc(size_t size)
{
    return allocate(METER_CJSON, NULL, 1, size, false);
}

static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return size > 0 ? allocate(METER_OPENSSL, NULL, 1, size, false) : NULL;
}

static void *openssl_realloc(void *block, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    if (size == 0) {
        release(block);
        return NULL;
    }
    return allocate(METER_OPENSSL, block, 1, size, false);
}

static void openssl_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    release(block);
}

/* The library's own start of curl: the first in this process, so that its allocators are taken. */
CURLcode __wrap_curl_global_init(long flags)
{
    return curl_global_init_mem(flags, curl_malloc, release, curl_realloc, curl_strdup,
                                curl_calloc);
}

bool meter_install(void)
{
    void *frames[2];
    cJSON_Hooks hooks = {cjson_malloc, release};
    (void)backtrace(frames, 2); /* loads what it needs */
    cJSON_InitHooks(&hooks);
    return CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 1;
}

void meter_enter(void)
{
    inside = true;
}

void meter_leave(void)
{
    inside = false;
}

void meter_arm(enum meter meter, unsigned long nth, bool onwards)
{
    pthread_mutex_lock(&lock);
    trap.armed = true;
    trap.onwards = onwards;
    trap.meter = meter;
    trap.nth = nth;
    trap.count = trap.failed = 0;
    pthread_mutex_unlock(&lock);
}

unsigned long meter_disarm(unsigned long *failed)
{
    pthread_mutex_lock(&lock);
    trap.armed = false;
    *failed = trap.failed;
    unsigned long count = trap.count;
    pthread_mutex_unlock(&lock);
    return count;
}

unsigned long meter_live(enum meter meter)
{
    return live[meter];
}

unsigned long meter_mark(bool with_stacks)
{
    stacks = with_stacks;
    return last_number;
}

/* Whether two were made at the same place, the innermost frames being those of this file. */
static bool same_stack(const struct node *a, const struct node *b)
{
    return a->frame_count == b->frame_count &&
           memcmp(a->frames, b->frames, (size_t)a->frame_count * sizeof a->frames[0]) == 0;
}

static void print_stack(const struct node *node, unsigned count)
{
    printf("    %u x", count);
    for (int i = 3; i < node->frame_count && i < 15; i++) {
        Dl_info info;
        bool known = dladdr(node->frames[i], &info) != 0;
        const char *file = known && info.dli_fname != NULL ? strrchr(info.dli_fname, '/') : NULL;
        if (known && info.dli_sname != NULL) {
            printf(" %s", info.dli_sname);
        } else if (file != NULL) {
            printf(" %s+0x%lx", file + 1,
                   (unsigned long)((uintptr_t)node->frames[i] - (uintptr_t)info.dli_fbase));
        }
    }
    putchar('\n');
}

void meter_print_live(enum meter meter, unsigned long mark)
{
    static struct node *found[64];
    static unsigned counts[64];
    size_t kinds = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct node *node = buckets[i]; node != NULL; node = node->next) {
            size_t at = 0;
            if (node->meter != meter || node->number <= mark) {
                continue;
            }
            while (at < kinds && !same_stack(found[at], node)) {
                at++;
            }
            if (at == kinds && kinds < sizeof found / sizeof found[0]) {
                found[kinds] = node;
                counts[kinds++] = 0;
            }
            counts[at < kinds ? at : kinds - 1]++;
        }
    }
    for (size_t at = 0; at < kinds; at++) {
        print_stack(found[at], counts[at]);
    }
}
