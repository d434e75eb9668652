/*
 * himds, the agent of an Arc-enabled server: tokens for every process that may read its key files.
 *
 * Call arc_open once at the start; afterwards any thread. Each challenge makes a key file of its
 * own, which is deleted once it was used; arc_close deletes the others.
 */
#ifndef VAULTSIM_ARC_H
#define VAULTSIM_ARC_H

#include "answer.h"
#include "request.h"

/* folder: where the files are written. realm: the name of the folder in challenges; NULL: the same.
 * Both must stay valid for the life of the process. */
void arc_open(const char *folder, const char *realm);
void arc_close(void);
void arc_serve(const struct request *request, struct answer *answer);
/* {"error":{"code","message"}} */
void arc_refuse(struct answer *answer, unsigned status, const char *code, const char *text);

#endif
