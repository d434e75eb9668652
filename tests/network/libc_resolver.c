#include <dlfcn.h>
#include <stddef.h>

#include "libc_resolver.h"

int libc_resolve(const char *node, const char *service, const struct addrinfo *hints,
                 struct addrinfo **result)
{
    typedef int (*resolver)(const char *, const char *, const struct addrinfo *,
                            struct addrinfo **);
    union {
        void *object;
        resolver function;
    } real = {.object = dlsym(RTLD_NEXT, "getaddrinfo")};
    return real.object == NULL ? EAI_SYSTEM : real.function(node, service, hints, result);
}
