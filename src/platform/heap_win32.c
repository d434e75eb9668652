#include "platform/heap.h"

/* Curl and cJSON are inside the DLL and wipe what they free. */
void plat_wipe_freed(void)
{
}
