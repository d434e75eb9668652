/* Options, and the start and end of the instance around the scripts. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "database.h"
#include "memory.h"
#include "platform.h"
#include "provider_conformance.h"
#include "record.h"
#include "report.h"
#include "script.h"
#include "storm.h"

static const char usage[] =
    "usage: ekmhost --data DIR [options] [SCRIPT.sql ...]\n"
    "\n"
    "Stands in for SQL Server to test a cryptographic provider library (EKM). Runs T-SQL scripts,\n"
    "loads the library that they name, and keeps a catalog and encrypted databases in DIR. Each\n"
    "run is a restart of the instance; each script is one connection. Without a script it reads\n"
    "T-SQL from standard input.\n"
    "\n"
    "  --data DIR            folder of the instance; created if it does not exist\n"
    "  --login NAME          the connection's login (default CONTOSO\\dba)\n"
    "  --trace               one line on stderr for each call of the provider\n"
    "  --sessions N          databases recovered at the same time (default 8)\n"
    "  --engine-tags LIST    algorithm tags the engine knows\n"
    "                        (default RSA_512,RSA_1024,RSA_2048,RSA_3072,RSA_4096)\n"
    "  --make-databases N:K  before the scripts: N databases storm1..stormN, encrypted under the\n"
    "                        server asymmetric key K\n"
    "  --storm KIND:S        before the scripts, for S seconds: `recover` closes and recovers all\n"
    "                        databases again and again, `write` writes to them\n"
    "  --engine YEAR         2025: messages with their new numbers, compatibility level 170\n"
    "  --outage-codes none|network\n"
    "                        whether codes of an unreachable vault count as an outage, in which a\n"
    "                        running database goes on with the key in memory (default network)\n"
    "  --trace-flag 15025    no access to the provider at new log segments\n"
    "  --reload              unload idle libraries after each statement\n"
    "  --record FILE         let the library record all calls (its setting trace_file)\n"
    "  --as FILE             behave as a recording showed, where it contradicts an assumption\n"
    "  --report              at the end: databases by state, how many recoveries and statements\n"
    "                        there were and the longest time one took\n"
    "  --timeout-s N         give up after so many seconds (default: never)\n"
    "  --help, --version\n"
    "\n"
    "In scripts, $(NAME) is replaced from the environment, as sqlcmd does.\n"
    "Exit: 0 no error, 1 at least one message of severity 11 or more, 2 bad usage,\n"
    "3 the instance could not start.\n";

enum {
    OPT_DATA = 1,
    OPT_LOGIN,
    OPT_TRACE,
    OPT_SESSIONS,
    OPT_TAGS,
    OPT_MAKE,
    OPT_STORM,
    OPT_REPORT,
    OPT_ENGINE,
    OPT_OUTAGE,
    OPT_TRACE_FLAG,
    OPT_RELOAD,
    OPT_RECORD,
    OPT_AS,
    OPT_TIMEOUT,
    OPT_HELP,
    OPT_VERSION
};

static const struct option long_options[] = {
    {"data", required_argument, NULL, OPT_DATA},
    {"login", required_argument, NULL, OPT_LOGIN},
    {"trace", no_argument, NULL, OPT_TRACE},
    {"sessions", required_argument, NULL, OPT_SESSIONS},
    {"engine-tags", required_argument, NULL, OPT_TAGS},
    {"make-databases", required_argument, NULL, OPT_MAKE},
    {"storm", required_argument, NULL, OPT_STORM},
    {"report", no_argument, NULL, OPT_REPORT},
    {"engine", required_argument, NULL, OPT_ENGINE},
    {"outage-codes", required_argument, NULL, OPT_OUTAGE},
    {"trace-flag", required_argument, NULL, OPT_TRACE_FLAG},
    {"reload", no_argument, NULL, OPT_RELOAD},
    {"record", required_argument, NULL, OPT_RECORD},
    {"as", required_argument, NULL, OPT_AS},
    {"timeout-s", required_argument, NULL, OPT_TIMEOUT},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0}};

struct command {
    struct options options;
    const char *make;        /* N:KEY */
    const char *record, *as; /* files; NULL: none */
    int exit_now;            /* -1: go on */
};

static int bad_usage(const char *what)
{
    fprintf(stderr, "ekmhost: %s\n%s", what, usage);
    return 2;
}

/* The options that choose the SQL Server to imitate. */
static int take_engine_option(struct command *command, int option)
{
    switch (option) {
    case OPT_ENGINE:
        command->options.engine = atoi(optarg);
        return command->options.engine >= 2016 ? -1 : bad_usage("--engine takes a year from 2016");
    case OPT_OUTAGE:
        command->options.outage_network = strcmp(optarg, "network") == 0;
        return command->options.outage_network || strcmp(optarg, "none") == 0
                   ? -1
                   : bad_usage("--outage-codes takes none or network");
    case OPT_TRACE_FLAG:
        command->options.no_log_access = true;
        return strcmp(optarg, "15025") == 0 ? -1 : bad_usage("--trace-flag knows 15025");
    case OPT_RELOAD:
        command->options.reload = true;
        return -1;
    case OPT_RECORD:
        command->record = optarg;
        return -1;
    case OPT_AS:
        command->as = optarg;
        return -1;
    default:
        return bad_usage("unknown option");
    }
}

