// wrap: plat_now_ms plat_unix_time_ms plat_cond_wait_until
// with: fake_clock.c
/* When an answer is late, and whether its request may be sent once more: the estimate of each host,
 * the budget, and connections that died together (specification.md section 7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text.h"
#include "fake_clock.h"
#include "net/hedge.h"

#define HOST  "a.vault.azure.net"
#define OTHER "b.vault.azure.net"
#define BURST 5 /* what may be saved */

static int set_up(void **state)
{
    (void)state;
    fake_clock_reset();
    throttle_reset();
    hedge_reset();
    return 0;
}

/* One request over a kept connection that was answered after so long. */
static void hedge_answered(const char *host, uint64_t took_ms, long status)
{
    struct hedge_response answer = {
        .posted = true, .kept = true, .status = status, .sent_ms = plat_now_ms()};
    fake_clock_advance(took_ms);
    answer.now_ms = plat_now_ms();
    hedge_note_response(host, &answer);
}

static void answered_often(unsigned times, uint64_t took_ms)
{
    for (unsigned i = 0; i < times; i++) {
        hedge_answered(HOST, took_ms, 200);
    }
}

static uint64_t patience_ms(enum hedge_wait wait, bool idle)
{
    bool known;
    return hedge_patience_ms(HOST, wait, idle, &known);
}

static bool hedge_allowed(bool kept, uint64_t proven_ms)
{
    struct throttle_pass pass;
    const struct hedge_late late = {.kept = kept, .proven_ms = proven_ms, .now_ms = plat_now_ms()};
    return hedge_allow(HOST, &late, &pass);
}

static void test_hedge_won(bool silent, uint64_t sent_ms, uint64_t asked_ms)
{
    const struct hedge_win win = {
        .silent = silent, .sent_ms = sent_ms, .asked_ms = asked_ms, .now_ms = plat_now_ms()};
    hedge_note_win(HOST, &win);
}

static void an_unknown_host_has_time(void **state)
{
    bool known = true;
    (void)state;
    assert_int_equal(hedge_patience_ms(HOST, HEDGE_GET, false, &known), 1000);
    assert_false(known);
    answered_often(3, 200);
    assert_int_equal(patience_ms(HEDGE_POST, false), 600);
    assert_int_equal(patience_ms(HEDGE_POST, true), 300);
    assert_int_equal(patience_ms(HEDGE_GET, false), 1000);
    answered_often(20, 200);
    assert_in_range(hedge_patience_ms(HOST, HEDGE_POST, false, &known), 300, 400);
    assert_true(known);
    assert_int_equal(hedge_patience_ms(OTHER, HEDGE_POST, false, &known), 1000);
}

static void nothing_is_late_within_the_floor(void **state)
{
    (void)state;
    answered_often(100, 1);
    assert_int_equal(patience_ms(HEDGE_POST, false), 50);
    assert_int_equal(patience_ms(HEDGE_POST, true), 30);
}

/* A handshake takes several round trips and processor time, so its limit is higher than that of a
 * response. */
static void a_new_connection_has_more_time(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        struct hedge_response answer = {.posted = true,
                                        .status = 200,
                                        .opened_ms = plat_now_ms(),
                                        .sent_ms = plat_now_ms() + 60,
                                        .now_ms = plat_now_ms() + 80};
        hedge_note_response(HOST, &answer);
    }
    assert_in_range(patience_ms(HEDGE_POST, false), 50, 60);
    assert_int_equal(patience_ms(HEDGE_CONNECT, false), 250);
}

/* `late` of each hundred requests are late at once; of those that were sent twice `of_use` in a
 * hundred were faster. Gives how many were. */
static unsigned sent_twice(unsigned requests, unsigned late, unsigned of_use)
{
    unsigned twice = 0;
    for (unsigned i = 0; i < requests; i++) {
        if (i % 100 < late && hedge_allowed(true, plat_now_ms())) {
            twice++;
            if (twice % 100 < of_use) {
                test_hedge_won(false, plat_now_ms(), plat_now_ms());
            }
        }
        hedge_answered(HOST, 20, 200);
    }
    return twice;
}

static void where_it_does_not_help_it_is_two_in_a_hundred(void **state)
{
    (void)state;
    assert_in_range(sent_twice(1000, 100, 0), 15, 20 + BURST);
}

