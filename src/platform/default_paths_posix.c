#include "platform/default_paths.h"

#include <stdio.h>

#include "platform/file.h"

bool default_paths_is_absolute(const char *path)
{
    return path[0] == '/';
}

/* A file that only root can write comes before one that the service may write. */
bool default_paths_config(size_t index, char *out, size_t cap)
{
    static const char *const places[] = {"/etc/akv-ekm.conf",
                                         "/var/opt/mssql/akv-ekm/akv-ekm.conf"};
    if (index >= sizeof places / sizeof places[0]) {
        return false;
    }
    (void)snprintf(out, cap, "%s", places[index]);
    return true;
}

void default_paths_keymap(char *out, size_t cap)
{
    (void)snprintf(out, cap, "/var/opt/mssql/akv-ekm/keymap");
}

void default_paths_certificates(char *out, size_t cap)
{
    (void)snprintf(out, cap, "/etc/akv-ekm/certificates");
}

void default_paths_arc_keys(char *out, size_t cap)
{
    (void)snprintf(out, cap, "/var/opt/azcmagent/tokens");
}

void default_paths_arc_agent(char *out, size_t cap)
{
    (void)snprintf(out, cap, "/opt/azcmagent/bin/himds");
}

void default_paths_log(char *out, size_t cap)
{
    bool there = plat_folder_exists("/var/opt/mssql/log");
    (void)snprintf(out, cap, "%s", there ? "/var/opt/mssql/log/akv-ekm.log" : "");
}
