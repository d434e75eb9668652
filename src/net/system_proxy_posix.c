#include "net/system_proxy.h"

bool system_proxy_find(const char *host, char *out, size_t cap)
{
    (void)host;
    if (cap > 0) {
        out[0] = '\0';
    }
    return false;
}

void system_proxy_forget(void)
{
}

bool system_proxy_settings(char *out, size_t cap)
{
    return system_proxy_find("", out, cap);
}
