/*
 * The forms of signing in that need more than a secret: what each needs at vaultsim, in files and
 * in the environment. One thread.
 */
#ifndef AKVEKM_TORTURE_FORMS_H
#define AKVEKM_TORTURE_FORMS_H

#include "harness.h"

/* In the order of form_choose. */
#define FORM_COUNT 8
extern const char *const form_names[FORM_COUNT];

/* Certificates, clients and federated token at a vaultsim that runs, and their settings. */
void forms_prepare(const struct sim *sim);
/* Makes the environment that of the form; gives its SECRET. */
const char *form_choose(const struct sim *sim, unsigned form);

#endif
