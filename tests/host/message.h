/*
 * The engine's errors and notices: number, severity, state, text.
 *
 * Owns the table of templates, in our own words and close to the short ones of ekm-abi.md section
 * 7, and the texts about the codes of a provider. A failure is set once, by the function that
 * detects it. No state, any thread.
 */
#ifndef EKMHOST_MESSAGE_H
#define EKMHOST_MESSAGE_H

#include <stdarg.h>
#include <stdbool.h>

struct failure {
    int number, severity, state;
    bool ends_batch;   /* SQL Server ends the batch, not only the statement */
    int provider_code; /* of the call that caused it; -1 if none */
    char text[1024];
    char notice[300]; /* of severity 10, printed first; "" for none */
};

/* Always false, so that a caller can `return failure_set(...)`. `state` 0 means the state of the
 * table. The arguments are those of the template. */
bool failure_set(struct failure *failure, int number, int state, ...);
bool failure_set_list(struct failure *failure, int number, int state, va_list arguments);
/* For the templates that end in a provider's code: adds the code with its explanation. */
bool failure_set_provider(struct failure *failure, int number, int code, ...);

/* The number under which an engine of this year prints a message. From 2025 on, messages that end
 * in a provider's code have second numbers. */
int message_number(int number, int engine);

/* The engine's explanation of a provider's code: a value of SqlCpError, or that the vendor must be
 * asked. */
const char *message_provider_text(int code);

#endif
