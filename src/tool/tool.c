#include "tool/tool.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

int tool_misuse(const char *format, const char *word)
{
    char line[300];
    const char *place = strstr(format, "%s");
    size_t before = place != NULL ? (size_t)(place - format) : strlen(format);
    (void)text_format(line, sizeof line, "%.*s%.120s%s", (int)before, format,
                      place != NULL ? word : "", place != NULL ? place + 2 : "");
    (void)fprintf(stderr, "akv-ekm: %s; `akv-ekm help` shows the usage\n", line);
    return TOOL_USAGE;
}
