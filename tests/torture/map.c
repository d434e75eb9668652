/* The map itself under fire: many writers, many entries, no network in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "keymap/keymap.h"
#include "torture.h"

#define HOST "contoso-vault.vault.azure.net"

static struct config config;
static unsigned kills;

static void entry_of(unsigned round, unsigned writer, unsigned number, struct thumbprint *print,
                     struct key_id *key)
{
    *print = (struct thumbprint){.len = 20};
    print->bytes[0] = (uint8_t)writer;
    print->bytes[1] = (uint8_t)round;
    print->bytes[18] = (uint8_t)(number >> 8);
    print->bytes[19] = (uint8_t)number;
    memset(key, 0, sizeof *key);
    snprintf(key->name, sizeof key->name, "Key-%u-%u", writer, number);
    snprintf(key->version, sizeof key->version, "%08x%08x%08x%08x", round, writer, number, 0xABCDu);
}

static void write_entries(void *context, unsigned round, unsigned writer, unsigned done,
                          int pipe_handle)
{
    (void)context;
    keymap_start(&config);
    torture_ready(pipe_handle);
    for (unsigned number = done;; number++) {
        struct call call;
        struct thumbprint print;
        struct key_id key;
        struct torture_ack ack;
        call_begin(&call, "torture", &config);
        entry_of(round, writer, number, &print, &key);
        thumbprint_text(&print, ack.thumbprint);
        snprintf(ack.uri, sizeof ack.uri, "https://" HOST "/keys/%s/%s", key.name, key.version);
        torture_begin(pipe_handle, &ack);
        if (keymap_put(&call, call.deadline_ms, HOST, &print, &key, NULL) != EKM_OK) {
            fprintf(stderr, "writer %u: %s\n", writer, call.error.note);
            return;
        }
        torture_acknowledge(pipe_handle, &ack);
    }
}

static unsigned life_us(void *context, unsigned writer)
{
    (void)context;
    (void)writer;
    return 12000;
}

static void test_map(void **state)
{
    char folder[] = "/tmp/akvekm-torture-XXXXXX", command[64];
    struct torture_result result;
    (void)state;
    assert_non_null(mkdtemp(folder));
    config_defaults(&config);
    config.log_level = LEVEL_NONE;
    snprintf(config.keymap_file, sizeof config.keymap_file, "%s/akv/keymap", folder);
    const struct torture torture = {.map_path = config.keymap_file,
                                    .writers = 6,
                                    .kills = kills,
                                    .kills_a_round = 250,
                                    .seed = 20260101,
                                    .write = write_entries,
                                    .life_us = life_us};
    torture_run(&torture, &result);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

/* map [KILLS] */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_map)};
    kills = torture_kills(argc, argv, 300);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
