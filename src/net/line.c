#include "net/line.h"

#include <stddef.h>

void line_join(struct line_place **line, struct line_place *place)
{
    static const struct plat_cond fresh = PLAT_COND_INIT;
    while (*line != NULL && (*line)->deadline_ms <= place->deadline_ms) {
        line = &(*line)->next;
    }
    place->turn = fresh;
    place->next = *line;
    *line = place;
}

void line_leave(struct line_place **line, const struct line_place *place)
{
    while (*line != place) {
        line = &(*line)->next;
    }
    *line = place->next;
}
