/*
 * Everything that differs between Linux and Windows; platform_posix.c or platform_win32.c.
 *
 * Texts and paths are UTF-8. A call that fails leaves the reason in errno. Files are binary; files
 * and folders are made for their owner alone. A returned pointer belongs to the caller (free(), or
 * the call that is named). Any thread, except platform_begin and platform_environment_set, which
 * must be called before there are threads.
 */
#ifndef EKMHOST_PLATFORM_H
#define EKMHOST_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#ifdef _WIN32
#define PLATFORM_EXPORT __declspec(dllexport)
#define PLATFORM_PRINTF(format_at, from)                                                           \
    __attribute__((format(__MINGW_PRINTF_FORMAT, format_at, from)))
#else
#define PLATFORM_EXPORT                  __attribute__((visibility("default")))
#define PLATFORM_PRINTF(format_at, from) __attribute__((format(printf, format_at, from)))
#endif

/* The process: arguments in UTF-8, standard streams binary. */
void platform_begin(int *argc, char ***argv);
char *platform_environment(const char *name);                       /* NULL: not set */
void platform_environment_set(const char *name, const char *value); /* NULL unsets */
void platform_end_after(unsigned seconds);
void platform_sleep_ms(uint64_t ms);
uint64_t platform_clock_ns(void); /* never goes back */
void platform_utc(time_t time, struct tm *parts);

struct platform_mutex *platform_mutex_new(void);
void platform_mutex_free(struct platform_mutex *mutex);
void platform_mutex_lock(struct platform_mutex *mutex);
void platform_mutex_unlock(struct platform_mutex *mutex);
struct platform_thread *platform_thread_start(void (*run)(void *context), void *context);
void platform_thread_join(struct platform_thread *thread);

/* False: the call raised an exception of the processor and was abandoned; its locks stay held.
 * Where the system cannot do that (Windows), the process ends. */
bool platform_guarded(void (*call)(void *context), void *context);

void *platform_library_open(const char *path, char *why, size_t cap);
void *platform_library_symbol(void *library, const char *name);
void platform_library_close(void *library);

/* Random access; a NULL file fails every call. Reading and writing is all or nothing. */
enum platform_open { PLATFORM_READ, PLATFORM_UPDATE, PLATFORM_CREATE_NEW, PLATFORM_REPLACE };
struct platform_file *platform_file_open(const char *path, enum platform_open how);
bool platform_file_read(struct platform_file *file, void *data, size_t len, uint64_t at);
bool platform_file_write(struct platform_file *file, const void *data, size_t len, uint64_t at);
bool platform_file_size(struct platform_file *file, uint64_t *size);
bool platform_file_flush(struct platform_file *file);
bool platform_file_close(struct platform_file *file);
FILE *platform_stream_open(const char *path, const char *mode); /* r, r+, w or a */

bool platform_path_exists(const char *path);
bool platform_path_remove(const char *path);
bool platform_path_replace(const char *from, const char *to); /* durable when it returns */
bool platform_path_is_private(const char *path);
char *platform_path_absolute(const char *path);
bool platform_folder_make(const char *path);
bool platform_folder_remove(const char *path);               /* an empty one */
bool platform_folder_make_temporary(char *path, size_t cap); /* under the system's own */
char **platform_folder_list(const char *path);               /* names, the last is NULL */
void platform_folder_list_free(char **names);                /* NULL allowed */

#endif