static void where_it_helps_it_is_ten_in_a_hundred(void **state)
{
    (void)state;
    assert_in_range(sent_twice(1000, 100, 100), 80, 100 + BURST);
}

/* The purpose of the budget: every late request is sent twice. */
static void a_few_late_ones_are_all_sent_twice(void **state)
{
    (void)state;
    assert_int_equal(sent_twice(1000, 2, 100), 20);
}

static void nothing_is_saved_for_long(void **state)
{
    unsigned twice = 0;
    (void)state;
    answered_often(10000, 20);
    while (hedge_allowed(true, plat_now_ms())) {
        twice++;
    }
    assert_int_equal(twice, BURST);
}

static void a_host_that_throttles_is_left_alone(void **state)
{
    struct throttle_pass pass;
    (void)state;
    answered_often(100, 20);
    hedge_answered(HOST, 20, 429);
    assert_false(hedge_allowed(true, plat_now_ms()));
    fake_clock_advance(29000);
    assert_false(hedge_allowed(true, plat_now_ms()));
    fake_clock_advance(2000);
    assert_true(hedge_allowed(true, plat_now_ms()));
    /* And for as long as it asked for. */
    assert_true(throttle_try_acquire(HOST, &pass));
    throttle_release(HOST, &pass, THROTTLE_REFUSED, 60000);
    fake_clock_advance(50000);
    assert_false(hedge_allowed(true, plat_now_ms()));
}

/* 64 connections died in silence: two were found dead, the others need no budget. */
static void connections_that_died_together(void **state)
{
    (void)state;
    answered_often(100, 20);
    uint64_t proven_ms = plat_now_ms(), sent_ms = proven_ms + 1;
    fake_clock_advance(61);
    unsigned by_budget = 0;
    while (hedge_allowed(true, proven_ms)) {
        by_budget++;
    }
    assert_int_equal(by_budget, BURST);
    assert_false(hedge_suspects(HOST, proven_ms));
    test_hedge_won(true, sent_ms, plat_now_ms());
    assert_true(hedge_suspects(HOST, proven_ms));
    assert_false(hedge_suspects(OTHER, proven_ms));
    assert_false(hedge_suspects(HOST, 0)); /* no connection yet */
    test_hedge_won(true, sent_ms, plat_now_ms());
    for (int i = 0; i < 59; i++) {
        assert_true(hedge_allowed(true, proven_ms));
    }
    while (hedge_allowed(true, plat_now_ms())) { /* what is in order has the budget alone */
    }
    assert_true(hedge_allowed(true, proven_ms));
    assert_false(hedge_allowed(false, proven_ms)); /* a new one is late for another reason */
    fake_clock_advance(20000);
    assert_false(hedge_allowed(true, proven_ms));
}

/* Another kept connection answered what was sent later: this one was late, and no more. */
static void a_late_answer_is_no_death(void **state)
{
    (void)state;
    answered_often(100, 20);
    uint64_t sent_ms = plat_now_ms();
    fake_clock_advance(10);
    hedge_answered(HOST, 20, 200);
    test_hedge_won(true, sent_ms, plat_now_ms());
    test_hedge_won(true, sent_ms, plat_now_ms());
    assert_false(hedge_suspects(HOST, sent_ms - 1));
}

/* A connection that replaced a dead one says nothing about the others. */
static void a_young_connection_is_no_sign_of_life(void **state)
{
    (void)state;
    answered_often(100, 20);
    uint64_t proven_ms = plat_now_ms(), sent_ms = proven_ms + 1;
    fake_clock_advance(100);
    struct hedge_response answer = {.posted = true,
                                    .kept = true,
                                    .status = 200,
                                    .opened_ms = plat_now_ms(),
                                    .sent_ms = plat_now_ms() + 200,
                                    .now_ms = plat_now_ms() + 220};
    hedge_note_response(HOST, &answer);
    fake_clock_advance(250);
    test_hedge_won(true, sent_ms, plat_now_ms());
    assert_true(hedge_suspects(HOST, proven_ms));
}

/* Two were found dead. Gives when all of them were last in order. */
static uint64_t hedge_two_died(void)
{
    answered_often(100, 20);
    uint64_t proven_ms = plat_now_ms();
    fake_clock_advance(61);
    while (hedge_allowed(true, proven_ms)) {
    }
    test_hedge_won(true, proven_ms + 1, plat_now_ms());
    test_hedge_won(true, proven_ms + 1, plat_now_ms());
    assert_true(hedge_allowed(true, proven_ms));
    return proven_ms;
}

