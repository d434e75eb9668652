/* registry_acl.exe KEY none|read|full: the rights everybody has to a key of HKLM and all below it,
 * since Wine's reg cannot set them. */
#include <stdio.h>
#include <string.h>

#include <windows.h>

#include <sddl.h>

/* The right to set rights again (0x40000) always stays. */
static const struct {
    const char *name;
    const wchar_t *rights;
} choices[] = {{"none", L"D:P(A;CI;0x40000;;;WD)"},
               {"read", L"D:P(A;CI;0x60019;;;WD)"},
               {"full", L"D:P(A;CI;KA;;;WD)"}};

static PSECURITY_DESCRIPTOR registry_acl_find(const char *name)
{
    PSECURITY_DESCRIPTOR rights = NULL;
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        if (strcmp(name, choices[i].name) == 0)
            ConvertStringSecurityDescriptorToSecurityDescriptorW(choices[i].rights, SDDL_REVISION_1,
                                                                 &rights, NULL);
    return rights;
}

static LSTATUS set_one(HKEY parent, const wchar_t *name, PSECURITY_DESCRIPTOR rights)
{
    HKEY key = NULL;
    LSTATUS status = RegOpenKeyExW(parent, name, 0, WRITE_DAC, &key);
    if (status != ERROR_SUCCESS)
        return status;
    status = RegSetKeySecurity(key, DACL_SECURITY_INFORMATION, rights);
    RegCloseKey(key);
    return status;
}

/* All rights first, so that what lies below can be found; the asked ones last. */
static LSTATUS set_all(HKEY parent, const wchar_t *name, PSECURITY_DESCRIPTOR rights,
                       PSECURITY_DESCRIPTOR full)
{
    HKEY key = NULL;
    wchar_t below[256];
    LSTATUS status = set_one(parent, name, full);
    if (status == ERROR_SUCCESS)
        status = RegOpenKeyExW(parent, name, 0, KEY_READ, &key);
    for (DWORD i = 0; status == ERROR_SUCCESS; i++) {
        DWORD len = sizeof below / sizeof *below;
        status = RegEnumKeyExW(key, i, below, &len, NULL, NULL, NULL, NULL);
        if (status == ERROR_SUCCESS)
            status = set_all(key, below, rights, full);
    }
    if (key)
        RegCloseKey(key);
    return status == ERROR_NO_MORE_ITEMS ? set_one(parent, name, rights) : status;
}

int main(int argc, char **argv)
{
    wchar_t name[256] = L"";
    PSECURITY_DESCRIPTOR rights = argc == 3 ? registry_acl_find(argv[2]) : NULL;
    if (!rights) {
        fputs("usage: registry_acl KEY none|read|full\n", stderr);
        return 2;
    }
    MultiByteToWideChar(CP_ACP, 0, argv[1], -1, name, 255);
    LSTATUS status = set_all(HKEY_LOCAL_MACHINE, name, rights, registry_acl_find("full"));
    if (status != ERROR_SUCCESS)
        fprintf(stderr, "registry_acl: system error %ld\n", status);
    return status != ERROR_SUCCESS;
}
