/* The map under the exports: GetKeyInfoByName and CreateKey of the built library, killed at any
 * moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness.h"
#include "torture.h"

#define FINDERS   3
#define CREATOR   FINDERS /* the last writer makes keys */
#define KEYS      40      /* of each finder */
#define NO_ANSWER 3107
#define TOO_LATE  5001

static struct sim sim;
static struct ekm ekm;
static unsigned kills;

static void key_name(unsigned writer, unsigned number, char name[27])
{
    snprintf(name, 27, "Key-%u-%u", writer, number);
}

/* A public key of its own for each name. Nothing unwraps with them, so no private key is computed.
 */
static void make_key(unsigned writer, unsigned number)
{
    char json[1024], name[27], modulus[343];
    key_name(writer, number, name);
    memset(modulus, 'A', sizeof modulus - 1);
    modulus[0] = 'w'; /* 2048 bits */
    modulus[10] = (char)('A' + writer);
    modulus[11] = (char)('A' + number / 8);
    modulus[12] = (char)('A' + number % 8);
    modulus[341] = 'Q'; /* odd */
    modulus[342] = '\0';
    snprintf(json, sizeof json,
             "{\"vault\":\"" SIM_VAULT "\",\"name\":\"%s\",\"version\":\"%032x\","
             "\"jwk\":{\"kty\":\"RSA\",\"e\":\"AQAB\",\"d\":\"AQ\",\"p\":\"Aw\",\"q\":\"BQ\","
             "\"dp\":\"AQ\","
             "\"dq\":\"AQ\",\"qi\":\"AQ\",\"n\":\"%s\"}}",
             name, writer * KEYS + number, modulus);
    sim_ctl(&sim, "POST", "/keys", json);
}

static void set_thumbprint(struct torture_ack *ack, const SqlCpData *thumb)
{
    for (size_t i = 0; i < thumb->cb; i++) {
        snprintf(ack->thumbprint + 2 * i, 3, "%02X", thumb->pb[i]);
    }
}

static SqlCpError find_one(const SqlCpSession *session, unsigned writer, unsigned number,
                           bool stands, int pipe_handle)
{
    char name[27];
    uint8_t bytes[32];
    SqlCpData thumb = {0, bytes};
    struct torture_ack ack = {"", ""};
    key_name(writer, number, name);
    snprintf(ack.uri, sizeof ack.uri, "https://" SIM_VAULT "/keys/%s/%032x", name,
             writer * KEYS + number);
    if (!stands) {
        torture_begin(pipe_handle, &ack);
    }
    SqlCpError code = ekm_find(&ekm, session, name, &thumb);
    if (code == SQLCP_SUCCESS) {
        set_thumbprint(&ack, &thumb);
        torture_acknowledge(pipe_handle, &ack);
    }
    return code;
}

static SqlCpError create_one(const SqlCpSession *session, uint64_t life, unsigned number,
                             int pipe_handle)
{
    char name[27];
    uint16_t units[27];
    uint8_t bytes[32];
    SqlCpData thumb = {sizeof bytes, bytes};
    struct torture_ack ack = {"", ""};
    snprintf(name, sizeof name, "C-%016llx-%x", (unsigned long long)life, number);
    snprintf(ack.uri, sizeof ack.uri, "https://" SIM_VAULT "/keys/%s/", name);
    torture_begin(pipe_handle, &ack);
    const SqlCpStr wanted = ekm_wide(name, units);
    SqlCpError code = ekm.CreateKey(session, &wanted, 1, 0, &thumb);
    if (code == SQLCP_SUCCESS) {
        set_thumbprint(&ack, &thumb);
        torture_acknowledge(pipe_handle, &ack);
    }
    return code;
}

/* A finder starts again when it has found all its keys, and checks the existing entries again. */
static void write_entries(void *context, unsigned round, unsigned writer, unsigned done,
                          int pipe_handle)
{
    SqlCpSession session;
    uint64_t life; /* no two make keys of one name */
    (void)context;
    (void)round;
    SqlCpError code = getrandom(&life, sizeof life, 0) == (ssize_t)sizeof life ? 0 : -1;
    if (code == SQLCP_SUCCESS) {
        code = ekm.InitializeProvider();
    }
    if (code == SQLCP_SUCCESS) {
        code = ekm_open(&ekm, "contoso-vault", SIM_PASSWORD, &session);
    }
    if (code == SQLCP_SUCCESS) {
        torture_ready(pipe_handle);
    }
    unsigned late = 0;
    for (unsigned number = done; code == SQLCP_SUCCESS; number++) {
        code = writer == CREATOR
                   ? create_one(&session, life, number, pipe_handle)
                   : find_one(&session, writer, number % KEYS, number >= KEYS, pipe_handle);
        /* A vault that is late on a busy machine: no success, and no matter of the map. */
        if ((code == NO_ANSWER || code == TOO_LATE) && ++late < 10) {
            fprintf(stderr, "writer %u: code %d, goes on\n", writer, code);
            code = SQLCP_SUCCESS;
        }
    }
    fprintf(stderr, "writer %u: code %d\n", writer, code);
}

/* To make a key takes its time. */
static unsigned life_us(void *context, unsigned writer)
{
    (void)context;
    return writer == CREATOR ? 150000 : 25000;
}

static void test_calls(void **state)
{
    char map_path[96];
    struct torture_result result;
    (void)state;
    sim_start(&sim, "--latency-ms", "4");
    sim_ctl(&sim, "POST", "/clients",
            "{\"client_id\":\"11111111-2222-4333-8444-555555555555\",\"permissions\":[\"all\"]}");
    sim_configure(&sim, "allow_create = yes");
    sim_configure(&sim, "log_level = info");
    for (unsigned i = 0; i < FINDERS * KEYS; i++) {
        make_key(i / KEYS, i % KEYS);
    }
    ekm_load(&ekm);
    snprintf(map_path, sizeof map_path, "%s/keymap", sim.folder);
    const struct torture torture = {.map_path = map_path,
                                    .writers = FINDERS + 1,
                                    .kills = kills,
                                    .kills_a_round = 25,
                                    .seed = 20260102,
                                    .write = write_entries,
                                    .life_us = life_us};
    torture_run(&torture, &result);
    ekm_unload(&ekm);
    sim_stop(&sim);
}

/* calls [KILLS] */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calls)};
    kills = torture_kills(argc, argv, 60);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
