/* The wings of the worker, as CMakeLists.txt declares them: a static library each, its folders, and
 * the wings that its files may see. */
#ifndef UNIT_WINGS_H
#define UNIT_WINGS_H

#include <stdbool.h>

#include "base/slice.h"

/* One row for each folder of a wing. */
struct wing {
    const char *name;   /* its library is lib<name>.a */
    const char *folder; /* worker/… */
    bool is_pure;       /* no clock, socket, file, thread, environment or chance */
    const char *sees;   /* names of other wings, each in quotes */
};

static const struct wing WINGS[] = {
#define WING(name, folder, is_pure, ...) {name, folder, is_pure, " " #__VA_ARGS__ " "},
#include "wings.inc"
#undef WING
};

static inline bool wing_sees(const struct wing *wing, const char *other)
{
    char quoted[64];
    (void)snprintf(quoted, sizeof quoted, "\"%s\"", other);
    return strcmp(wing->name, other) == 0 || strstr(wing->sees, quoted) != NULL;
}

/* The row of a folder such as worker/wire/formats; NULL when no wing has it. */
static inline const struct wing *wing_of(struct slice folder)
{
    for (size_t i = 0; i < sizeof WINGS / sizeof *WINGS; i++)
        if (slice_equal_text(folder, WINGS[i].folder))
            return &WINGS[i];
    return NULL;
}

#endif
