#include "platform/machine_store.h"

bool plat_store_exists(void)
{
    return false;
}

enum plat_store plat_store_open(const uint8_t thumbprint[PLAT_THUMBPRINT_BYTES],
                                struct plat_store_certificate *out, uint32_t *error)
{
    (void)thumbprint;
    *out = (struct plat_store_certificate){0};
    *error = 0;
    return PLAT_STORE_ABSENT;
}

enum plat_store plat_store_sign(const struct plat_store_certificate *certificate, bool pss,
                                const uint8_t digest[32], uint8_t *out, size_t cap, size_t *len,
                                uint32_t *error)
{
    (void)certificate;
    (void)pss;
    (void)digest;
    (void)out;
    (void)cap;
    *len = 0;
    *error = 0;
    return PLAT_STORE_FAILED;
}

void plat_store_close(struct plat_store_certificate *certificate)
{
    *certificate = (struct plat_store_certificate){0};
}
