/*
 * Turns a failed transfer, curl's result and its measurements, into a row of the error table.
 *
 * Rule: specification.md section 6. http_easy.c calls it while the handle is still as the transfer
 * left it.
 */
#ifndef AKVEKM_NET_HTTP_FAILURE_H
#define AKVEKM_NET_HTTP_FAILURE_H

#include "net/http_transfer.h"

/* Sets the error in the call and returns it. EKM_DEADLINE: the call's time, not the try's, ended
 * the transfer. */
enum ekm_rc http_failure(struct call *call, const struct http_easy *easy, CURLcode result);

#endif
