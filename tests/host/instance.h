/*
 * One running instance: catalog, errorlog, loaded providers, open databases, options.
 *
 * instance_start makes it; if the folder was used before, this is a restart. Any thread may use the
 * errorlog and the loaded providers. Everything else belongs to the thread that runs the scripts,
 * except while recovery threads read.
 */
#ifndef EKMHOST_INSTANCE_H
#define EKMHOST_INSTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "catalog.h"
#include "message.h"
#include "platform.h"

struct open_database;
struct loaded_provider;

struct options {
    const char *folder;
    const char *login;
    const char *engine_tags; /* comma-separated algorithm tags the engine knows */
    bool trace, report;
    int sessions;      /* threads of recovery and storm */
    const char *storm; /* NULL: none */
    int timeout_s;
    int engine;          /* the year of SQL Server's version */
    bool outage_network; /* codes of an unreachable vault count as a network outage */
    bool no_log_access;  /* trace flag 15025 */
    bool reload;         /* libraries are unloaded between statements */
};

struct instance {
    struct options options;
    char *folder; /* absolute; options.folder points to it */
    struct catalog catalog;
    FILE *errorlog;
    struct platform_mutex *errorlog_lock;
    struct loaded_provider *providers; /* list, see access.c */
    struct platform_mutex *providers_lock;
    struct open_database *databases; /* list, see engine.c */
    int next_spid;
    bool shut_down; /* by the SHUTDOWN statement */
    int statements, errors;
};

bool instance_start(struct instance *instance, const struct options *options);
void instance_stop(struct instance *instance);

void instance_log(struct instance *instance, const char *format, ...) PLATFORM_PRINTF(2, 3);
/* A message of severity 10, as the errorlog has it. */
void instance_log_message(struct instance *instance, int number, ...);
void instance_log_failure(struct instance *instance, const char *database,
                          const struct failure *failure);

#endif
