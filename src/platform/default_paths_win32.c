#include "platform/default_paths.h"

#include <initguid.h>
#include <stdio.h>
#include <windows.h>

#include <knownfolders.h>
#include <shlobj.h>

#include "platform/file.h"
#include "platform/path_win32.h"

static bool is_separator(char c)
{
    return c == '\\' || c == '/';
}

/* Accepts C:\folder\file and \\server\share\file, but no device (\\.\) and no literal path (\\?\).
 * Also accepts /folder/file, from the root of the current drive, for a server that imitates Windows
 * on Linux. */
bool default_paths_is_absolute(const char *path)
{
    bool letter = (path[0] >= 'A' && path[0] <= 'Z') || (path[0] >= 'a' && path[0] <= 'z');
    if (letter) {
        return path[1] == ':' && is_separator(path[2]);
    }
    if (path[0] == '/' && path[1] != '\0' && !is_separator(path[1])) {
        return true;
    }
    return is_separator(path[0]) && is_separator(path[1]) && path[2] != '\0' && path[2] != '.' &&
           path[2] != '?' && !is_separator(path[2]);
}

/* Writes the path `below` in a known folder of the system. Does not use the environment, because
 * SQL Server's environment may contain anything. */
static bool known_folder(REFKNOWNFOLDERID id, const char *below, char *out, size_t cap)
{
    char data[PATH_UNITS];
    wchar_t *wide = NULL;
    bool found =
        SHGetKnownFolderPath(id, 0, NULL, &wide) == S_OK && path_narrow(wide, data, sizeof data);
    CoTaskMemFree(wide);
    int len = found ? snprintf(out, cap, "%s\\%s", data, below) : -1;
    if (len < 0 || (size_t)len >= cap) {
        out[0] = '\0';
    }
    return out[0] != '\0';
}

static bool own_folder(char *out, size_t cap)
{
    return known_folder(&FOLDERID_ProgramData, "akv-ekm", out, cap);
}

/* The last place is that of Linux, for a server that imitates Windows there. On Windows itself
 * anybody may make folders at the root of a drive, so the folder counts only with safe rights. */
bool default_paths_config(size_t index, char *out, size_t cap)
{
    char folder[PATH_UNITS];
    bool own = own_folder(folder, sizeof folder);
    if (index > (own ? 1 : 0)) {
        return false;
    }
    if (!own || index == 1) {
        (void)snprintf(folder, sizeof folder, "%s", "C:\\var\\opt\\mssql\\akv-ekm");
        if (!plat_folder_exists(folder) || !path_folder_trusted(folder)) {
            return false;
        }
    }
    int len = snprintf(out, cap, "%s\\akv-ekm.conf", folder);
    return len > 0 && (size_t)len < cap;
}

void default_paths_certificates(char *out, size_t cap)
{
    (void)known_folder(&FOLDERID_ProgramData, "akv-ekm\\certificates", out, cap);
}

void default_paths_arc_keys(char *out, size_t cap)
{
    (void)known_folder(&FOLDERID_ProgramData, "AzureConnectedMachineAgent\\Tokens", out, cap);
}

void default_paths_arc_agent(char *out, size_t cap)
{
    (void)known_folder(&FOLDERID_ProgramFiles, "AzureConnectedMachineAgent\\himds.exe", out, cap);
}

void default_paths_keymap(char *out, size_t cap)
{
    (void)snprintf(out, cap, "%s", "");
}

/* Any user may make folders under ProgramData, and could put a link to another file in the place of
 * the log. So the folder must have safe rights. */
void default_paths_log(char *out, size_t cap)
{
    char folder[PATH_UNITS];
    bool safe = own_folder(folder, sizeof folder) && plat_folder_exists(folder) &&
                path_folder_trusted(folder);
    int len = safe ? snprintf(out, cap, "%s\\akv-ekm.log", folder) : -1;
    if (len < 0 || (size_t)len >= cap) {
        out[0] = '\0';
    }
}
