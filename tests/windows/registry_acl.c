/* registry_acl.exe KEY none|read|full: the rights everybody has to a key of HKLM. Wine's reg cannot
 * set them. */
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

static LSTATUS set_rights(HKEY key, PSECURITY_DESCRIPTOR rights)
{
    return RegSetKeySecurity(key, DACL_SECURITY_INFORMATION, rights);
}

int main(int argc, char **argv)
{
    const wchar_t *text = NULL;
    PSECURITY_DESCRIPTOR rights = NULL;
    HKEY key = NULL;
    for (size_t i = 0; argc == 3 && i < sizeof choices / sizeof *choices; i++)
        if (strcmp(argv[2], choices[i].name) == 0)
            text = choices[i].rights;
    if (!text) {
        fputs("usage: registry_acl KEY none|read|full\n", stderr);
        return 2;
    }
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, &rights, NULL))
        return 1;
    LSTATUS status = RegOpenKeyExA(HKEY_LOCAL_MACHINE, argv[1], 0, WRITE_DAC, &key);
    if (status == ERROR_SUCCESS)
        status = set_rights(key, rights);
    if (status != ERROR_SUCCESS)
        fprintf(stderr, "registry_acl: system error %ld\n", status);
    return status != ERROR_SUCCESS;
}
