#include "net/wait_queue.h"

#include <stddef.h>

void wait_queue_join(struct wait_queue_place **line, struct wait_queue_place *place)
{
    static const struct plat_cond fresh = PLAT_COND_INIT;
    while (*line != NULL && (*line)->deadline_ms <= place->deadline_ms) {
        line = &(*line)->next;
    }
    place->turn = fresh;
    place->next = *line;
    *line = place;
}

void wait_queue_leave(struct wait_queue_place **line, const struct wait_queue_place *place)
{
    while (*line != place) {
        line = &(*line)->next;
    }
    *line = place->next;
}