static int take_option(struct command *command, int option)
{
    switch (option) {
    case OPT_DATA:
        command->options.folder = optarg;
        break;
    case OPT_LOGIN:
        command->options.login = optarg;
        break;
    case OPT_TRACE:
        command->options.trace = true;
        break;
    case OPT_SESSIONS:
        command->options.sessions = atoi(optarg);
        break;
    case OPT_TAGS:
        command->options.engine_tags = optarg;
        break;
    case OPT_MAKE:
        command->make = optarg;
        break;
    case OPT_STORM:
        command->options.storm = optarg;
        break;
    case OPT_REPORT:
        command->options.report = true;
        break;
    case OPT_TIMEOUT:
        command->options.timeout_s = atoi(optarg);
        break;
    case OPT_HELP:
        fputs(usage, stdout);
        return 0;
    case OPT_VERSION:
        puts("ekmhost " EKMHOST_VERSION);
        return 0;
    default:
        return take_engine_option(command, option);
    }
    return -1;
}

static int main_parse(struct command *command, int argc, char **argv)
{
    int option = 0;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        int exit_now = take_option(command, option);
        if (exit_now >= 0)
            return exit_now;
    }
    if (!command->options.folder)
        return bad_usage("--data is missing");
    if (command->options.sessions < 1 || command->options.sessions > 512)
        return bad_usage("--sessions takes 1 to 512");
    if (command->make && (atoi(command->make) < 1 || !strchr(command->make, ':')))
        return bad_usage("--make-databases takes NUMBER:KEY");
    if (command->options.storm && !storm_is_valid(command->options.storm))
        return bad_usage("--storm takes recover:SECONDS or write:SECONDS");
    return -1;
}

static void run_connection(struct instance *instance, const char *text)
{
    struct connection connection;
    connection_open(&connection, instance, stdout);
    script_run(&connection, text);
    connection_close(&connection);
}

/* Without a path: standard input. */
static bool run_file(struct instance *instance, const char *path)
{
    char *text = path ? memory_read_file(path, NULL) : memory_read_stream(stdin, NULL);
    if (!text) {
        fprintf(stderr, "ekmhost: %s cannot be read\n", path ? path : "standard input");
        return false;
    }
    run_connection(instance, text);
    memory_wipe_text(text);
    return true;
}

static void make_databases(struct instance *instance, const char *make)
{
    struct connection connection;
    connection_open(&connection, instance, stdout);
    database_make_many(&connection, atoi(make), strchr(make, ':') + 1);
    connection_close(&connection);
}

/* A user who connects gets a login. */
static void add_login(struct instance *instance, const char *name)
{
    if (!catalog_find(&instance->catalog, "logins", name))
        catalog_add(&instance->catalog, "logins", name);
    catalog_save(&instance->catalog);
}

static int main_run(const struct command *command, int count, char **scripts)
{
    struct instance instance;
    bool readable = true;
    if (!instance_start(&instance, &command->options)) {
        instance_stop(&instance);
        return 3;
    }
    add_login(&instance, command->options.login);
    if (command->make)
        make_databases(&instance, command->make);
    if (command->options.storm)
        storm_run(&instance, command->options.storm);
    else if (!command->make && count == 0)
        readable = run_file(&instance, NULL);
    for (int i = 0; i < count && readable && !instance.shut_down; i++)
        readable = run_file(&instance, scripts[i]);
    int errors = instance.errors;
    fflush(stdout);
    if (command->options.report)
        report_print(&instance, stderr);
    instance_stop(&instance);
    if (provider_conformance_count() > 0)
        fprintf(stderr, "conformance: %ld breaches\n", provider_conformance_count());
    fprintf(stderr, "ekmhost: %d statements, %d errors\n", instance.statements, errors);
    return readable ? errors > 0 : 2;
}

int main(int argc, char **argv)
{
    struct command command = {
        .options = {.login = "CONTOSO\\dba",
                    .engine_tags = "RSA_512,RSA_1024,RSA_2048,RSA_3072,RSA_4096",
                    .sessions = 8,
                    .engine = 2022,
                    .outage_network = true}};
    platform_begin(&argc, &argv);
    int exit_now = main_parse(&command, argc, argv);
    if (exit_now >= 0)
        return exit_now;
    if (command.options.timeout_s > 0)
        platform_end_after((unsigned)command.options.timeout_s);
    if ((command.record && !record_prepare(&command.options, command.record)) ||
        (command.as && !record_follow(&command.options, command.as)))
        return 3;
    return main_run(&command, argc - optind, argv + optind);
}
