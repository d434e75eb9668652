#include "keymap/tenants_store.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "keymap/keymap_entry.h"
#include "keymap/keymap_stores.h"
#include "platform/atomic_file.h"
#include "platform/system.h"

/* One `host<TAB>tenant` a line, beside the map and under its lock. */

#define FILE_MAX_BYTES ((size_t)TENANTS_MAX * 512)
#define PATH_CAP       1056
#define WAIT_MS        200

static void path_of(char out[PATH_CAP], const char *map, const char *ending)
{
    (void)text_format(out, PATH_CAP, "%s%s", map, ending);
}

/* A missing file counts as empty. */
static enum plat_io tenants_read_file(const char *map, struct buf *text,
                                      struct plat_file_state *state)
{
    char path[PATH_CAP];
    int handle = -1;
    size_t len = 0;
    path_of(path, map, ".tenants");
    memset(state, 0, sizeof *state);
    enum plat_io io = plat_file_open(path, PLAT_TRUST_ANY, &handle, state);
    if (io == PLAT_IO_OK) {
        io = buf_reserve(text, FILE_MAX_BYTES) == EKM_OK
                 ? plat_file_read(handle, text->data, FILE_MAX_BYTES, &len)
                 : PLAT_IO_FAILED;
    }
    if (io == PLAT_IO_OK) {
        text->len = len;
        text->data[len] = 0;
    }
    plat_file_close(&handle);
    return io == PLAT_IO_ABSENT ? PLAT_IO_OK : io;
}

/* The parts of the next line; false at the end. A line that is not an entry has an empty tenant. */
static bool next_line(const char **at, char host[TEXT_HOST_CAP], char tenant[TEXT_HOST_CAP])
{
    size_t len = strcspn(*at, "\n");
    const char *line = *at, *tab = memchr(line, '\t', len);
    host[0] = tenant[0] = '\0';
    if (*line == '\0') {
        return false;
    }
    *at = line + len + (line[len] == '\n');
    if (tab != NULL && text_copy_n(host, TEXT_HOST_CAP, line, (size_t)(tab - line))) {
        (void)text_copy_n(tenant, TEXT_HOST_CAP, tab + 1, len - (size_t)(tab + 1 - line));
    }
    return true;
}

void tenants_file_visit(const char *map, void (*visit)(const char *vault_host, const char *tenant))
{
    char host[TEXT_HOST_CAP], tenant[TEXT_HOST_CAP];
    struct plat_file_state state;
    struct buf text = BUF_EMPTY(FILE_MAX_BYTES + 1);
    if (tenants_read_file(map, &text, &state) == PLAT_IO_OK) {
        const char *at = buf_text(&text);
        while (next_line(&at, host, tenant)) {
            const char *read = tenant[0] != '\0' ? keymap_read_host(host) : NULL;
            if (read != NULL) {
                visit(read, tenant);
            }
        }
    }
    buf_free(&text);
}

/* Writes the entries of other vaults, then this one; drops the oldest if there are too many. */
static enum ekm_rc write_next(const char *text, const char *vault_host, const char *vault_tenant,
                              struct buf *next)
{
    char host[TEXT_HOST_CAP], tenant[TEXT_HOST_CAP];
    size_t count = 0;
    for (const char *at = text; next_line(&at, host, tenant);) {
        count++;
    }
    for (const char *at = text; next_line(&at, host, tenant); count--) {
        if (count >= TENANTS_MAX || tenant[0] == '\0' || strcmp(host, vault_host) == 0) {
            continue;
        }
        enum ekm_rc rc = buf_append_format(next, "%s\t%s\n", host, tenant);
        if (rc != EKM_OK) {
            return rc;
        }
    }
    return buf_append_format(next, "%s\t%s\n", vault_host, vault_tenant);
}

enum plat_io tenants_file_put(const char *map, const char *vault_host, const char *tenant)
{
    char path[PATH_CAP], lock_path[PATH_CAP];
    int lock = -1;
    struct plat_file_state former, state;
    struct buf text = BUF_EMPTY(FILE_MAX_BYTES + 1), next = BUF_EMPTY(2 * FILE_MAX_BYTES);
    path_of(path, map, ".tenants");
    path_of(lock_path, map, ".lock");
    enum plat_io io = plat_folder_for(path);
    if (io == PLAT_IO_OK) {
        io = plat_lock_take(lock_path, plat_now_ms() + WAIT_MS, NULL, NULL, &lock);
    }
    if (io == PLAT_IO_OK) {
        io = tenants_read_file(map, &text, &former);
    }
    if (io == PLAT_IO_OK) {
        io = write_next(buf_text(&text), vault_host, tenant, &next) == EKM_OK
                 ? plat_file_replace(path, &former, next.data, next.len, &state)
                 : PLAT_IO_FAILED;
    }
    plat_lock_release(&lock);
    buf_free(&next);
    buf_free(&text);
    return io;
}
