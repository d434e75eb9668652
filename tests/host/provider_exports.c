#include "provider_exports.h"

#include <stdio.h>
#include <string.h>

#include "platform.h"

static const char *const names[] = {"SqlCryptInitializeProvider",
                                    "SqlCryptFreeProvider",
                                    "SqlCryptOpenSession",
                                    "SqlCryptCloseSession",
                                    "SqlCryptGetProviderInfo",
                                    "SqlCryptGetNextAlgorithmId",
                                    "SqlCryptGetAlgorithmInfo",
                                    "SqlCryptCreateKey",
                                    "SqlCryptDropKey",
                                    "SqlCryptGetNextKeyId",
                                    "SqlCryptGetKeyInfoByKeyId",
                                    "SqlCryptGetKeyInfoByThumb",
                                    "SqlCryptGetKeyInfoByName",
                                    "SqlCryptExportKey",
                                    "SqlCryptImportKey",
                                    "SqlCryptEncrypt",
                                    "SqlCryptDecrypt"};

_Static_assert(sizeof(struct provider_exports) == sizeof names,
               "one pointer for each name, in the same order");

int provider_exports_find(struct provider_exports *exports, void *module, char *missing, size_t cap)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        void *address = platform_library_symbol(module, names[i]);
        if (!address) {
            snprintf(missing, cap, "%s", names[i]);
            return (int)i + 1;
        }
        memcpy((char *)exports + i * sizeof address, &address, sizeof address);
    }
    return 0;
}
