/*
 * The parts of the self test: answers and refusals; faults, counts, persistence; identities of
 * machines; Entra; what recordings of the service show.
 *
 * Each test uses the one running vaultsim and leaves it without faults.
 */
#ifndef VAULTSIM_SELFTEST_H
#define VAULTSIM_SELFTEST_H

#define KEY_JSON(rest) "{\"vault\":\"" VAULT "\",\"name\":\"tested\"" rest "}"
#define FORM           "application/x-www-form-urlencoded"
#define HELLO          "aGVsbG8"

#define assert_code(client, expected)                                                              \
    assert_string_equal(client_text(client, "error.code"), expected)
#define assert_inner(client, expected)                                                             \
    assert_string_equal(client_text(client, "error.innererror.code"), expected)
#define assert_says(client, part)                                                                  \
    assert_non_null(strstr(client_text(client, "error.message"), part))

/* Wraps the text "hello" by RSA-OAEP-256 with /keys/<key>; the value is written as JSON body for
 * unwrapkey. */
struct client;
void wrap_hello(struct client *client, const char *key, char *body, unsigned long cap);

/* The tests of the other files, in the order they run. clang-format would move the lines at every
 * run. */
/* clang-format off */
#define SELFTESTS(X) \
    X(attributes) X(roles) X(deletion) X(hsm) X(paging) X(filler) X(faults) X(cuts) \
    X(odds) X(gone) X(hang_ends) X(counts) X(parallel) X(leaks) X(throttle) X(restore) \
    X(import) X(restart) X(imds) X(imds_header) X(imds_identities) X(machine_faults) \
    X(arc) X(app_service) X(assertions) X(federation) X(secretless) X(applications) \
    X(documents) X(hsm_shapes) X(hsm_lists) X(tags) X(life) X(policy) X(empty_pages) \
    X(claims) X(service_faults) X(refusals) X(clock)
/* clang-format on */
#define SELFTEST_DECLARE(name) void test_##name(void **state);
SELFTESTS(SELFTEST_DECLARE)

#endif
