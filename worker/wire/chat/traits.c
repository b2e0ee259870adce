#include "wire/chat/traits.h"

#include "base/attr.h"
#include "base/glob.h"

static const struct {
    enum trait trait;
    const char *glob;
    bool has;
} rows[] = {
#define HAS(name, glob) {TRAIT_##name, glob, true},
#define BUT(name, glob) {TRAIT_##name, glob, false},
#include "wire/chat/traits.def"
};

/* AWS, "Supported Regions and models for inference profiles". */
static const char *const geo_prefixes[] = {"us", "eu",     "apac", "sa", "amer",  "jp",
                                           "au", "us-gov", "ca",   "in", "global"};

static struct slice without_geo(struct slice id)
{
    size_t dot = slice_find(id, '.');
    if (dot < id.len &&
        slice_is_one_of(slice_sub(id, 0, dot), geo_prefixes, COUNT_OF(geo_prefixes)))
        return slice_sub(id, dot + 1, SIZE_MAX);
    return id;
}

/* The model's part of an ARN: behind its last slash. */
static struct slice name_of(struct slice id)
{
    if (!slice_starts(id, SLICE("arn:")))
        return without_geo(id);
    size_t at = id.len;
    while (at > 0 && id.ptr[at - 1] != '/')
        at--;
    return without_geo(slice_sub(id, at, SIZE_MAX));
}

struct model_traits traits_of(struct slice model, struct slice base_model, struct slice provider)
{
    struct model_traits traits = {.name = name_of(base_model.len > 0 ? base_model : model),
                                  .provider = provider};
    size_t dot = slice_find(traits.name, '.');
    bool is_arn = slice_starts(model, SLICE("arn:"));
    if (provider.len == 0)
        traits.provider = dot < traits.name.len ? slice_sub(traits.name, 0, dot) : SLICE_NULL;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct slice glob = slice_of_text(rows[i].glob);
        uint32_t bit = 1U << rows[i].trait;
        if (glob_match(glob, traits.name, true) || (is_arn && glob_match(glob, model, true)))
            traits.has = rows[i].has ? traits.has | bit : traits.has & ~bit;
    }
    return traits;
}

bool traits_has(const struct model_traits *traits, enum trait trait)
{
    return (traits->has & 1U << trait) != 0;
}
