/*
 * The parts of the self test: answers and refusals; faults, counts, persistence; identities of
 * machines; Entra; what recordings of the service show.
 *
 * Each test uses the one running vaultsim and leaves it without faults.
 */
#ifndef VAULTSIM_SELFTEST_H
#define VAULTSIM_SELFTEST_H

/* Wraps the text "hello" by RSA-OAEP-256 with /keys/<key>; the value is written as JSON body for
 * unwrapkey. */
struct client;
void wrap_hello(struct client *client, const char *key, char *body, unsigned long cap);

void test_faults(void **state);
void test_cuts(void **state);
void test_odds(void **state);
void test_gone(void **state);
void test_hang_ends(void **state);
void test_counts(void **state);
void test_parallel(void **state);
void test_leaks(void **state);
void test_throttle(void **state);
void test_restore(void **state);
void test_import(void **state);
void test_restart(void **state);

void test_imds(void **state);
void test_imds_header(void **state);
void test_imds_identities(void **state);
void test_machine_faults(void **state);
void test_arc(void **state);
void test_app_service(void **state);

void test_assertions(void **state);
void test_federation(void **state);
void test_secretless(void **state);
void test_applications(void **state);
void test_documents(void **state);

void test_hsm_shapes(void **state);
void test_hsm_lists(void **state);
void test_tags(void **state);
void test_life(void **state);
void test_policy(void **state);
void test_empty_pages(void **state);
void test_claims(void **state);
void test_service_faults(void **state);
void test_refusals(void **state);
void test_clock(void **state);

#endif
