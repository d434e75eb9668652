/*
 * Refusals of Entra: the JSON body with the AADSTS number.
 *
 * Any thread; keeps nothing.
 */
#ifndef VAULTSIM_ENTRA_ERROR_H
#define VAULTSIM_ENTRA_ERROR_H

#include "answer.h"
#include "request.h"

/* The usual status and error word of a number. */
enum entra_word {
    ENTRA_INVALID_REQUEST,     /* 400 invalid_request */
    ENTRA_INVALID_CLIENT,      /* 401 invalid_client */
    ENTRA_UNAUTHORIZED_CLIENT, /* 400 unauthorized_client */
    ENTRA_INVALID_SCOPE,       /* 400 invalid_scope */
    ENTRA_INVALID_RESOURCE,    /* 400 invalid_resource */
    ENTRA_UNSUPPORTED_GRANT,   /* 400 unsupported_grant_type */
};

/* Texts may name what the caller sent, except secrets. */
void entra_refuse(const struct request *request, struct answer *answer, enum entra_word word,
                  int number, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The same with status and error word chosen by a fault; suberror and claims may be NULL. */
struct entra_fault {
    unsigned status;
    int number;
    const char *error, *text, *suberror, *claims;
};
void entra_refuse_by(const struct request *request, struct answer *answer,
                     const struct entra_fault *fault);

#endif