/* A vault of which many answers are late looks like dead connections, until one of those answers.
 */
static void a_suspect_that_answers_ends_the_suspicion(void **state)
{
    (void)state;
    uint64_t proven_ms = hedge_two_died();
    fake_clock_advance(3000);
    const struct hedge_response answer = {.posted = true,
                                          .kept = true,
                                          .status = 200,
                                          .sent_ms = proven_ms + 2,
                                          .now_ms = plat_now_ms()};
    hedge_note_response(HOST, &answer);
    while (hedge_allowed(true, plat_now_ms())) {
    }
    assert_false(hedge_allowed(true, proven_ms));
}

/* Beyond the budget, not beside it: of those who asked without it, later ones pay. */
static void what_needs_no_budget_is_paid_later(void **state)
{
    (void)state;
    uint64_t proven_ms = hedge_two_died();
    for (int i = 0; i < 59; i++) {
        assert_true(hedge_allowed(true, proven_ms));
    }
    fake_clock_advance(20000);
    answered_often(550, 20);
    assert_false(hedge_allowed(true, plat_now_ms()));
    answered_often(3000, 20);
    assert_true(hedge_allowed(true, plat_now_ms()));
}

/* Where answers are late all the time, each would make others suspect: what is asked beyond the
 * budget is paid before more is. */
static void no_suspicion_follows_another(void **state)
{
    (void)state;
    uint64_t proven_ms = hedge_two_died(), later_ms = plat_now_ms() + 100;
    for (int i = 0; i < 10; i++) {
        assert_true(hedge_allowed(true, proven_ms));
    }
    fake_clock_advance(1000);
    test_hedge_won(true, later_ms, plat_now_ms());
    test_hedge_won(true, later_ms, plat_now_ms());
    assert_false(hedge_suspects(HOST, later_ms));
    assert_false(hedge_allowed(true, later_ms));
    answered_often(200, 20);
    uint64_t last_ms = plat_now_ms();
    fake_clock_advance(50);
    test_hedge_won(true, last_ms + 1, plat_now_ms());
    assert_true(hedge_suspects(HOST, last_ms));
}

/* The table has room for so many; a host that was not asked for long makes room for another. */
static void many_hosts(void **state)
{
    char name[64];
    (void)state;
    answered_often(20, 20);
    for (unsigned i = 0; i < 63; i++) {
        (void)text_format(name, sizeof name, "v%u.vault.azure.net", i);
        hedge_answered(name, 1, 200);
    }
    assert_int_not_equal(patience_ms(HEDGE_POST, false), 1000);
    hedge_answered("one-more.vault.azure.net", 1, 200);
    assert_int_equal(patience_ms(HEDGE_POST, false), 1000);
    assert_int_equal(hedge_patience_ms("v5.vault.azure.net", HEDGE_POST, false, &(bool){false}),
                     500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_unknown_host_has_time, set_up),
        cmocka_unit_test_setup(nothing_is_late_within_the_floor, set_up),
        cmocka_unit_test_setup(a_new_connection_has_more_time, set_up),
        cmocka_unit_test_setup(where_it_does_not_help_it_is_two_in_a_hundred, set_up),
        cmocka_unit_test_setup(where_it_helps_it_is_ten_in_a_hundred, set_up),
        cmocka_unit_test_setup(a_few_late_ones_are_all_sent_twice, set_up),
        cmocka_unit_test_setup(nothing_is_saved_for_long, set_up),
        cmocka_unit_test_setup(a_host_that_throttles_is_left_alone, set_up),
        cmocka_unit_test_setup(connections_that_died_together, set_up),
        cmocka_unit_test_setup(a_late_answer_is_no_death, set_up),
        cmocka_unit_test_setup(a_young_connection_is_no_sign_of_life, set_up),
        cmocka_unit_test_setup(a_suspect_that_answers_ends_the_suspicion, set_up),
        cmocka_unit_test_setup(what_needs_no_budget_is_paid_later, set_up),
        cmocka_unit_test_setup(no_suspicion_follows_another, set_up),
        cmocka_unit_test_setup(many_hosts, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
