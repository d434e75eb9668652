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
#define SHOWN   12

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
    struct meter_stack stack;
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
    struct meter_stack stack;
} trap;

static struct node **bucket_of(const void *block)
{
    return &buckets[((uintptr_t)block >> 4) * 2654435761u % BUCKETS];
}

static void take_stack(struct meter_stack *stack)
{
    stack->count = backtrace(stack->frames, METER_FRAMES);
}

static void alloc_meter_note(enum meter meter, const void *block)
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
    node->stack.count = 0;
    if (stacks) {
        take_stack(&node->stack);
    }
    *bucket = node;
    live[meter]++;
}

static void alloc_meter_forget(const void *block)
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

static bool alloc_meter_refused(enum meter meter)
{
    if (!inside || !trap.armed || trap.meter != meter) {
        return false;
    }
    trap.count++;
    bool refuse = trap.count == trap.nth || (trap.onwards && trap.count > trap.nth);
    if (refuse && trap.failed++ == 0) {
        take_stack(&trap.stack);
    }
    return refuse;
}

/* `former` with a size of 0: a new block. */
static void *alloc_meter_allocate(enum meter meter, void *former, size_t count, size_t size,
                                  bool zeroed)
{
    void *block = NULL;
    pthread_mutex_lock(&lock);
    if (!alloc_meter_refused(meter)) {
        if (former != NULL) {
            alloc_meter_forget(former);
            block = __real_realloc(former, size);
            alloc_meter_note(meter, block != NULL ? block : former);
        } else {
            block = zeroed ? __real_calloc(count, size) : __real_malloc(count * size);
            alloc_meter_note(meter, block);
        }
    }
    pthread_mutex_unlock(&lock);
    return block;
}

static void alloc_meter_release(void *block)
{
    if (block != NULL) {
        pthread_mutex_lock(&lock);
        alloc_meter_forget(block);
        pthread_mutex_unlock(&lock);
        __real_free(block);
    }
}

void *__wrap_malloc(size_t size)
{
    return alloc_meter_allocate(METER_CORE, NULL, 1, size, false);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return alloc_meter_allocate(METER_CORE, NULL, count, size, true);
}

void *__wrap_realloc(void *block, size_t size)
{
    return alloc_meter_allocate(METER_CORE, block, 1, size, false);
}

void __wrap_free(void *block)
{
    alloc_meter_release(block);
}

static void *curl_malloc(size_t size)
{
    return alloc_meter_allocate(METER_CURL, NULL, 1, size, false);
}

static void *curl_calloc(size_t count, size_t size)
{
    return alloc_meter_allocate(METER_CURL, NULL, count, size, true);
}

static void *curl_realloc(void *block, size_t size)
{
    return alloc_meter_allocate(METER_CURL, block, 1, size, false);
}

static char *curl_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = alloc_meter_allocate(METER_CURL, NULL, 1, size, false);
    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

static void *cjson_malloc(size_t size)
{
    return alloc_meter_allocate(METER_CJSON, NULL, 1, size, false);
}

static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return size > 0 ? alloc_meter_allocate(METER_OPENSSL, NULL, 1, size, false) : NULL;
}

static void *openssl_realloc(void *block, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    if (size == 0) {
        alloc_meter_release(block);
        return NULL;
    }
    return alloc_meter_allocate(METER_OPENSSL, block, 1, size, false);
}

static void openssl_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    alloc_meter_release(block);
}

/* The library's own start of curl: the first in this process, so that its allocators are taken. */
CURLcode __wrap_curl_global_init(long flags)
{
    return curl_global_init_mem(flags, curl_malloc, alloc_meter_release, curl_realloc, curl_strdup,
                                curl_calloc);
}

bool meter_install(void)
{
    void *frames[2];
    cJSON_Hooks hooks = {cjson_malloc, alloc_meter_release};
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
    trap.stack.count = 0;
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

const struct meter_stack *meter_refused_at(void)
{
    return &trap.stack;
}

static bool same_stack(const struct meter_stack *a, const struct meter_stack *b)
{
    return a->count == b->count &&
           memcmp(a->frames, b->frames, (size_t)a->count * sizeof a->frames[0]) == 0;
}

/* Of frame i; "" where it is unknown. *openssl: it is OpenSSL's own. */
static void name_frame(const struct meter_stack *stack, int i, char *text, size_t size,
                       bool *openssl)
{
    Dl_info info;
    const void *frame = stack->frames[i];
    const char *file = NULL;
    *text = '\0';
    *openssl = false;
    if (dladdr(frame, &info) != 0 && info.dli_fname != NULL) {
        file = strrchr(info.dli_fname, '/');
        file = file != NULL ? file + 1 : info.dli_fname;
        *openssl = strncmp(file, "libcrypto", 9) == 0 || strncmp(file, "libssl", 6) == 0;
    }
    if (file != NULL && info.dli_sname != NULL) {
        snprintf(text, size, "%s", info.dli_sname);
    } else if (file != NULL) {
        snprintf(text, size, "%s+0x%lx", file,
                 (unsigned long)((uintptr_t)frame - (uintptr_t)info.dli_fbase));
    }
}

/* The innermost frames are those of this file, how many depends on what the compiler made of it. */
static int first_frame(const struct meter_stack *stack)
{
    const int own = 3, own_max = 6;
    char name[128];
    bool openssl = false;
    for (int i = 0; i < stack->count && i < own_max; i++) {
        name_frame(stack, i, name, sizeof name, &openssl);
        if (openssl) {
            return i;
        }
    }
    return own;
}

void meter_describe(const struct meter_stack *stack, char *text, size_t size)
{
    size_t len = 0;
    bool within = false, openssl = false;
    *text = '\0';
    for (int i = first_frame(stack), shown = 0; i < stack->count && shown < SHOWN; i++, shown++) {
        char name[128];
        name_frame(stack, i, name, sizeof name, &openssl);
        int more = snprintf(text + len, size - len, " %s", name);
        if (more < 0 || (size_t)more >= size - len || (within && !openssl)) {
            return;
        }
        len += (size_t)more;
        within = within || openssl;
    }
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
            while (at < kinds && !same_stack(&found[at]->stack, &node->stack)) {
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
        char text[1024];
        meter_describe(&found[at]->stack, text, sizeof text);
        printf("    %u x%s\n", counts[at], text);
    }
}

const struct meter_stack *meter_left_at(enum meter meter, unsigned long mark)
{
    const struct node *last = NULL;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (const struct node *node = buckets[i]; node != NULL; node = node->next) {
            if (node->meter == meter && node->number > mark &&
                (last == NULL || node->number > last->number)) {
                last = node;
            }
        }
    }
    return last != NULL ? &last->stack : NULL;
}
