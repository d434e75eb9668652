#include "recovery.h"

#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "memory.h"

struct recovery {
    struct instance *instance;
    struct open_database *next; /* guarded by lock */
    pthread_mutex_t lock;
};

static void *recover_some(void *context)
{
    struct recovery *recovery = context;
    for (;;) {
        pthread_mutex_lock(&recovery->lock);
        struct open_database *database = recovery->next;
        if (database)
            recovery->next = database->next;
        pthread_mutex_unlock(&recovery->lock);
        if (!database)
            return NULL;
        if (database->state != ENGINE_OFFLINE)
            engine_recover(recovery->instance, database);
    }
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
    struct recovery recovery = {.instance = instance, .next = instance->databases};
    pthread_t *handles = memory_take((size_t)threads * sizeof *handles);
    int started = 0;
    pthread_mutex_init(&recovery.lock, NULL);
    while (started < threads && instance->databases &&
           pthread_create(&handles[started], NULL, recover_some, &recovery) == 0)
        started++;
    if (started == 0)
        recover_some(&recovery);
    for (int i = 0; i < started; i++)
        pthread_join(handles[i], NULL);
    pthread_mutex_destroy(&recovery.lock);
    free(handles);
}
