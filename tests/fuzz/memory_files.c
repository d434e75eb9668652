#include "memory_files.h"

// wrap: plat_file_open plat_file_read plat_file_read_on plat_file_close plat_file_state
// wrap: plat_file_replace plat_file_flush plat_folder_flush plat_folder_for
// wrap: plat_lock_take plat_lock_release plat_log_open plat_log_write
// wrap: plat_system_log_wanted plat_system_log plat_file_explain plat_log_explain

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "platform/atomic_file.h"
#include "platform/system.h"

enum { HANDLE_FILES = 1000, HANDLE_LOCK = 2000, HANDLE_LOG };

/* In the place of the platform's, and of the same type. */
#define WRAPS(name) extern __typeof__(name) __wrap_##name
WRAPS(plat_file_open);
WRAPS(plat_file_read);
WRAPS(plat_file_read_on);
WRAPS(plat_file_close);
WRAPS(plat_file_state);
WRAPS(plat_file_replace);
WRAPS(plat_file_flush);
WRAPS(plat_folder_flush);
WRAPS(plat_folder_for);
WRAPS(plat_lock_take);
WRAPS(plat_lock_release);
WRAPS(plat_log_open);
WRAPS(plat_log_write);
WRAPS(plat_system_log_wanted);
WRAPS(plat_system_log);
WRAPS(plat_file_explain);
WRAPS(plat_log_explain);

struct memory_file memory_config, memory_map, memory_tenants;
void (*memory_log_line)(const char *line, size_t len);

static const struct {
    const char *path;
    struct memory_file *file;
    enum plat_file_trust trust;
} files[] = {
    {MEMORY_CONFIG, &memory_config, PLAT_TRUST_REQUIRED},
    {MEMORY_MAP, &memory_map, PLAT_TRUST_ANY},
    {MEMORY_TENANTS, &memory_tenants, PLAT_TRUST_ANY},
};
#define FILES ((int)(sizeof files / sizeof files[0]))

static size_t read_so_far; /* one file is read at a time */
static uint64_t last_inode;
static bool locked;

void memory_file_set(struct memory_file *file, const void *data, size_t len)
{
    uint8_t *copy = malloc(len + 1);
    FUZZ_CHECK(copy != NULL);
    if (len > 0) {
        memcpy(copy, data, len);
    }
    free(file->data);
    *file = (struct memory_file){.data = copy, .len = len, .inode = ++last_inode};
}

void memory_file_remove(struct memory_file *file)
{
    free(file->data);
    *file = (struct memory_file){.data = NULL};
}

/* FILES: there is no such file. */
static int index_of(const char *path)
{
    int i = 0;
    while (i < FILES && strcmp(files[i].path, path) != 0) {
        i++;
    }
    return i;
}

enum plat_io __wrap_plat_file_state(const char *path, struct plat_file_state *out)
{
    int i = index_of(path);
    if (strcmp(path, MEMORY_LOG) == 0) {
        *out = (struct plat_file_state){1, 1, 0, 0};
        return PLAT_IO_OK;
    }
    *out = (struct plat_file_state){0, 0, 0, 0};
    if (i == FILES || files[i].file->data == NULL) {
        return PLAT_IO_ABSENT;
    }
    const struct memory_file *file = files[i].file;
    *out = (struct plat_file_state){1, file->inode, file->len, 0};
    return file->fails;
}

enum plat_io __wrap_plat_file_open(const char *path, enum plat_file_trust trust, int *handle,
                                   struct plat_file_state *state)
{
    enum plat_io io = __wrap_plat_file_state(path, state);
    int i = index_of(path);
    FUZZ_CHECK(i < FILES && trust == files[i].trust);
    if (io == PLAT_IO_OK) {
        *handle = HANDLE_FILES + i;
        read_so_far = 0;
    }
    return io;
}

void __wrap_plat_file_explain(const char *path, enum plat_io io, char *out, size_t cap)
{
    (void)path;
    FUZZ_CHECK(cap > 0);
    (void)strncpy(out, plat_io_text(io), cap - 1);
    out[cap - 1] = '\0';
}

