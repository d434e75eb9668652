#include "recovery.h"

#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "memory.h"
#include "platform.h"

struct recovery {
    struct instance *instance;
    struct open_database *next; /* guarded by lock */
    struct platform_mutex *lock;
};

static void recover_some(void *context)
{
    struct recovery *recovery = context;
    for (;;) {
        platform_mutex_lock(recovery->lock);
        struct open_database *database = recovery->next;
        if (database)
            recovery->next = database->next;
        platform_mutex_unlock(recovery->lock);
        if (!database)
            return;
        if (database->state != ENGINE_OFFLINE)
            engine_recover(recovery->instance, database);
    }
}

void recovery_again(struct instance *instance, int threads)
{
    struct recovery recovery = {.instance = instance, .next = instance->databases};
    struct platform_thread **handles = memory_take((size_t)threads * sizeof *handles);
    int started = 0;
    recovery.lock = platform_mutex_new();
    while (started < threads && instance->databases &&
           (handles[started] = platform_thread_start(recover_some, &recovery)) != NULL)
        started++;
    if (started == 0)
        recover_some(&recovery);
    for (int i = 0; i < started; i++)
        platform_thread_join(handles[i]);
    platform_mutex_free(recovery.lock);
    free(handles);
}

void recovery_run(struct instance *instance, int threads)
{
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, catalog_list(&instance->catalog, "databases"))
    {
        if (strcmp(catalog_text(entry, "kind"), "system") == 0)
            continue;
        struct open_database *database = engine_add(instance, entry);
        if (strcmp(catalog_text(entry, "state"), "OFFLINE") == 0)
            database->state = ENGINE_OFFLINE;
    }
    recovery_again(instance, threads);
}
