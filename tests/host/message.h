/*
 * The engine's errors and notices: number, severity, state, text.
 *
 * Owns the table of templates, worded by ourselves and close to the short ones of ekm-abi.md
 * section 7; the codes a provider returns and what is said about them. A failure is an error on its
 * way up: set once, where it is known. No state, any thread.
 */
#ifndef EKMHOST_MESSAGE_H
#define EKMHOST_MESSAGE_H

#include <stdarg.h>
#include <stdbool.h>

struct failure {
    int number, severity, state;
    bool ends_batch;   /* SQL Server gives the batch up, not only the statement */
    int provider_code; /* of the call behind it; -1 if none */
    char text[1024];
    char notice[300]; /* of severity 10, said first; "" for none */
};

/* Always false, so that `return failure_set(...)` reads well. `state` 0 takes the table's. The
 * arguments are those of the template. */
bool failure_set(struct failure *failure, int number, int state, ...);
bool failure_set_list(struct failure *failure, int number, int state, va_list arguments);
/* For the templates that end in a provider's code: it is put last, with its explanation. */
bool failure_set_provider(struct failure *failure, int number, int code, ...);

/* The number under which an engine of this year prints a message: from 2025 on those that end in a
 * provider's code have twins. */
int message_number(int number, int engine);

/* What the engine says of a provider's code: one of SqlCpError, or that the vendor must be asked.
 */
const char *message_provider_text(int code);

#endif
