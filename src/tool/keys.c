#include "tool/keys.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "platform/system.h"
#include "tool/connection.h"
#include "tool/tool.h"

void keys_date(int64_t unix_s, char out[16])
{
    struct plat_time time;
    plat_calendar(unix_s * 1000, &time);
    (void)text_format(out, 16, "%04d-%02d-%02d", time.year % 10000, time.month % 100,
                      time.day % 100);
}

void keys_describe(const struct vault_key *key, char *out, size_t cap)
{
    char date[16], from[40] = "", until[40] = "";
    if (key->not_before_s != 0) {
        keys_date(key->not_before_s, date);
        (void)text_format(from, sizeof from, ", from %s", date);
    }
    if (key->expires_s != 0) {
        keys_date(key->expires_s, date);
        (void)text_format(until, sizeof until, ", until %s", date);
    }
    (void)text_format(out, cap, "%s%s%s%s", key->enabled ? "enabled" : "DISABLED", from, until,
                      key->managed ? ", managed by a certificate" : "");
}

static bool keys_print(void *context, const struct vault_key *key)
{
    char facts[120];
    (void)context;
    keys_describe(key, facts, sizeof facts);
    (void)printf("%s\t%s\n", key->id.name, facts);
    return true;
}

static int keys_list(const struct connection *connection)
{
    struct call call;
    connection_begin_call(connection, &call, "ListKeys");
    enum ekm_rc rc = vault_list_keys(&call, &connection->vault, keys_print, NULL);
    if (rc != EKM_OK) {
        connection_complain(&call, rc);
        return TOOL_FAILED;
    }
    return TOOL_OK;
}

int tool_keys(const struct tool_options *options)
{
    struct connection connection;
    if (options->identity == NULL || options->word_count != 0) {
        return tool_misuse("keys needs --identity VAULT", "");
    }
    bool open = connection_open(&connection, options->user, options->identity);
    int status = open ? keys_list(&connection) : TOOL_FAILED;
    connection_close(&connection);
    return status;
}
