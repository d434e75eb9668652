/*
 * The fixture of http_fixture.h with a second certificate: the server has the right one, and
 * `ca_file` can name either. POSIX alone, because it links files.
 */
#ifndef AKVEKM_UNIT_TWO_CERTIFICATES_H
#define AKVEKM_UNIT_TWO_CERTIFICATES_H

extern char right_certificate[128], wrong_certificate[128]; /* paths in the fixture's folder */

/* Around all tests of a program, in place of http_fixture_start and http_fixture_stop. */
int two_certificates_start(void **state);
int two_certificates_stop(void **state);

/* Puts another file under the name in `ca_file`, as an administrator replaces it. */
void two_certificates_trust(const char *path);

#endif
