/*
 * memory_scan LIBRARY VAULT KEY SECRET LIVES [MARK]...: that many lives of the provider, from
 * loading to unloading, each with all that a host does; then handles are counted, and the whole
 * process is searched for what must be gone. With MARKs, masked like SECRET, those are what must be
 * gone instead of SECRET, which then holds none.
 *
 * SECRET is hex with every byte turned by MASK, so that the process never holds it but in the
 * buffer handed to the DLL. The marks looked for are kept masked for the same reason. Exit: 0
 * nothing found, 1 something was, or the life went wrong.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <akvekm/sqlcrypt.h>

#include "process.h"

enum { MASK = 0x55, KEY_LEN = 32, MARK_MAX = 512 };
/* Lives until all that is made once is made, and what the system may add by itself later on. */
enum { SETTLED = 10, SLACK = 8 };

struct mark {
    const char *what;
    uint8_t masked[MARK_MAX];
    size_t len;
    unsigned long found;
};

enum { TOKEN = 2 }; /* among the marks */

enum { SECRET_MARKS = 2, FIXED_MARKS = 5, MARKS_MAX = 12 };
static struct mark marks[MARKS_MAX];
static size_t mark_count = FIXED_MARKS, first_mark;
static bool telling;
static void *library;

static void memory_scan_fail(const char *what, long code)
{
    fprintf(stderr, "memory_scan: %s: %ld\n", what, code);
    exit(1);
}

static void *memory_scan_entry(const char *name)
{
    void *symbol = process_symbol(library, name);
    if (!symbol)
        memory_scan_fail(name, process_problem());
    return symbol;
}

#define CALL(name, ...)                                                                            \
    do {                                                                                           \
        void *symbol = memory_scan_entry(#name);                                                   \
        __typeof__(name) *function;                                                                \
        memcpy(&function, &symbol, sizeof function);                                               \
        SqlCpError code = function(__VA_ARGS__);                                                   \
        if (code != SQLCP_SUCCESS)                                                                 \
            memory_scan_fail(#name, code);                                                         \
    } while (0)

/* The bytes of the key that is wrapped, one at a time, and from numbers that no compiler knows:
 * from constants it makes a table, which the search then finds. */
static volatile uint8_t key_step = 59, key_start = 23;

static uint8_t key_byte(size_t i)
{
    return (uint8_t)(i * key_step + key_start);
}

static SqlCpStr memory_scan_wide(const char *text, uint16_t *units)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        units[i] = (uint8_t)text[i];
    return (SqlCpStr){(uint32_t)(2 * len), units};
}

static void mark_secret(const char *hex)
{
    char digits[3] = "";
    marks[0].what = "client secret";
    marks[1].what = "client secret, UTF-16";
    for (; hex[0] && hex[1] && marks[1].len + 2 <= MARK_MAX; hex += 2) {
        memcpy(digits, hex, 2);
        uint8_t byte = (uint8_t)strtoul(digits, NULL, 16);
        marks[0].masked[marks[0].len++] = byte;
        marks[1].masked[marks[1].len++] = byte;
        marks[1].masked[marks[1].len++] = MASK;
    }
}

/* The first bytes of each token of vaultsim: eyJ0eXAi, and what makes it no library's constant. */
static void mark_token(void)
{
    static const char *const parts[] = {"eyJ0eXAiOi", "JKV1QiLCJh", "bGciOiJSUz", "I1NiJ9."};
    marks[2].what = "token";
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (const char *at = parts[i]; *at; at++)
            marks[2].masked[marks[2].len++] = (uint8_t)(*at ^ MASK);
}

/* As bytes, and as in the vault's answer. */
static void mark_key(void)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    marks[3].what = "unwrapped key";
    marks[4].what = "unwrapped key, base64url";
    for (size_t i = 0; i < KEY_LEN; i++)
        marks[3].masked[marks[3].len++] = key_byte(i) ^ MASK;
    for (size_t i = 0; i + 2 < KEY_LEN; i += 3) {
        uint32_t three =
            (uint32_t)key_byte(i) << 16 | (uint32_t)key_byte(i + 1) << 8 | key_byte(i + 2);
        for (int shift = 18; shift >= 0; shift -= 6)
            marks[4].masked[marks[4].len++] = (uint8_t)(digits[three >> shift & 63] ^ MASK);
    }
}

static void mark_further(const char *hex)
{
    char digits[3] = "";
    struct mark *mark = &marks[mark_count++];
    first_mark = SECRET_MARKS;
    mark->what = "secret of a form";
    for (; hex[0] && hex[1] && mark->len < MARK_MAX; hex += 2) {
        memcpy(digits, hex, 2);
        mark->masked[mark->len++] = (uint8_t)strtoul(digits, NULL, 16);
    }
}

static bool stands_at(const volatile uint8_t *at, const struct mark *mark)
{
    for (size_t i = 0; i < mark->len; i++)
        if (at[i] != (mark->masked[i] ^ MASK))
            return false;
    return true;
}

/* The bytes before a token or secret show whose buffer it is. */
static const char *context_of(const volatile uint8_t *start, const volatile uint8_t *at)
{
    static const char *const words[] = {"Bearer ", "client_secret=", "\":\""};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t len = strlen(words[i]), same = 0;
        if ((size_t)(at - start) < len)
            continue;
        while (same < len && at[(ptrdiff_t)same - (ptrdiff_t)len] == (uint8_t)words[i][same])
            same++;
        if (same == len)
            return i == 0 ? "a header" : i == 1 ? "a form" : "an answer";
    }
    return "no context";
}

