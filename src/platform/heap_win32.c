#include "platform/heap.h"

/* curl and cJSON are inside the DLL and wipe what they free. */
void plat_wipe_freed(void)
{
}
