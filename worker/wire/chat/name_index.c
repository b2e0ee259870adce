#include "wire/chat/name_index.h"

struct name_index {
    struct name_index *next[2];
    struct slice name;
    size_t place;
};

size_t name_index_find(const struct name_index *index, struct slice name)
{
    for (uint64_t bits = slice_hash(name, 0); index != NULL && !slice_equal(index->name, name);
         bits >>= 1)
        index = index->next[bits & 1];
    return index == NULL ? NAME_INDEX_NONE : index->place;
}

bool name_index_add(struct arena *arena, struct name_index **index, struct slice name, size_t place,
                    size_t *ret_place)
{
    struct name_index **at = index;
    for (uint64_t bits = slice_hash(name, 0); *at != NULL && !slice_equal((*at)->name, name);
         bits >>= 1)
        at = &(*at)->next[bits & 1];
    if (*at == NULL) {
        *at = arena_new(arena, sizeof **at);
        if (*at == NULL)
            return false;
        **at = (struct name_index){.name = name, .place = place};
    }
    *ret_place = (*at)->place;
    return true;
}
