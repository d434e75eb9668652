/*
 * What went wrong in a transfer: curl's result and measurements to the table of errors.
 *
 * Rule: specification.md section 6. Called by http_easy.c with the handle still as the transfer
 * left it.
 */
#ifndef AKVEKM_NET_HTTP_FAILURE_H
#define AKVEKM_NET_HTTP_FAILURE_H

#include "net/http_easy.h"

/* Sets the error in the call and returns it. EKM_DEADLINE: the call's time, not the try's, cut the
 * transfer off. */
enum ekm_rc http_failure(struct call *call, const struct http_easy *easy, CURLcode result);

#endif
