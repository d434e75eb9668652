/* Two copies of the library, from two paths, in one process and on one map: the old and the new one
 * during an upgrade. */
#include "harness.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEYS 12

struct copy {
    struct ekm ekm;
    char path[96];
    const char *prefix;
    pthread_barrier_t *begin;
    SqlCpError codes[KEYS];
    char thumbs[KEYS][41];
};

static void key_name(char *out, size_t cap, const struct copy *copy, int number)
{
    snprintf(out, cap, "%s-%d", copy->prefix, number);
}

/* Opens its keys one after the other: each writes the map while the other copy does so, too. */
static void *open_keys(void *argument)
{
    struct copy *copy = argument;
    SqlCpSession session = NULL;
    SqlCpError opened = ekm_open(&copy->ekm, "contoso-vault", SIM_PASSWORD, &session);
    pthread_barrier_wait(copy->begin);
    for (int i = 0; i < KEYS; i++) {
        char name[32];
        uint8_t bytes[32];
        SqlCpData thumb = {0, bytes};
        key_name(name, sizeof name, copy, i);
        copy->codes[i] = opened != 0 ? opened : ekm_find(&copy->ekm, &session, name, &thumb);
        for (uint32_t b = 0; copy->codes[i] == 0 && b < 20; b++) {
            snprintf(copy->thumbs[i] + 2 * b, 3, "%02X", bytes[b]);
        }
    }
    (void)copy->ekm.CloseSession(&session, 0);
    return NULL;
}

static void load_copy(struct copy *copy, const struct sim *sim, const char *prefix)
{
    char command[256];
    snprintf(copy->path, sizeof copy->path, "%s/%s.so", sim->folder, prefix);
    snprintf(command, sizeof command, "cp '%s/libakvekm.so' '%s'", AKVEKM_BUILD_DIR, copy->path);
    assert_int_equal(system(command), 0);
    copy->prefix = prefix;
    ekm_load_from(&copy->ekm, copy->path);
    assert_int_equal(copy->ekm.InitializeProvider(), SQLCP_SUCCESS);
}

static void check_map(const struct copy *copy, const char *map)
{
    for (int i = 0; i < KEYS; i++) {
        char name[32], entry[128];
        key_name(name, sizeof name, copy, i);
        assert_int_equal(copy->codes[i], SQLCP_SUCCESS);
        snprintf(entry, sizeof entry, "%s\thttps://" SIM_VAULT "/keys/%s/", copy->thumbs[i], name);
        if (strstr(map, entry) == NULL) {
            fail_msg("%s is not in the map", name);
        }
    }
}

static void test_one_map_for_both(void **state)
{
    (void)state;
    static struct copy copies[2];
    struct sim sim;
    pthread_t threads[2];
    pthread_barrier_t begin;
    pthread_barrier_init(&begin, NULL, 2);
    sim_start(&sim, NULL, NULL);
    load_copy(&copies[0], &sim, "former");
    load_copy(&copies[1], &sim, "latter");
    assert_ptr_not_equal(copies[0].ekm.module, copies[1].ekm.module);
    for (int i = 0; i < 2 * KEYS; i++) {
        char name[32];
        key_name(name, sizeof name, &copies[i % 2], i / 2);
        sim_make_key(&sim, name);
    }
    for (int i = 0; i < 2; i++) {
        copies[i].begin = &begin;
        assert_int_equal(pthread_create(&threads[i], NULL, open_keys, &copies[i]), 0);
    }
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    char *map = sim_file(&sim, "keymap");
    check_map(&copies[0], map);
    check_map(&copies[1], map);
    free(map);
    /* One copy goes; the other one works on. */
    assert_int_equal(copies[0].ekm.FreeProvider(), SQLCP_SUCCESS);
    ekm_unload(&copies[0].ekm);
    SqlCpSession session;
    assert_int_equal(ekm_open(&copies[1].ekm, "contoso-vault", SIM_PASSWORD, &session), 0);
    assert_int_equal(copies[1].ekm.FreeProvider(), SQLCP_SUCCESS);
    ekm_unload(&copies[1].ekm);
    pthread_barrier_destroy(&begin);
    sim_stop(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_map_for_both)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
