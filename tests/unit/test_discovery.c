/* Keys found again: in another vault's entry, by the old rule; once a vault at a time, not in vain
 * twice. */
#include "provider_fixture.h"

// wrap: vault_authenticate vault_get_key vault_wrap vault_unwrap vault_list_keys
// wrap: vault_list_versions vault_create_key vault_delete_key http_start http_stop
// wrap: vault_list_keys_page vault_request_try_all
// with: fake_vault.c provider_fixture.c

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "discovery/discovery.h"
#include "keymap/keycache.h"
#include "keymap/old_rule.h"
#include "platform/atomic_file.h"
#include "platform/file.h"

#define PLAIN    "0123456789abcdef"
#define OLD_NAME "LFZ3129213-"

static const uint8_t old_bytes[] = {0x2C, 0x56, 0x77, 0xD7, 0x6F, 0x76, 0xD7, 0x7F, 0x80};
static uint8_t cipher_bytes[RSA_MAX_BYTES];

static SqlCpError discovery_decrypt(const struct fake_key *key, enum rsa_algorithm algorithm,
                                    const struct thumbprint *print)
{
    uint8_t bytes[RSA_MAX_BYTES];
    SqlCpData cipher = {256, cipher_bytes}, plain = {sizeof bytes, bytes};
    fake_wrapped(key, algorithm, PLAIN, sizeof PLAIN, cipher_bytes);
    return fixture_decrypt(print, &cipher, &plain);
}

static struct thumbprint old_thumbprint(void)
{
    struct thumbprint print;
    assert_true(thumbprint_set(&print, old_bytes, sizeof old_bytes));
    return print;
}

static void write_entry(const char *host, const struct thumbprint *print, const char *path)
{
    char hex[2 * THUMBPRINT_MAX_BYTES + 1], line[512];
    thumbprint_text(print, hex);
    snprintf(line, sizeof line, "%s\t%s\thttps://%s/keys/%s\n", host, hex, host, path);
    fixture_write(fixture.map, line);
}

/* C4: the vault is lost, the key restored in this one. */
static void test_key_restored_in_another_vault(void **state)
{
    struct thumbprint print;
    (void)state;
    const struct fake_key *key = fake_add("TdeKey0", "v1", 1);
    fake_thumbprint(key, &print);
    write_entry(FAKE_OTHER, &print, "TdeKey0/v1");
    fixture_start();
    assert_int_equal(discovery_decrypt(key, RSA_OAEP_256, &print), SQLCP_SUCCESS);
    assert_int_equal(fake_requests(), 2);
    const char *map = fixture_read(fixture.map);
    assert_non_null(strstr(map, FAKE_OTHER "\t"));
    assert_non_null(strstr(map, FAKE_HOST "\t"));
    assert_non_null(strstr(fixture_read(fixture.log), "found again: TdeKey0/v1"));
    fixture_restart();
    fake_reset_counts();
    assert_int_equal(discovery_decrypt(key, RSA_OAEP_256, &print), SQLCP_SUCCESS);
    assert_int_equal(fake_requests(), 1);
    fixture_stop();
}

/* A size query finds, but writes nothing; the real call records what was found. */
static void test_size_query_records_nothing(void **state)
{
    struct thumbprint print;
    uint8_t bytes[600];
    (void)state;
    fake_thumbprint(fake_add("TdeKey0", "v1", 1), &print);
    write_entry(FAKE_OTHER, &print, "TdeKey0/v1");
    fixture_start();
    SqlCpData thumb = {20, print.bytes}, plain = {4, bytes}, none = {0, NULL}, small = {255, bytes};
    SqlCpKeyInfo info = {{0, NULL}, {0, NULL}, 0, 0};
    SqlCpSession *session = &fixture.session;
    assert_int_equal(SqlCryptGetKeyInfoByThumb(session, &thumb, &info), 2);
    assert_int_equal(SqlCryptExportKey(session, &thumb, NULL, 1, &none), 2);
    assert_int_equal(SqlCryptEncrypt(session, &thumb, 1, NULL, 0, &plain, &none), 2);
    assert_int_equal(SqlCryptEncrypt(session, &thumb, 1, NULL, 0, &plain, &small), 2);
    assert_null(strstr(fixture_read(fixture.map), FAKE_HOST "\t"));
    SqlCpData blob = {sizeof bytes, bytes};
    assert_int_equal(SqlCryptExportKey(session, &thumb, NULL, 1, &blob), SQLCP_SUCCESS);
    assert_non_null(strstr(fixture_read(fixture.map), FAKE_HOST "/keys/TdeKey0/v1\n"));
    fixture_stop();
}

