/* measure COMMAND...: runs it and prints what it took: `cpu_us wall_us peak_kib`. So small itself
 * that the peak is the command's. */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long measure_microseconds(struct timeval time)
{
    return (long long)time.tv_sec * 1000000 + time.tv_usec;
}

int main(int argc, char **argv)
{
    struct timespec begun, ended;
    struct rusage usage;
    int status = 1;
    (void)argc;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    pid_t child = vfork();
    if (child == 0) {
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0) {
        return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    printf("%lld %lld %ld\n",
           measure_microseconds(usage.ru_utime) + measure_microseconds(usage.ru_stime),
           (long long)(ended.tv_sec - begun.tv_sec) * 1000000 +
               (ended.tv_nsec - begun.tv_nsec) / 1000,
           usage.ru_maxrss);
    return 0;
}
