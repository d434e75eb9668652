#include "script.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "memory.h"
#include "platform.h"
#include "statement.h"

/* The text with its variables replaced; NULL after an error message. */
static char *replace_variables(struct connection *connection, const char *text)
{
    struct memory_text out = {0};
    memory_append(&out, "", 0);
    for (const char *at = text; *at;) {
        size_t name_len = at[0] == '$' && at[1] == '(' ? strcspn(at + 2, ")\n") : 0;
        if (name_len == 0 || at[2 + name_len] != ')') {
            memory_append(&out, at++, 1);
            continue;
        }
        char *name = memory_text_n(at + 2, name_len);
        char *value = platform_environment(name);
        if (!value) {
            fprintf(connection->out, "'%s' scripting variable not defined.\n", name);
            connection->instance->errors++;
            free(name);
            memory_wipe_text(out.data);
            return NULL;
        }
        memory_append(&out, value, strlen(value));
        memory_wipe_text(value);
        free(name);
        at += name_len + 3;
    }
    return out.data;
}

/* The quote, ']' or comment that is open at the end of a line; the state continues in the next
 * line. */
struct line_state {
    char quote;
    int comments;
};

static void scan_line(struct line_state *state, const char *line, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char now = line[i];
        char next = i + 1 < len ? line[i + 1] : 0;
        if (state->comments > 0) {
            int change = now == '/' && next == '*' ? 1 : now == '*' && next == '/' ? -1 : 0;
            state->comments += change;
            i += change != 0;
        } else if (state->quote) {
            state->quote = now == state->quote ? 0 : state->quote;
        } else if (now == '-' && next == '-') {
            return;
        } else if (now == '/' && next == '*') {
            state->comments++;
            i++;
        } else if (now == '\'' || now == '"' || now == '[') {
            state->quote = now == '[' ? ']' : now;
        }
    }
}

/* The repetitions that a GO line asks for; 0 if the line is not a GO. */
static long go_count(const char *line, size_t len)
{
    char text[32] = "";
    while (len > 0 && isspace((unsigned char)*line)) {
        line++;
        len--;
    }
    if (len < 2 || len >= sizeof text || strncasecmp(line, "GO", 2) != 0)
        return 0;
    memcpy(text, line + 2, len - 2);
    char *end = text;
    long count = isspace((unsigned char)*text) ? strtol(text, &end, 10) : 0;
    end += strspn(end, " \t\r");
    if (*end && strncmp(end, "--", 2) != 0)
        return 0;
    return count > 0 ? count : 1;
}

static void run_batches(struct connection *connection, char *text)
{
    struct line_state state = {0};
    char *batch = text;
    for (char *line = text; !connection->instance->shut_down && !connection->over;) {
        size_t len = strcspn(line, "\n");
        bool last = line[len] == 0;
        long count = state.quote || state.comments ? 0 : go_count(line, len);
        if (count > 0)
            *line = 0;
        else
            scan_line(&state, line, len);
        if (count > 0 || last) {
            for (long i = 0;
                 i < (count ? count : 1) && !connection->instance->shut_down && !connection->over;
                 i++)
                statement_run_batch(connection, batch);
            batch = line + len + 1;
        }
        if (last)
            return;
        line += len + 1;
    }
}

void script_run(struct connection *connection, const char *text)
{
    char *replaced = replace_variables(connection, text);
    if (replaced)
        run_batches(connection, replaced);
    memory_wipe_text(replaced);
}