#ifndef _WIN32 /* the registry has no lock that one could hold */
/* Somebody else holds the map's lock all the time: the find serves, and is recorded another day. */
static void test_find_serves_while_the_map_is_locked(void **state)
{
    struct thumbprint print;
    char lock_path[112];
    int handle = -1;
    (void)state;
    const struct fake_key *key = fake_add("TdeKey0", "v1", 1);
    fake_thumbprint(key, &print);
    write_entry(FAKE_OTHER, &print, "TdeKey0/v1");
    fixture_configure("call_timeout_ms = 4000");
    fixture_start();
    snprintf(lock_path, sizeof lock_path, "%s.lock", fixture.map);
    assert_int_equal(plat_lock_take(lock_path, UINT64_MAX, NULL, NULL, &handle), PLAT_IO_OK);
    assert_int_equal(discovery_decrypt(key, RSA_OAEP_256, &print), SQLCP_SUCCESS);
    plat_lock_release(&handle);
    assert_non_null(strstr(fixture_read(fixture.log), "found key not recorded"));
    assert_null(strstr(fixture_read(fixture.map), FAKE_HOST "\t"));
    fixture_stop();
}
#endif

static void test_candidate_must_give_the_thumbprint(void **state)
{
    struct thumbprint print;
    (void)state;
    struct fake_key *lost = fake_add("TdeKey0", "v0", 7);
    fake_thumbprint(lost, &print);
    lost->gone = true;
    const struct fake_key *other = fake_add("TdeKey0", "v1", 1);
    write_entry(FAKE_OTHER, &print, "TdeKey0/v1");
    fixture_start();
    assert_int_equal(discovery_decrypt(other, RSA_OAEP_256, &print), SQLCP_NOT_FOUND);
    /* Once as the other vault's entry names it, once as the list does. */
    assert_int_equal(fake_counts.get, 2);
    assert_int_equal(fake_counts.unwrap, 0);
    assert_null(strstr(fixture_read(fixture.map), FAKE_HOST));
    /* Nothing is looked for again within a minute. */
    assert_int_equal(discovery_decrypt(other, RSA_OAEP_256, &print), SQLCP_NOT_FOUND);
    assert_int_equal(fake_counts.get, 2);
    fixture_stop();
}

/* The digest as other tools print it, unreversed. */
static void test_either_byte_order(void **state)
{
    struct thumbprint print, reversed = {.len = 20};
    (void)state;
    const struct fake_key *key = fake_add("TdeKey0", "v1", 1);
    fake_thumbprint(key, &print);
    for (size_t i = 0; i < 20; i++) {
        reversed.bytes[i] = print.bytes[19 - i];
    }
    write_entry(FAKE_OTHER, &reversed, "TdeKey0/v1");
    fixture_start();
    assert_int_equal(discovery_decrypt(key, RSA_OAEP_256, &reversed), SQLCP_SUCCESS);
    fixture_stop();
}

static void test_mapped_key_is_gone(void **state)
{
    struct thumbprint print;
    (void)state;
    struct fake_key *key = fake_add("TdeKey0", "v1", 1);
    fixture_start();
    assert_int_equal(fixture_find("TdeKey0", &print), SQLCP_SUCCESS);
    key->gone = true;
    assert_int_equal(discovery_decrypt(key, RSA_OAEP_256, &print), SQLCP_NOT_FOUND);
    SqlCpData thumb = {20, print.bytes}, plain = {4, cipher_bytes}, out = {256, cipher_bytes};
    assert_int_equal(SqlCryptEncrypt(&fixture.session, &thumb, 1, NULL, 0, &plain, &out), 4);
    /* Restored under another name; an administrator writes it into the map. */
    key->gone = false;
    key->name = "Restored";
    key->version = "v9";
    write_entry(FAKE_HOST, &print, "Restored/v9");
    assert_int_equal(discovery_decrypt(key, RSA_OAEP_256, &print), SQLCP_SUCCESS);
    fixture_stop();
}

