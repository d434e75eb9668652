#include "process.h"

#include <string.h>

#include <windows.h>

void *process_load(const char *path)
{
    return LoadLibraryA(path);
}

void *process_symbol(void *library, const char *name)
{
    FARPROC address = GetProcAddress(library, name);
    void *symbol = NULL;
    memcpy(&symbol, &address, sizeof symbol);
    return symbol;
}

bool process_unload(void *library)
{
    return FreeLibrary(library) != 0;
}

/* One by one, because Wine does not report their number. */
unsigned long process_handles(void)
{
    unsigned long count = 0;
    DWORD flags;
    for (uintptr_t value = 4; value < 1 << 16; value += 4)
        count += GetHandleInformation((HANDLE)value, &flags) != 0;
    return count;
}

long process_problem(void)
{
    return (long)GetLastError();
}

void process_wipe(void *memory, size_t len)
{
    SecureZeroMemory(memory, len);
}

size_t process_visit(void (*visit)(const char *name, const volatile uint8_t *start, size_t len))
{
    MEMORY_BASIC_INFORMATION region;
    size_t seen = 0;
    const uint8_t *at = NULL;
    while (VirtualQuery(at, &region, sizeof region) == sizeof region) {
        const DWORD readable = PAGE_READONLY | PAGE_READWRITE | PAGE_WRITECOPY | PAGE_EXECUTE_READ |
                               PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY;
        if (region.State == MEM_COMMIT && (region.Protect & readable) &&
            !(region.Protect & PAGE_GUARD)) {
            visit(region.Type == MEM_IMAGE ? "image" : "memory", region.BaseAddress,
                  region.RegionSize);
            seen += region.RegionSize;
        }
        at = (const uint8_t *)region.BaseAddress + region.RegionSize;
    }
    return seen;
}