static void look_at(const char *name, const volatile uint8_t *start, size_t at, struct mark *mark)
{
    if (!stands_at(start + at, mark))
        return;
    mark->found++;
    if (telling)
        printf("  %s in %s, %s, at %p\n", mark->what, name, context_of(start, start + at),
               (void *)(uintptr_t)(start + at));
}

static void scan_region(const char *name, const volatile uint8_t *start, size_t len)
{
    const size_t count = mark_count;
    bool begins[256] = {false};
    for (size_t i = first_mark; i < count; i++)
        begins[marks[i].masked[0] ^ MASK] = true;
    for (size_t at = 0; at < len; at++)
        for (size_t i = first_mark; begins[start[at]] && i < count; i++)
            if (at + marks[i].len <= len)
                look_at(name, start, at, &marks[i]);
}

static size_t memory_scan_range(void)
{
    for (size_t i = 0; i < mark_count; i++)
        marks[i].found = 0;
    return process_visit(scan_region);
}

static void open_session(const char *vault, SqlCpSession *session)
{
    static uint16_t name[300], password[300];
    SqlCpCredential credential = {memory_scan_wide(vault, name),
                                  {(uint32_t)(2 * marks[0].len), password}};
    for (size_t i = 0; i < marks[0].len; i++)
        password[i] = marks[0].masked[i] ^ MASK;
    CALL(SqlCryptOpenSession, &credential, session);
    process_wipe(password, sizeof password);
}

/* A key is wrapped and unwrapped; what we hold of it is wiped. */
static void use_key(const SqlCpSession *session, const char *key)
{
    static uint16_t name[300], found[300];
    static uint8_t thumb_bytes[64], plain_bytes[512], cipher_bytes[512];
    SqlCpStr wanted = memory_scan_wide(key, name);
    SqlCpKeyInfo info = {{sizeof found, found}, {sizeof thumb_bytes, thumb_bytes}, 0, 0};
    SqlCpData plain = {KEY_LEN, plain_bytes};
    SqlCpData cipher = {sizeof cipher_bytes, cipher_bytes};
    CALL(SqlCryptGetKeyInfoByName, session, &wanted, &info);
    for (size_t i = 0; i < KEY_LEN; i++)
        plain_bytes[i] = key_byte(i);
    CALL(SqlCryptEncrypt, session, &info.thumb, 1, NULL, 0, &plain, &cipher);
    process_wipe(plain_bytes, sizeof plain_bytes);
    plain.cb = sizeof plain_bytes;
    CALL(SqlCryptDecrypt, session, &info.thumb, 1, NULL, 0, &cipher, &plain);
    for (size_t i = 0; i < KEY_LEN; i++)
        if (plain.cb != KEY_LEN || plain_bytes[i] != key_byte(i))
            memory_scan_fail("another key came back", (long)plain.cb);
    process_wipe(plain_bytes, sizeof plain_bytes);
}

/* A good token may stay for the next session; nothing else needs to. */
static void search_closed(void)
{
    telling = true;
    memory_scan_range();
    telling = false;
    for (size_t i = 0; i < mark_count; i++)
        if (i != TOKEN && marks[i].found > 0)
            memory_scan_fail("left after the last session, before Free", (long)i);
}

static void memory_scan_live(char **argv, bool first)
{
    SqlCpSession session = NULL;
    library = process_load(argv[1]);
    if (!library)
        memory_scan_fail("loading the library", process_problem());
    CALL(SqlCryptInitializeProvider, );
    open_session(argv[2], &session);
    use_key(&session, argv[3]);
    if (first)
        memory_scan_range();
    if (first && marks[TOKEN].found == 0) /* an open session has its token */
        memory_scan_fail("the search is blind: it finds no token of an open session", 0);
    CALL(SqlCryptCloseSession, &session, 0);
    if (first)
        search_closed();
    CALL(SqlCryptFreeProvider, );
    if (!process_unload(library))
        memory_scan_fail("unloading the library", process_problem());
}

int main(int argc, char **argv)
{
    /* Not from the heap: a block that the library freed would be kept, with what it still holds. */
    static char printed[4096];
    bool clean = true;
    int lives = argc >= 6 ? atoi(argv[5]) : 0;
    unsigned long settled = 0;
    setvbuf(stdout, printed, _IOFBF, sizeof printed);
    if (lives < 1)
        memory_scan_fail("usage: memory_scan LIBRARY VAULT KEY SECRET LIVES", lives);
    mark_secret(argv[4]);
    mark_token();
    mark_key();
    for (int i = 6; i < argc && mark_count < MARKS_MAX; i++)
        mark_further(argv[i]);
    for (int life = 1; life <= lives; life++) {
        memory_scan_live(argv, life == 1);
        if (life == SETTLED)
            settled = process_handles();
    }
    printf("handles after %d lives: %lu, after %d: %lu\n", SETTLED, settled, lives,
           process_handles());
    if (settled > 0 && process_handles() > settled + SLACK)
        memory_scan_fail("handles are left open", (long)process_handles());
    telling = true;
    size_t seen = memory_scan_range();
    for (size_t i = 0; i < mark_count; i++) {
        printf("%s: found %lu times\n", marks[i].what, marks[i].found);
        clean = clean && marks[i].found == 0;
    }
    printf("%zu MiB searched\n", seen >> 20);
    return clean ? 0 : 1;
}
