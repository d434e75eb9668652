/*
 * The table of the tool's commands.
 *
 * Immutable. tool_main.c reads it.
 */
#ifndef AKVEKM_TOOL_COMMANDS_H
#define AKVEKM_TOOL_COMMANDS_H

#include "tool/tool.h"

struct tool_command {
    const char *name, *arguments, *summary;
    const char *options; /* the options it takes, each followed by a blank */
    int (*run)(const struct tool_options *options);
};

/* Past the last: NULL. */
const struct tool_command *tool_command_at(size_t index);

#endif
