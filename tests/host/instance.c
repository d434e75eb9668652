#include "instance.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "access.h"
#include "engine.h"
#include "memory.h"
#include "platform.h"
#include "recovery.h"

bool instance_start(struct instance *instance, const struct options *options)
{
    char *why = NULL;
    memset(instance, 0, sizeof *instance);
    instance->options = *options;
    instance->next_spid = 51;
    instance->errorlog_lock = platform_mutex_new();
    instance->providers_lock = platform_mutex_new();
    platform_folder_make(options->folder);
    /* the path of the catalog must not depend on the working directory */
    instance->folder = platform_path_absolute(options->folder);
    if (instance->folder)
        instance->options.folder = instance->folder;
    options = &instance->options;
    char *path = memory_format("%s/errorlog", options->folder);
    instance->errorlog = platform_stream_open(path, "a");
    if (!instance->errorlog)
        why = memory_format("%s cannot be written", path);
    free(path);
    if (why || !catalog_open(&instance->catalog, options->folder, &why)) {
        fprintf(stderr, "ekmhost: %s\n", why);
        free(why);
        return false;
    }
    instance_log(instance, "Starting up. This is ekmhost " EKMHOST_VERSION ".");
    recovery_run(instance, options->sessions);
    instance_log(instance, "Recovery is complete.");
    return true;
}

void instance_stop(struct instance *instance)
{
    if (instance->catalog.root) {
        engine_stop(instance);
        access_stop(instance);
        instance_log(instance, "Shut down.");
    }
    catalog_close(&instance->catalog);
    free(instance->folder);
    if (instance->errorlog)
        fclose(instance->errorlog);
    platform_mutex_free(instance->errorlog_lock);
    platform_mutex_free(instance->providers_lock);
}

void instance_log(struct instance *instance, const char *format, ...)
{
    char stamp[32];
    time_t now = time(NULL);
    struct tm parts;
    platform_utc(now, &parts);
    strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &parts);
    va_list arguments;
    va_start(arguments, format);
    platform_mutex_lock(instance->errorlog_lock);
    fprintf(instance->errorlog, "%s ", stamp);
    vfprintf(instance->errorlog, format, arguments);
    fputc('\n', instance->errorlog);
    fflush(instance->errorlog);
    platform_mutex_unlock(instance->errorlog_lock);
    va_end(arguments);
}

void instance_log_failure(struct instance *instance, const char *database,
                          const struct failure *failure)
{
    instance_log(instance, "Database '%s': Error: %d, Severity: %d, State: %d. %s", database,
                 message_number(failure->number, instance->options.engine), failure->severity,
                 failure->state, failure->text);
}

void instance_log_message(struct instance *instance, int number, ...)
{
    struct failure failure;
    va_list arguments;
    va_start(arguments, number);
    failure_set_list(&failure, number, 0, arguments);
    va_end(arguments);
    instance_log(instance, "%s", failure.text);
}