static void test_failures_pass_through(void **state)
{
    struct thumbprint print;
    (void)state;
    const struct fake_key *key = fake_add("TdeKey0", "v1", 1);
    fake_thumbprint(key, &print);
    write_entry(FAKE_OTHER, &print, "TdeKey0/v1");
    fixture_start();
    atomic_store(&fake_get_fails, EKM_NO_ANSWER);
    assert_int_equal(discovery_decrypt(key, RSA_OAEP_256, &print), 3107);
    /* A page in the place of the vault's response says nothing about the key: it is not "not
     * found". */
    atomic_store(&fake_get_fails, EKM_KEY_NOT_JSON);
    assert_int_equal(discovery_decrypt(key, RSA_OAEP_256, &print), 3404);
    atomic_store(&fake_get_fails, EKM_NOT_VAULT);
    assert_int_equal(discovery_decrypt(key, RSA_OAEP_256, &print), 5014);
    /* Nor does an answer that makes no sense count as a search in vain. */
    atomic_store(&fake_get_fails, EKM_OTHER_KEY);
    assert_int_equal(discovery_decrypt(key, RSA_OAEP_256, &print), SQLCP_NOT_FOUND);
    atomic_store(&fake_get_fails, EKM_OK);
    assert_int_equal(discovery_decrypt(key, RSA_OAEP_256, &print), SQLCP_SUCCESS);
    fixture_stop();
}

static void test_refusal_is_remembered(void **state)
{
    struct thumbprint print;
    (void)state;
    const struct fake_key *key = fake_add("TdeKey0", "v1", 1);
    fake_thumbprint(key, &print);
    write_entry(FAKE_OTHER, &print, "TdeKey0/v1");
    fixture_start();
    fake_reset_counts();
    atomic_store(&fake_get_fails, EKM_FORBIDDEN);
    assert_int_equal(discovery_decrypt(key, RSA_OAEP_256, &print), SQLCP_NOT_FOUND);
    assert_non_null(strstr(fixture_read(fixture.log), "refuses to show the candidates"));
    assert_int_equal(discovery_decrypt(key, RSA_OAEP_256, &print), SQLCP_NOT_FOUND);
    assert_non_null(strstr(fixture_read(fixture.log),
                           "found nothing less than a minute ago: the vault refuses to show"));
    /* The candidate of the other vault's entry, the newest version, and it again by its name. */
    assert_int_equal(fake_counts.get, 3);
    assert_int_equal(fake_requests(), 5);
    fixture_stop();
}

/* The failure of a candidate is not the result for the host. */
static void test_refused_trial(void **state)
{
    static const enum ekm_rc refusals[] = {EKM_FORBIDDEN, EKM_KEY_DISABLED, EKM_KEY_EXPIRED,
                                           EKM_KEY_OPERATION, EKM_KEY_NOT_FOUND};
    const struct thumbprint print = old_thumbprint();
    (void)state;
    const struct fake_key *key = fake_add(OLD_NAME, "v1", 1);
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        fixture_start();
        atomic_store(&fake_unwrap_fails, refusals[i]);
        assert_int_equal(discovery_decrypt(key, RSA_OAEP, &print), SQLCP_NOT_FOUND);
        fixture_stop();
    }
    fixture_start();
    atomic_store(&fake_unwrap_fails, EKM_NO_ANSWER);
    assert_int_equal(discovery_decrypt(key, RSA_OAEP, &print), 3107);
    /* The same wrapped key is tried once a minute, another one at once. */
    atomic_store(&fake_unwrap_fails, EKM_OK);
    struct fake_key other = *key;
    other.seed = 9;
    fake_reset_counts();
    assert_int_equal(discovery_decrypt(&other, RSA_OAEP, &print), SQLCP_NOT_FOUND);
    unsigned requests = fake_requests();
    assert_int_equal(discovery_decrypt(&other, RSA_OAEP, &print), SQLCP_NOT_FOUND);
    assert_int_equal(fake_requests(), requests);
    assert_int_equal(discovery_decrypt(key, RSA_OAEP, &print), SQLCP_SUCCESS);
    fixture_stop();
}

/* One candidate gone astray: the next is looked at all the same. */
static void test_next_candidate(void **state)
{
    const struct thumbprint print = old_thumbprint();
    (void)state;
    fake_add("LFZ3129213-A", "v1", 2)->disabled = true;
    const struct fake_key *key = fake_add(OLD_NAME, "v1", 1);
    fixture_start();
    assert_int_equal(discovery_decrypt(key, RSA_OAEP, &print), SQLCP_SUCCESS);
    fixture_stop();
}

