/* The handle table: stale and forged handles, many sessions, users who outlive the close. */
#include "provider/session.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct vault vault;

static SqlCpSession test_session_add(void)
{
    SqlCpSession handle = NULL;
    assert_int_equal(session_add(&vault, &handle), EKM_OK);
    assert_non_null(handle);
    return handle;
}

static int tear_down(void **state)
{
    (void)state;
    session_close_all();
    return 0;
}

static void test_open_use_close(void **state)
{
    (void)state;
    SqlCpSession handle = test_session_add();
    struct session *session = session_get(&handle);
    assert_non_null(session);
    assert_int_equal(session_close(&handle, false), EKM_OK);
    assert_null(session_get(&handle));
    assert_int_equal(session_close(&handle, false), EKM_INVALID_ARGUMENT);
    /* Still ours, and not aborted. */
    assert_false(atomic_load(&session->aborted));
    session_put(session);
}

static void test_abort_reaches_the_user(void **state)
{
    (void)state;
    SqlCpSession handle = test_session_add();
    struct session *session = session_get(&handle);
    assert_int_equal(session_close(&handle, true), EKM_OK);
    assert_true(atomic_load(&session->aborted));
    session_put(session);
    SqlCpSession first = test_session_add(), second = test_session_add();
    struct session *one = session_get(&first), *two = session_get(&second);
    session_abort_all();
    assert_true(atomic_load(&one->aborted) && atomic_load(&two->aborted));
    session_put(one);
    session_put(two);
}

static void test_stale_handle_of_a_reused_slot(void **state)
{
    (void)state;
    SqlCpSession old = test_session_add();
    assert_int_equal(session_close(&old, false), EKM_OK);
    SqlCpSession new = test_session_add();
    assert_ptr_not_equal(old, new);
    assert_null(session_get(&old));
    assert_int_equal(session_close(&old, false), EKM_INVALID_ARGUMENT);
    session_close_all();
    SqlCpSession newer = test_session_add();
    assert_ptr_not_equal(new, newer);
    assert_null(session_get(&new));
}

static void test_forged_handles(void **state)
{
    static const uint64_t values[] = {0, 1, 0xFFFF, 0x10000, 0x1FFFF, UINT64_MAX, 0x7F0000001000};
    (void)state;
    SqlCpSession real = test_session_add();
    uint64_t real_value = (uint64_t)(uintptr_t)real;
    assert_null(session_get(NULL));
    assert_int_equal(session_close(NULL, true), EKM_INVALID_ARGUMENT);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        SqlCpSession handle;
        memcpy(&handle, &values[i], sizeof handle);
        if (values[i] != real_value) {
            assert_null(session_get(&handle));
            assert_int_equal(session_close(&handle, true), EKM_INVALID_ARGUMENT);
        }
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t value = real_value ^ (uint64_t)1 << bit;
        SqlCpSession handle;
        memcpy(&handle, &value, sizeof handle);
        assert_null(session_get(&handle));
    }
    struct session *session = session_get(&real);
    assert_non_null(session);
    session_put(session);
}

static void test_many(void **state)
{
    static SqlCpSession handles[SESSION_MAX];
    SqlCpSession one_more = NULL;
    (void)state;
    for (size_t i = 0; i < SESSION_MAX; i++) {
        handles[i] = test_session_add();
    }
    assert_int_equal(session_add(&vault, &one_more), EKM_SESSIONS_FULL);
    assert_int_equal(ekm_code(EKM_SESSIONS_FULL), 5015);
    assert_null(one_more);
    for (size_t i = 0; i < SESSION_MAX; i += 1000) {
        struct session *session = session_get(&handles[i]);
        assert_non_null(session);
        session_put(session);
    }
    assert_int_equal(session_close(&handles[4711], false), EKM_OK);
    one_more = test_session_add();
    assert_ptr_not_equal(one_more, handles[4711]);
    for (size_t i = 0; i < SESSION_MAX; i++) {
        assert_int_equal(session_close(&handles[i], false),
                         i == 4711 ? EKM_INVALID_ARGUMENT : EKM_OK);
    }
}

#define THREADS 16

static void *session_churn(void *argument)
{
    atomic_int *wrong = argument;
    for (int i = 0; i < 2000; i++) {
        SqlCpSession handle = NULL;
        if (session_add(&vault, &handle) != EKM_OK) {
            atomic_fetch_add(wrong, 1);
            continue;
        }
        struct session *session = session_get(&handle);
        bool closed = session_close(&handle, i % 2 == 0) == EKM_OK;
        bool gone = session_get(&handle) == NULL;
        bool right =
            session != NULL && closed && gone && atomic_load(&session->aborted) == (i % 2 == 0);
        atomic_fetch_add(wrong, right ? 0 : 1);
        session_put(session);
    }
    return NULL;
}

static void test_threads(void **state)
{
    pthread_t threads[THREADS];
    atomic_int wrong;
    (void)state;
    atomic_init(&wrong, 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, session_churn, &wrong), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&wrong), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_open_use_close, tear_down),
        cmocka_unit_test_teardown(test_abort_reaches_the_user, tear_down),
        cmocka_unit_test_teardown(test_stale_handle_of_a_reused_slot, tear_down),
        cmocka_unit_test_teardown(test_forged_handles, tear_down),
        cmocka_unit_test_teardown(test_many, tear_down),
        cmocka_unit_test_teardown(test_threads, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
