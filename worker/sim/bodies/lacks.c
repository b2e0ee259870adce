#include "sim/bodies/lacks.h"

#include "base/attr.h"
#include "base/glob.h"

static const struct {
    enum lack what;
    const char *glob, *except;
} ROWS[] = {
#define LACKS(what, glob, except) {LACK_##what, glob, except},
#include "sim/bodies/lacks.def"
#undef LACKS
};

bool model_lacks(struct slice model, enum lack what)
{
    for (size_t i = 0; i < COUNT_OF(ROWS); i++)
        if (ROWS[i].what == what && glob_match(slice_of_text(ROWS[i].glob), model, false))
            return ROWS[i].except == NULL ||
                   !glob_match(slice_of_text(ROWS[i].except), model, false);
    return false;
}
