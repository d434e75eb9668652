#include "engine_ask.h"

#include <stdlib.h>

#include <openssl/crypto.h>

#include "engine_key.h"
#include "memory.h"
#include "report.h"
#include "storage_log.h"

enum { SEGMENT_BYTES = 64 * 1024, MAX_SEGMENTS = 256 };

/* The codes of this library for a service that cannot be reached, is too slow, fails or throttles.
 */
static bool is_network_code(int code)
{
    static const int codes[] = {3102, 3106, 3107, 3109, 3111, 3119, 3304,
                                3900, 5001, 5013, 5014, 5018, 5020};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (codes[i] == code)
            return true;
    }
    return false;
}

bool engine_ask(struct instance *instance, struct open_database *database, struct failure *failure)
{
    uint8_t plain[STORAGE_MAX_KEY];
    size_t len = 0;
    if (!storage_encrypted(database->storage))
        return true;
    bool good =
        engine_unwrap(instance, storage_wrapped_key(database->storage), plain, &len, failure);
    OPENSSL_cleanse(plain, sizeof plain);
    if (good)
        return true;
    const char *name = storage_name(database->storage);
    instance_log_failure(instance, name, failure);
    if (!instance->options.outage_network || !is_network_code(failure->provider_code))
        return false;
    instance_log(instance, "Database '%s' goes on with the key in memory.", name);
    report_key_in_memory();
    return true;
}

bool engine_new_segment(struct instance *instance, struct open_database *database,
                        struct failure *failure)
{
    char why[256];
    if (!instance->options.no_log_access && !engine_ask(instance, database, failure))
        return false;
    return storage_new_segment(database->storage, why) ||
           failure_set(failure, 5120, 0, storage_base(database->storage), why);
}

bool engine_log_room(struct connection *connection, struct open_database *database,
                     struct failure *failure)
{
    struct storage_segment *segments = memory_take(MAX_SEGMENTS * sizeof *segments);
    size_t count = storage_segments(database->storage, segments, MAX_SEGMENTS);
    bool full = count > 0 && segments[count - 1].bytes >= SEGMENT_BYTES;
    free(segments);
    return !full || engine_new_segment(connection->instance, database, failure);
}
