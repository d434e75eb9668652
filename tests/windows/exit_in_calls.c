/*
 * exit_in_calls LIBRARY VAULT SECRET KEY HOW: ends by HOW ("exit", "ExitProcess") with CODE while
 * THREADS threads decrypt. Any other exit code: what went wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include <akvekm/sqlcrypt.h>

enum { CODE = 77, THREADS = 8, CALLS = 4 * THREADS };

static HMODULE library;
static SqlCpSession session;
static uint16_t units[3][300];
static uint8_t thumb_bytes[64], plain_bytes[32], cipher_bytes[600];
static SqlCpData thumb = {sizeof thumb_bytes, thumb_bytes};
static SqlCpData cipher = {sizeof cipher_bytes, cipher_bytes};
static volatile LONG calls;

#define CALL(name, ...)                                                                            \
    do {                                                                                           \
        FARPROC address = GetProcAddress(library, #name);                                          \
        __typeof__(name) *function;                                                                \
        memcpy(&function, &address, sizeof function);                                              \
        SqlCpError code = address != NULL ? function(__VA_ARGS__) : -1;                            \
        if (code != SQLCP_SUCCESS) {                                                               \
            (void)fprintf(stderr, "%s: %ld\n", #name, (long)code);                                 \
            ExitProcess(3);                                                                        \
        }                                                                                          \
    } while (0)

static SqlCpStr exit_in_calls_wide(const char *text, uint16_t *out)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len && i < 300; i++) {
        out[i] = (uint8_t)text[i];
    }
    return (SqlCpStr){(uint32_t)(2 * len), out};
}

static DWORD WINAPI call_on(void *unused)
{
    uint8_t bytes[600];
    (void)unused;
    for (;;) {
        SqlCpData plain = {sizeof bytes, bytes};
        CALL(SqlCryptDecrypt, &session, &thumb, 1, NULL, 0, &cipher, &plain);
        InterlockedIncrement(&calls);
    }
    return 0;
}

int main(int argc, char **argv)
{
    uint16_t found[300];
    if (argc != 6 || (library = LoadLibraryA(argv[1])) == NULL) {
        return 2;
    }
    SqlCpCredential credential = {exit_in_calls_wide(argv[2], units[0]),
                                  exit_in_calls_wide(argv[3], units[1])};
    SqlCpStr name = exit_in_calls_wide(argv[4], units[2]);
    SqlCpKeyInfo info = {{sizeof found, found}, thumb, 0, 0};
    SqlCpData plain = {sizeof plain_bytes, plain_bytes};
    CALL(SqlCryptInitializeProvider, );
    CALL(SqlCryptOpenSession, &credential, &session);
    CALL(SqlCryptGetKeyInfoByName, &session, &name, &info);
    thumb = info.thumb;
    CALL(SqlCryptEncrypt, &session, &thumb, 1, NULL, 0, &plain, &cipher);
    for (int i = 0; i < THREADS; i++) {
        if (CreateThread(NULL, 0, call_on, NULL, 0, NULL) == NULL) {
            return 2;
        }
    }
    while (calls < CALLS) {
        Sleep(1);
    }
    Sleep(GetCurrentProcessId() % 11);
    if (strcmp(argv[5], "exit") == 0) {
        exit(CODE);
    }
    ExitProcess(CODE);
}
