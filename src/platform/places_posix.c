#include "platform/places.h"

#include <stdio.h>

#include "platform/file.h"

bool places_is_absolute(const char *path)
{
    return path[0] == '/';
}

bool places_config(size_t index, char *out, size_t cap)
{
    static const char *const places[] = {"/var/opt/mssql/akv-ekm/akv-ekm.conf",
                                         "/etc/akv-ekm.conf"};
    if (index >= sizeof places / sizeof places[0]) {
        return false;
    }
    (void)snprintf(out, cap, "%s", places[index]);
    return true;
}

void places_keymap(char *out, size_t cap)
{
    (void)snprintf(out, cap, "/var/opt/mssql/akv-ekm/keymap");
}

void places_log(char *out, size_t cap)
{
    bool there = plat_folder_exists("/var/opt/mssql/log");
    (void)snprintf(out, cap, "%s", there ? "/var/opt/mssql/log/akv-ekm.log" : "");
}
