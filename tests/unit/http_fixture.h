/*
 * What the tests of real requests have in common: a configuration for a server of their own.
 *
 * Owns nothing.
 */
#ifndef AKVEKM_TESTS_HTTP_FIXTURE_H
#define AKVEKM_TESTS_HTTP_FIXTURE_H

#include "base/config.h"

/* Trusts this certificate and goes where the one item says, whatever the environment says of
 * proxies. The item stays the caller's. */
void http_fixture_configure(struct config *config, const char *ca_path, char **connect_item);

#endif
