#include "platform.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"

struct platform_mutex {
    pthread_mutex_t native;
};

struct platform_thread {
    pthread_t native;
    void (*run)(void *context);
    void *context;
};

struct platform_file {
    int handle;
};

void platform_begin(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
}

char *platform_environment(const char *name)
{
    return memory_text(getenv(name));
}

void platform_environment_set(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

/* The place where this thread continues after an exception; NULL outside a guarded call. */
static _Thread_local sigjmp_buf *guard;

static void leave_call(int number)
{
    if (guard)
        siglongjmp(*guard, 1);
    signal(number, SIG_DFL); /* not a guarded call: it is raised again, without this handler */
}

static void install_guard(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    struct sigaction action = {.sa_handler = leave_call};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
}

bool platform_guarded(void (*call)(void *context), void *context)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    sigjmp_buf place;
    pthread_once(&once, install_guard);
    if (sigsetjmp(place, 1) != 0) {
        guard = NULL;
        return false;
    }
    guard = &place;
    call(context);
    guard = NULL;
    return true;
}

void platform_end_after(unsigned seconds)
{
    alarm(seconds);
}

void platform_sleep_ms(uint64_t ms)
{
    struct timespec left = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

uint64_t platform_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

void platform_utc(time_t time, struct tm *parts)
{
    gmtime_r(&time, parts);
}

struct platform_mutex *platform_mutex_new(void)
{
    struct platform_mutex *mutex = memory_take(sizeof *mutex);
    pthread_mutex_init(&mutex->native, NULL);
    return mutex;
}

void platform_mutex_free(struct platform_mutex *mutex)
{
    if (mutex)
        pthread_mutex_destroy(&mutex->native);
    free(mutex);
}

void platform_mutex_lock(struct platform_mutex *mutex)
{
    pthread_mutex_lock(&mutex->native);
}

void platform_mutex_unlock(struct platform_mutex *mutex)
{
    pthread_mutex_unlock(&mutex->native);
}

static void *run_thread(void *own)
{
    struct platform_thread *thread = own;
    thread->run(thread->context);
    return NULL;
}

struct platform_thread *platform_thread_start(void (*run)(void *context), void *context)
{
    struct platform_thread *thread = memory_take(sizeof *thread);
    thread->run = run;
    thread->context = context;
    if (pthread_create(&thread->native, NULL, run_thread, thread) != 0) {
        free(thread);
        return NULL;
    }
    return thread;
}

void platform_thread_join(struct platform_thread *thread)
{
    pthread_join(thread->native, NULL);
    free(thread);
}

void *platform_library_open(const char *path, char *why, size_t cap)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        snprintf(why, cap, "%s", dlerror());
    return library;
}

void *platform_library_symbol(void *library, const char *name)
{
    return dlsym(library, name);
}

void platform_library_close(void *library)
{
    dlclose(library);
}

struct platform_file *platform_file_open(const char *path, enum platform_open how)
{
    static const int flags[] = {[PLATFORM_READ] = O_RDONLY,
                                [PLATFORM_UPDATE] = O_RDWR,
                                [PLATFORM_CREATE_NEW] = O_RDWR | O_CREAT | O_EXCL,
                                [PLATFORM_REPLACE] = O_RDWR | O_CREAT | O_TRUNC};
    int handle = open(path, flags[how] | O_CLOEXEC, 0600);
    if (handle < 0)
        return NULL;
    struct platform_file *file = memory_take(sizeof *file);
    file->handle = handle;
    return file;
}

bool platform_file_read(struct platform_file *file, void *data, size_t len, uint64_t at)
{
    return file && pread(file->handle, data, len, (off_t)at) == (ssize_t)len;
}

bool platform_file_write(struct platform_file *file, const void *data, size_t len, uint64_t at)
{
    return file && pwrite(file->handle, data, len, (off_t)at) == (ssize_t)len;
}

bool platform_file_size(struct platform_file *file, uint64_t *size)
{
    struct stat state;
    if (!file || fstat(file->handle, &state) != 0)
        return false;
    *size = (uint64_t)state.st_size;
    return true;
}

bool platform_file_flush(struct platform_file *file)
{
    return file && fsync(file->handle) == 0;
}

bool platform_file_close(struct platform_file *file)
{
    if (!file)
        return false;
    bool good = close(file->handle) == 0;
    free(file);
    return good;
}

FILE *platform_stream_open(const char *path, const char *mode)
{
    char closing[8];
    snprintf(closing, sizeof closing, "%se", mode);
    return fopen(path, closing);
}

bool platform_path_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool platform_path_remove(const char *path)
{
    return unlink(path) == 0;
}

bool platform_path_replace(const char *from, const char *to)
{
    return rename(from, to) == 0;
}

bool platform_path_is_private(const char *path)
{
    struct stat state;
    return stat(path, &state) == 0 && (state.st_mode & 0177) == 0;
}

char *platform_path_absolute(const char *path)
{
    return realpath(path, NULL);
}

bool platform_folder_make(const char *path)
{
    return mkdir(path, 0700) == 0;
}

bool platform_folder_remove(const char *path)
{
    return rmdir(path) == 0;
}

bool platform_folder_make_temporary(char *path, size_t cap)
{
    const char *parent = getenv("TMPDIR");
    snprintf(path, cap, "%s/ekmhost-XXXXXX", parent ? parent : "/tmp");
    return mkdtemp(path) != NULL;
}

char **platform_folder_list(const char *path)
{
    DIR *folder = opendir(path);
    size_t count = 0;
    char **names = NULL;
    if (!folder)
        return NULL;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        names = memory_grow(names, (count + 2) * sizeof *names);
        names[count++] = memory_text(entry->d_name);
        names[count] = NULL;
    }
    closedir(folder);
    return names;
}

void platform_folder_list_free(char **names)
{
    for (char **name = names; name && *name; name++)
        free(*name);
    free(names);
}
