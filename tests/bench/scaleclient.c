/*
 * scaleclient FOLDER DATABASES SESSIONS: one server that starts, in a process of its own. That many
 * sessions open that many databases, with one Decrypt each. A call that fails is counted and not
 * repeated, as SQL Server would leave that database closed. Prints `name=value` words.
 * AKVEKM_CONFIG names the configuration; `benchclient sample FOLDER` has made the wrapped key.
 */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "harness.h"
#include "measure.h"
#include "sample.h"

#define SESSIONS_MAX 1024

static struct ekm ekm;
static struct sample sample;
static atomic_long databases, failed, sessions_failed;
static atomic_ulong longest_us;
static atomic_int last_code;

void bench_measured(long times)
{
    (void)times;
}

static void note_longest(unsigned long us)
{
    unsigned long known = atomic_load(&longest_us);
    while (us > known && !atomic_compare_exchange_weak(&longest_us, &known, us)) {
    }
}

static SqlCpError scaleclient_decrypt(SqlCpSession *session)
{
    uint8_t bytes[512];
    SqlCpData thumb = {sizeof sample.thumb, sample.thumb},
              cipher = {sample.cipher_len, sample.cipher}, plain = {sizeof bytes, bytes};
    SqlCpError code = ekm.Decrypt(session, &thumb, 1, NULL, 0, &cipher, &plain);
    bool right = code != SQLCP_SUCCESS ||
                 (plain.cb == SAMPLE_PLAIN_BYTES && memcmp(bytes, sample_plain, plain.cb) == 0);
    return right ? code : SQLCP_FAILURE;
}

static void *open_databases(void *unused)
{
    SqlCpSession session;
    (void)unused;
    if (ekm_open(&ekm, "contoso-vault", SIM_PASSWORD, &session) != SQLCP_SUCCESS) {
        atomic_fetch_add(&sessions_failed, 1);
        return NULL;
    }
    while (atomic_fetch_sub(&databases, 1) > 0) {
        uint64_t begun_ns = clock_ns();
        SqlCpError code = scaleclient_decrypt(&session);
        note_longest((unsigned long)((clock_ns() - begun_ns) / 1000));
        if (code != SQLCP_SUCCESS) {
            atomic_fetch_add(&failed, 1);
            atomic_store(&last_code, (int)code);
        }
    }
    (void)ekm.CloseSession(&session, 0);
    return NULL;
}

static long open_descriptors(void)
{
    long count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder != NULL && readdir(folder) != NULL) {
        count++;
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return count - 3; /* itself, "." and ".." */
}

static void start_server(unsigned sessions)
{
    static pthread_t threads[SESSIONS_MAX];
    struct rusage used;
    uint64_t begun_ns = clock_ns();
    if (ekm.InitializeProvider() != SQLCP_SUCCESS) {
        give_up("Initialize");
    }
    for (unsigned i = 0; i < sessions; i++) {
        if (pthread_create(&threads[i], NULL, open_databases, NULL) != 0) {
            give_up("no thread");
        }
    }
    for (unsigned i = 0; i < sessions; i++) {
        pthread_join(threads[i], NULL);
    }
    double ms = (double)(clock_ns() - begun_ns) / 1e6;
    long descriptors = open_descriptors(); /* connections are kept */
    getrusage(RUSAGE_SELF, &used);
    printf("ms=%.0f failed=%ld sessions_failed=%ld code=%d longest_ms=%lu kib=%ld descriptors=%ld "
           "cpu_ms=%.0f\n",
           ms, atomic_load(&failed), atomic_load(&sessions_failed), atomic_load(&last_code),
           atomic_load(&longest_us) / 1000, used.ru_maxrss, descriptors, (double)cpu_ns() / 1e6);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        give_up("usage: scaleclient FOLDER DATABASES SESSIONS");
    }
    long sessions = strtol(argv[3], NULL, 10);
    atomic_store(&databases, strtol(argv[2], NULL, 10));
    if (sessions < 1 || sessions > SESSIONS_MAX) {
        give_up("bad numbers");
    }
    sample_read(&sample, argv[1]);
    ekm_load(&ekm);
    start_server((unsigned)sessions);
    if (ekm.FreeProvider() != SQLCP_SUCCESS) {
        give_up("Free");
    }
    return 0;
}
