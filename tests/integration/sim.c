#include "harness.h"

#include "canary.h"
#include "loopback.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

extern char **environ;

long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A failed assertion ends a test before its sim_stop: no process may outlive the program. */
static pid_t started[16];

static void end_started(void)
{
    for (size_t i = 0; i < sizeof started / sizeof started[0]; i++) {
        if (started[i] > 0) {
            kill(started[i], SIGTERM);
        }
    }
}

/* Puts `next` into the place of `former`. */
static void note_process(pid_t former, pid_t next)
{
    for (size_t i = 0; i < sizeof started / sizeof started[0]; i++) {
        if (started[i] == former) {
            started[i] = next;
            return;
        }
    }
}

/* Starts vaultsim and waits for its line; its standard output stays open only that long. */
static void sim_launch(struct sim *sim, const char *option, const char *value)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    char state[80];
    snprintf(state, sizeof state, "%s", sim->folder);
    char program[] = AKVEKM_BUILD_DIR "/vaultsim", state_option[] = "--state";
    char extra[2][64];
    snprintf(extra[0], sizeof extra[0], "%s", option != NULL ? option : "");
    snprintf(extra[1], sizeof extra[1], "%s", value != NULL ? value : "");
    char *arguments[] = {program,
                         state_option,
                         state,
                         option != NULL ? extra[0] : NULL,
                         value != NULL ? extra[1] : NULL,
                         NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    assert_int_equal(posix_spawn(&sim->pid, program, &actions, NULL, arguments, environ), 0);
    static bool registered;
    if (!registered) {
        registered = atexit(end_started) == 0;
    }
    note_process(0, sim->pid);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    FILE *out = fdopen(ends[0], "r");
    assert_non_null(out);
    char line[512];
    bool is_ready = false;
    while (!is_ready && fgets(line, sizeof line, out) != NULL) {
        is_ready = strncmp(line, "vaultsim: ready", 15) == 0;
    }
    fclose(out);
    assert_true(is_ready);
}

void sim_start(struct sim *sim, const char *option, const char *value)
{
    const char *parent = getenv("TMPDIR");
    snprintf(sim->folder, sizeof sim->folder, "%s/akvekm-XXXXXX", parent != NULL ? parent : "/tmp");
    assert_non_null(mkdtemp(sim->folder));
    sim_launch(sim, option, value);
    char config[96];
    snprintf(config, sizeof config, "%s/akv-ekm.conf", sim->folder);
    setenv("AKVEKM_CONFIG", config, 1);
}

void sim_kill(struct sim *sim)
{
    int status = 0;
    kill(sim->pid, SIGTERM);
    assert_int_equal(waitpid(sim->pid, &status, 0), sim->pid);
    note_process(sim->pid, 0);
}

void sim_resume(struct sim *sim)
{
    sim_launch(sim, NULL, NULL);
}

static char *read_all(FILE *in)
{
    size_t len = 0, cap = 1 << 16;
    char *text = malloc(cap);
    assert_non_null(text);
    for (size_t n; (n = fread(text + len, 1, cap - len - 1, in)) > 0;) {
        len += n;
        if (cap - len < 4096) {
            cap *= 2;
            text = realloc(text, cap);
            assert_non_null(text);
        }
    }
    text[len] = '\0';
    return text;
}

char *sim_file(const struct sim *sim, const char *name)
{
    char path[96];
    snprintf(path, sizeof path, "%s/%s", sim->folder, name);
    FILE *in = fopen(path, "r");
    if (in == NULL) {
        return strdup("");
    }
    char *text = read_all(in);
    fclose(in);
    return text;
}

void sim_stop(struct sim *sim)
{
    sim_kill(sim);
    char *log = sim_file(sim, "akv-ekm.log");
    assert_null(canary_find(log, SIM_SECRET));
    assert_null(canary_find(log, SIM_PLAIN));
    /* Every token of vaultsim begins like this, as it is and as eight other letters in base64. */
    assert_null(canary_find(log, "eyJ0eXAi"));
    free(log);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", sim->folder);
    assert_int_equal(system(command), 0);
}

int sim_tear_down(void **state)
{
    sim_stop(*state);
    return 0;
}

/* One connection to the control endpoint, whose port is written in the folder. */
static FILE *open_control(const struct sim *sim)
{
    char *port = sim_file(sim, "control");
    int fd = loopback_connect((int)strtol(port, NULL, 10));
    free(port);
    assert_true(fd >= 0);
    FILE *stream = fdopen(fd, "r+");
    assert_non_null(stream);
    return stream;
}

static char *sim_control(const struct sim *sim, const char *method, const char *path,
                         const char *json)
{
    FILE *stream = open_control(sim);
    fprintf(stream,
            "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
            method, path, json != NULL ? strlen(json) : 0, json != NULL ? json : "");
    assert_int_equal(fflush(stream), 0);
    char *answer = read_all(stream), *body = strstr(answer, "\r\n\r\n");
    fclose(stream);
    if (strncmp(answer, "HTTP/1.1 2", 10) != 0 || body == NULL) {
        fail_msg("%s %s %s: %s", method, path, json != NULL ? json : "", answer);
    }
    memmove(answer, body + 4, strlen(body + 4) + 1);
    return answer;
}

void sim_ctl(const struct sim *sim, const char *method, const char *path, const char *json)
{
    free(sim_control(sim, method, path, json));
}

char *sim_ask(const struct sim *sim, const char *path)
{
    return sim_control(sim, "GET", path, NULL);
}

long sim_counter(const struct sim *sim, const char *name)
{
    char *answer = sim_ask(sim, "/counters"), quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":", name);
    const char *at = strstr(answer, quoted);
    long value = at != NULL ? strtol(at + strlen(quoted), NULL, 10) : 0;
    free(answer);
    return value;
}

void sim_make_key(const struct sim *sim, const char *name)
{
    char json[256];
    snprintf(json, sizeof json, "{\"vault\":\"" SIM_VAULT "\",\"name\":\"%s\",\"kty\":\"RSA\"}",
             name);
    sim_ctl(sim, "POST", "/keys", json);
}

void sim_configure(const struct sim *sim, const char *line)
{
    char path[96];
    snprintf(path, sizeof path, "%s/akv-ekm.conf", sim->folder);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    char *former = read_all(in), *rest = NULL;
    fclose(in);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    size_t key_len = strcspn(line, " =") + 1;
    for (char *l = strtok_r(former, "\n", &rest); l != NULL; l = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(l, line, key_len) != 0) {
            fprintf(out, "%s\n", l);
        }
    }
    fprintf(out, "%s\n", line);
    assert_int_equal(fclose(out), 0);
    free(former);
}
