/*
 * Sends a response, unchanged or as a fault says, or ends the connection instead.
 *
 * Belongs to the thread of the connection.
 */
#ifndef VAULTSIM_SEND_H
#define VAULTSIM_SEND_H

#include "answer.h"
#include "faults.h"
#include "request.h"

#define HANG_MAX_MS 120000

int send_socket(const struct request *request);
/* Ends the TCP connection at once, without an answer and without TLS's good-bye. */
enum MHD_Result send_cut(const struct request *request);
enum MHD_Result send_answer(const struct request *request, const struct fault_plan *plan,
                            struct answer *answer);

#endif
