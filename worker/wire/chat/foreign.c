#include "wire/chat/foreign.h"

#include "base/attr.h"

static const struct {
    const char *name, *ours, *words; /* one of the two is NULL */
} rows[] = {
#define NAME(foreign, ours)  {foreign, ours, NULL},
#define HINT(foreign, words) {foreign, NULL, words},
#include "wire/chat/foreign_names.def"
#undef NAME
#undef HINT
};

bool foreign_add_hint(struct buf *words, struct slice name)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (!slice_equal_text(name, rows[i].name))
            continue;
        if (rows[i].ours != NULL)
            buf_addf(words, "write %s", rows[i].ours);
        else
            buf_add_text(words, rows[i].words);
        return true;
    }
    return false;
}
