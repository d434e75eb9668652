/*
 * What each CURLcode means for a transfer of ours, also those of libcurls newer than the headers.
 *
 * Pure functions. Called by http_failure.c, which decides the few that depend on how far the
 * transfer came.
 */
#ifndef AKVEKM_NET_CURL_RESULT_H
#define AKVEKM_NET_CURL_RESULT_H

#include "base/err.h"

/* For any number but 0. One that this library does not know counts as a broken connection, which is
 * repeated: a newer libcurl has more names for failures of the network than for faults of its
 * caller. */
enum ekm_rc curl_result_meaning(int result);
/* CURLE_PROXY by its detail, CURLINFO_PROXY_ERROR: whether the proxy refuses, or fails for now. */
enum ekm_rc curl_result_proxy(long detail);

#endif