static void test_old_rule(void **state)
{
    const struct thumbprint print = old_thumbprint();
    SqlCpData thumb = {9, (uint8_t[9]){0x2C, 0x56, 0x77, 0xD7, 0x6F, 0x76, 0xD7, 0x7F, 0x80}};
    SqlCpKeyInfo info = {{0, NULL}, {0, NULL}, 0, 0};
    (void)state;
    struct fake_key *key = fake_add(OLD_NAME, "v1", 1);
    fixture_start();
    /* Without a wrapped key there is no proof. */
    assert_int_equal(SqlCryptGetKeyInfoByThumb(&fixture.session, &thumb, &info), SQLCP_NOT_FOUND);
    /* A success of RSA1_5 proves nothing. */
    fake_implicit_rejection = true;
    assert_int_equal(discovery_decrypt(key, RSA1_5, &print), SQLCP_NOT_FOUND);
    assert_string_equal(fixture_read(fixture.map), "");
    /* A corrupt one must not spoil the next good one. */
    key->seed = 2;
    struct fake_key other = *key;
    other.seed = 3;
    assert_int_equal(discovery_decrypt(&other, RSA_OAEP, &print), SQLCP_NOT_FOUND);
    assert_int_equal(discovery_decrypt(key, RSA_OAEP, &print), SQLCP_SUCCESS);
    assert_non_null(strstr(fixture_read(fixture.map), "\t2C5677D76F76D77F80\t"));
    assert_non_null(strstr(fixture_read(fixture.map), OLD_NAME "/v1\n"));
    fixture_stop();
}

/* The vault was lost and the key rotated since: the entry of the other vault still names the
 * version. */
static void test_old_rule_in_another_vault(void **state)
{
    const struct thumbprint print = old_thumbprint();
    (void)state;
    const struct fake_key *key = fake_add(OLD_NAME, "v1", 1);
    fake_add(OLD_NAME, "v2", 2);
    write_entry(FAKE_OTHER, &print, OLD_NAME "/v1");
    fixture_start();
    assert_int_equal(discovery_decrypt(key, RSA_OAEP, &print), SQLCP_SUCCESS);
    assert_non_null(strstr(fixture_read(fixture.map), FAKE_HOST "/keys/" OLD_NAME "/v1\n"));
    fixture_stop();
}

static void test_keys_of_the_old_thumbprint_rule(void **state)
{
    char names[OLD_RULE_NAMES_MAX][KEY_NAME_MAX + 1];
    struct thumbprint print = old_thumbprint();
    (void)state;
    assert_int_equal(old_rule_names(&print, names), 2);
    assert_string_equal(names[0], "LFZ3129213-A");
    assert_string_equal(names[1], OLD_NAME);
    assert_true(thumbprint_set(&print, (const uint8_t *)"\0\0\0\0\0\0", 6));
    assert_int_equal(old_rule_names(&print, names), 4);
    assert_string_equal(names[3], "AAAAA");
    /* A slash in its base64 is in no name; 20 bytes are never of the old rule. */
    assert_true(thumbprint_set(&print, (const uint8_t *)"\xFF\xFF\xFF", 3));
    assert_int_equal(old_rule_names(&print, names), 0);
    assert_true(thumbprint_set(&print, (const uint8_t *)"01234567890123456789", 20));
    assert_int_equal(old_rule_names(&print, names), 0);
}

/* A line of the map that the rule does not make of the key's name: whoever wrote it, it decides
 * nothing, least of all under which key new data is wrapped. */
static void test_forged_old_rule(void **state)
{
    const struct thumbprint print = old_thumbprint();
    uint8_t bytes[RSA_MAX_BYTES];
    SqlCpData cipher = {sizeof bytes, bytes};
    (void)state;
    fake_add("Attacker", "v1", 1);
    const struct fake_key *key = fake_add(OLD_NAME, "v1", 2);
    write_entry(FAKE_HOST, &print, "Attacker/v1");
    fixture_start();
    fake_reset_counts();
    assert_int_equal(fixture_encrypt(&print, PLAIN, sizeof PLAIN, &cipher), SQLCP_NOT_FOUND);
    assert_int_equal(fake_counts.wrap, 0);
    /* The right key is found again, and takes the line's place. */
    assert_int_equal(discovery_decrypt(key, RSA_OAEP, &print), SQLCP_SUCCESS);
    assert_non_null(strstr(fixture_read(fixture.map), "/keys/" OLD_NAME "/v1\n"));
    assert_null(strstr(fixture_read(fixture.map), "Attacker"));
    fixture_restart();
    assert_int_equal(fixture_encrypt(&print, PLAIN, sizeof PLAIN, &cipher), SQLCP_SUCCESS);
    fixture_stop();
}