void __wrap_plat_log_explain(const char *path, enum plat_io io, char *out, size_t cap)
{
    __wrap_plat_file_explain(path, io, out, cap);
}

enum plat_io __wrap_plat_file_read_on(int handle, void *out, size_t cap, size_t *len)
{
    FUZZ_CHECK(handle >= HANDLE_FILES && handle < HANDLE_FILES + FILES);
    const struct memory_file *file = files[handle - HANDLE_FILES].file;
    size_t left = file->len - read_so_far;
    *len = cap < left ? cap : left;
    if (*len > 0) {
        memcpy(out, file->data + read_so_far, *len);
    }
    read_so_far += *len;
    return PLAT_IO_OK;
}

enum plat_io __wrap_plat_file_read(int handle, void *out, size_t cap, size_t *len)
{
    enum plat_io io = __wrap_plat_file_read_on(handle, out, cap, len);
    return read_so_far < files[handle - HANDLE_FILES].file->len ? PLAT_IO_TOO_BIG : io;
}

void __wrap_plat_file_close(int *handle)
{
    FUZZ_CHECK(*handle == -1 || (*handle >= HANDLE_FILES && *handle <= HANDLE_LOG));
    *handle = -1;
}

enum plat_io __wrap_plat_file_replace(const char *path, const struct plat_file_state *former,
                                      const void *data, size_t len, struct plat_file_state *state)
{
    struct plat_file_state now;
    enum plat_io io = __wrap_plat_file_state(path, &now);
    int i = index_of(path);
    FUZZ_CHECK(i < FILES && files[i].trust == PLAT_TRUST_ANY && locked);
    if (io != PLAT_IO_OK && io != PLAT_IO_ABSENT) {
        return io;
    }
    if (!plat_file_state_equal(&now, former)) {
        return PLAT_IO_CHANGED;
    }
    memory_file_set(files[i].file, data, len);
    return __wrap_plat_file_state(path, state);
}

enum plat_io __wrap_plat_file_flush(const char *path)
{
    struct plat_file_state now;
    return __wrap_plat_file_state(path, &now);
}

enum plat_io __wrap_plat_folder_flush(const char *path)
{
    return __wrap_plat_folder_for(path);
}

enum plat_io __wrap_plat_folder_for(const char *path)
{
    return index_of(path) < FILES ? PLAT_IO_OK : PLAT_IO_ABSENT;
}

enum plat_io __wrap_plat_lock_take(const char *path, uint64_t until_ms, bool (*stopped)(void *),
                                   void *context, int *handle)
{
    (void)until_ms;
    FUZZ_CHECK(strcmp(path, MEMORY_MAP ".lock") == 0 && !locked);
    if (stopped != NULL && stopped(context)) {
        return PLAT_IO_TIMED_OUT;
    }
    locked = true;
    *handle = HANDLE_LOCK;
    return PLAT_IO_OK;
}

void __wrap_plat_lock_release(int *handle)
{
    FUZZ_CHECK(*handle == -1 || (*handle == HANDLE_LOCK && locked));
    locked = locked && *handle == -1;
    *handle = -1;
}

enum plat_io __wrap_plat_log_open(const char *path, int *handle, struct plat_file_state *state)
{
    FUZZ_CHECK(strcmp(path, MEMORY_LOG) == 0 ||
               strstr(path, "/akv-ekm.log") !=
                   NULL); /* the default one, where no configuration can be read */
    *handle = HANDLE_LOG;
    return __wrap_plat_file_state(MEMORY_LOG, state);
}

enum plat_io __wrap_plat_log_write(int handle, const char *text, size_t len)
{
    FUZZ_CHECK(handle == HANDLE_LOG && len > 0 && text[len - 1] == '\n');
    if (memory_log_line != NULL) {
        memory_log_line(text, len - 1);
    }
    return PLAT_IO_OK;
}

bool __wrap_plat_system_log_wanted(enum plat_severity severity)
{
    return severity == PLAT_SEVERITY_ERROR;
}

bool __wrap_plat_system_log(enum plat_severity severity, uint32_t code, const char *text)
{
    (void)severity;
    (void)code;
    if (memory_log_line != NULL) {
        memory_log_line(text, strlen(text));
    }
    return true;
}
