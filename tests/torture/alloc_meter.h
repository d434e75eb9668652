/*
 * Every allocation of the library, of libcurl, of cJSON and of OpenSSL, seen apart: counted, made
 * to fail, and missed when it is not freed.
 *
 * The core's objects come here through the linker's --wrap, the others through the hooks that each
 * offers, so it works under the sanitizers as well. Allocations count while somebody is inside;
 * frees always do. One thread arms and reads, any may allocate.
 */
#ifndef AKVEKM_TORTURE_ALLOC_METER_H
#define AKVEKM_TORTURE_ALLOC_METER_H

#include <stdbool.h>
#include <stddef.h>

#define METER_FRAMES 32

struct meter_stack {
    int count;
    void *frames[METER_FRAMES];
};

enum meter { METER_CORE, METER_CURL, METER_CJSON, METER_OPENSSL, METER_COUNT };

extern const char *const meter_names[METER_COUNT];

/* Before anything else in the program. False: OpenSSL has allocated already. */
bool meter_install(void);
void meter_enter(void);
void meter_leave(void);

/* From now on the `nth` allocation of `meter` fails, the first being 1; with `onwards` every later
 * one, too. */
void meter_arm(enum meter meter, unsigned long nth, bool onwards);
/* Gives how many there were; *failed: how many of them were refused. */
unsigned long meter_disarm(unsigned long *failed);
/* Where the first of them was asked for. */
const struct meter_stack *meter_refused_at(void);

unsigned long meter_live(enum meter meter);
/* From now on records allocations with their stacks, if `stacks`. */
unsigned long meter_mark(bool stacks);
/* Prints the stacks of what was made after `mark` and is still there, each once with its count. */
void meter_print_live(enum meter meter, unsigned long mark);
/* Where one of them was made; NULL: there is none. */
const struct meter_stack *meter_left_at(enum meter meter, unsigned long mark);
/* Innermost first; of OpenSSL's, as far as the function that called it. Functions that their
 * library does not export are named by their offset. */
void meter_describe(const struct meter_stack *stack, char *text, size_t size);

#endif