/* A key that is refused to one credential may be given to another one, at once. */
static void test_memory_is_of_one_credential(void **state)
{
    struct thumbprint print;
    SqlCpSession former = fixture.session;
    (void)state;
    const struct fake_key *key = fake_add("TdeKey0", "v1", 1);
    fake_thumbprint(key, &print);
    fixture_start();
    atomic_store(&fake_get_fails, EKM_FORBIDDEN);
    atomic_store(&fake_list_fails, EKM_FORBIDDEN);
    assert_int_equal(discovery_decrypt(key, RSA_OAEP_256, &print), SQLCP_NOT_FOUND);
    atomic_store(&fake_get_fails, EKM_OK);
    atomic_store(&fake_list_fails, EKM_OK);
    assert_int_equal(discovery_decrypt(key, RSA_OAEP_256, &print), SQLCP_NOT_FOUND);
    former = fixture.session;
    assert_int_equal(fixture_open("contoso-vault", "99999999222243338444555555555555fake~secret",
                                  &fixture.session),
                     SQLCP_SUCCESS);
    assert_int_equal(discovery_decrypt(key, RSA_OAEP_256, &print), SQLCP_SUCCESS);
    assert_int_equal(SqlCryptCloseSession(&fixture.session, 0), SQLCP_SUCCESS);
    fixture.session = former;
    fixture_stop();
}

#define THREADS 16

static void *decrypt_in_thread(void *argument)
{
    const struct thumbprint *print = argument;
    uint8_t mine[RSA_MAX_BYTES], bytes[RSA_MAX_BYTES];
    fake_wrapped(&fake_keys[0], RSA_OAEP_256, PLAIN, sizeof PLAIN, mine);
    SqlCpData cipher = {256, mine}, plain = {sizeof bytes, bytes};
    SqlCpData thumb = {20, (uint8_t[20]){0}};
    memcpy(thumb.pb, print->bytes, 20);
    intptr_t code = SqlCryptDecrypt(&fixture.session, &thumb, 1, NULL, 0, &cipher, &plain);
    return (void *)code;
}

static void decrypt_in_all(struct thumbprint *print, SqlCpError expected)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, decrypt_in_thread, print), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *code = NULL;
        pthread_join(threads[i], &code);
        assert_int_equal((intptr_t)code, expected);
    }
}

static void test_one_search_for_all(void **state)
{
    struct thumbprint print;
    (void)state;
    fake_thumbprint(fake_add("TdeKey0", "v1", 1), &print);
    write_entry(FAKE_OTHER, &print, "TdeKey0/v1");
    fixture_start();
    fake_reset_counts();
    atomic_store(&fake_delay_ms, 50);
    decrypt_in_all(&print, SQLCP_SUCCESS);
    assert_int_equal(fake_counts.get, 1);
    assert_int_equal(fake_counts.unwrap, THREADS);
    fake_keys[0].gone = true;
    fake_reset_counts();
    decrypt_in_all(&print, SQLCP_NOT_FOUND);
    /* Each learns the 404 by itself; the search is done once, and in vain. */
    assert_int_equal(fake_counts.get, 1);
    fixture_stop();
}

static void test_waiting_ends_with_the_deadline(void **state)
{
    struct thumbprint print;
    pthread_t first;
    void *code = NULL;
    (void)state;
    fake_thumbprint(fake_add("TdeKey0", "v1", 1), &print);
    write_entry(FAKE_OTHER, &print, "TdeKey0/v1");
    fixture_configure("call_timeout_ms = 3000");
    fixture_start();
    atomic_store(&fake_delay_ms, 9000);
    fake_reset_counts();
    assert_int_equal(pthread_create(&first, NULL, decrypt_in_thread, &print), 0);
    while (fake_counts.get == 0) {
        usleep(1000);
    }
    assert_int_equal((intptr_t)decrypt_in_thread(&print), 5001);
    pthread_join(first, &code);
    assert_int_equal((intptr_t)code, 5001);
    fixture_stop();
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_key_restored_in_another_vault),
        CASE(test_size_query_records_nothing),
#ifndef _WIN32
        CASE(test_find_serves_while_the_map_is_locked),
#endif
        CASE(test_candidate_must_give_the_thumbprint),
        CASE(test_either_byte_order),
        CASE(test_mapped_key_is_gone),
        CASE(test_failures_pass_through),
        CASE(test_refusal_is_remembered),
        CASE(test_refused_trial),
        CASE(test_next_candidate),
        CASE(test_old_rule),
        CASE(test_old_rule_in_another_vault),
        CASE(test_keys_of_the_old_thumbprint_rule),
        CASE(test_forged_old_rule),
        CASE(test_memory_is_of_one_credential),
        CASE(test_one_search_for_all),
        CASE(test_waiting_ends_with_the_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
