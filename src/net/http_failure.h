/*
 * Turns the failure of a transfer into a row of the error table. It uses curl's result and curl's
 * measurements.
 *
 * Rule: specification.md section 6. http_easy.c calls it right after the transfer, before it
 * changes the handle.
 */
#ifndef AKVEKM_NET_HTTP_FAILURE_H
#define AKVEKM_NET_HTTP_FAILURE_H

#include "net/http_transfer.h"

/* Sets the error in the call and returns it. EKM_DEADLINE: the call's deadline ended the transfer,
 * not the time limit of the try. */
enum ekm_rc http_failure(struct call *call, const struct http_easy *easy, CURLcode result);

#endif
