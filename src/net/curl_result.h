/*
 * What each CURLcode means for a transfer, also for libcurls newer than the headers.
 *
 * Pure functions. http_failure.c calls them and decides the few codes that depend on how far the
 * transfer came.
 */
#ifndef AKVEKM_NET_CURL_RESULT_H
#define AKVEKM_NET_CURL_RESULT_H

#include "base/err.h"

/* For any number except 0. An unknown one counts as a broken connection and is retried, because a
 * newer libcurl has more codes for network failures than for errors of its caller. */
enum ekm_rc curl_result_meaning(int result);
/* CURLE_PROXY, by its detail CURLINFO_PROXY_ERROR: whether the proxy refuses, or fails for now. */
enum ekm_rc curl_result_proxy(long detail);

#endif
