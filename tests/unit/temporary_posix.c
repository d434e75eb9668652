#include "temporary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool temporary_make(char *folder, size_t cap)
{
    int len = snprintf(folder, cap, "/tmp/akvekm-unit-XXXXXX");
    return len > 0 && (size_t)len < cap && mkdtemp(folder) != NULL;
}

bool temporary_remove(const char *folder)
{
    char command[128];
    int len = snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return len > 0 && (size_t)len < sizeof command && system(command) == 0;
}

bool temporary_setenv(const char *name, const char *value)
{
    return (value != NULL ? setenv(name, value, 1) : unsetenv(name)) == 0;
}
