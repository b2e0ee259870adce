#include "wire/chat/traits.h"

#include <string.h>

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

static const struct effort_row {
    struct model_effort effort;
    const char *glob;
} effort_rows[] = {
#define EFFORT(form, levels, glob) {{levels, EFFORT_##form}, glob},
#include "wire/chat/traits.def"
};

static const struct effort_member effort_members[] = {
#define FORM(name, member, value) {EFFORT_##name, member, value},
#include "wire/chat/traits.def"
};

static const struct {
    enum trait trait;
    const char *provider;
} provider_rows[] = {
#define FROM(name, provider) {TRAIT_##name, provider},
#include "wire/chat/traits.def"
};

struct token_row {
    uint32_t tokens;
    const char *glob;
};

static const struct token_row burndown_rows[] = {
#define BURNDOWN(tokens, glob) {tokens, glob},
#include "wire/chat/traits.def"
};

static const struct token_row max_output_rows[] = {
#define MAX_OUTPUT(tokens, glob) {tokens, glob},
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

/* The part of an ARN's resource that says the model: the first one with a dot, as in
 * `custom-model/amazon.nova-lite-v1:0/x`; else the last one, which says nothing. */
static struct slice name_of_arn(struct slice arn)
{
    struct slice rest = slice_sub(arn, slice_find(arn, '/') + 1, SIZE_MAX), part = SLICE_NULL;
    while (rest.len > 0 && slice_find(part, '.') == part.len) {
        part = slice_sub(rest, 0, slice_find(rest, '/'));
        rest = slice_sub(rest, part.len + 1, SIZE_MAX);
    }
    return part;
}

struct slice traits_id(struct slice model)
{
    return slice_starts(model, SLICE("arn:")) ? name_of_arn(model) : model;
}

struct slice traits_name(struct slice model)
{
    return without_geo(traits_id(model));
}

static uint32_t match(struct slice name, struct slice model)
{
    bool is_arn = slice_starts(model, SLICE("arn:"));
    uint32_t has = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct slice glob = slice_of_text(rows[i].glob);
        uint32_t bit = 1U << rows[i].trait;
        if (glob_match(glob, name, true) || (is_arn && glob_match(glob, model, true)))
            has = rows[i].has ? has | bit : has & ~bit;
    }
    return has;
}

/* A model's place in the memo; NULL: its name is too long. */
static struct traits_known *slot_of(struct traits_memo *memo, struct slice model)
{
    if (model.len == 0 || model.len > TRAITS_MEMO_NAME_BYTES)
        return NULL;
    size_t mixed = model.len + 3 * (unsigned char)model.ptr[model.len / 2] +
                   5 * (unsigned char)model.ptr[model.len - 1];
    return &memo->slots[mixed % TRAITS_MEMO_SLOTS];
}

/* As match, of a model that says itself what it is. */
static uint32_t recall(struct traits_memo *memo, struct slice name, struct slice model)
{
    struct traits_known *known = slot_of(memo, model);
    if (known == NULL)
        return match(name, model);
    if (slice_equal(slice_of(known->model, known->len), model))
        return known->has;
    memcpy(known->model, model.ptr, model.len);
    known->len = model.len;
    known->has = match(name, model);
    return known->has;
}

struct model_traits traits_recall(struct traits_memo *memo, struct slice model,
                                  struct slice base_model, struct slice provider)
{
    struct model_traits traits = {.name = traits_name(base_model.len > 0 ? base_model : model),
                                  .provider = provider};
    size_t dot = slice_find(traits.name, '.');
    if (provider.len == 0)
        traits.provider = dot < traits.name.len ? slice_sub(traits.name, 0, dot) : SLICE_NULL;
    traits.has = memo != NULL && base_model.len == 0 ? recall(memo, traits.name, model)
                                                     : match(traits.name, model);
    for (size_t i = 0; i < COUNT_OF(provider_rows); i++)
        if (slice_equal_text(traits.provider, provider_rows[i].provider))
            traits.has |= 1U << provider_rows[i].trait;
    return traits;
}

struct model_traits traits_of(struct slice model, struct slice base_model, struct slice provider)
{
    return traits_recall(NULL, model, base_model, provider);
}

const struct model_effort *traits_effort(const struct model_traits *traits)
{
    for (const struct effort_row *row = effort_rows; row < effort_rows + COUNT_OF(effort_rows);
         row++)
        if (glob_match(slice_of_text(row->glob), traits->name, true))
            return &row->effort;
    return NULL;
}

const struct effort_member *traits_effort_members(size_t *ret_count)
{
    *ret_count = COUNT_OF(effort_members);
    return effort_members;
}

bool traits_has(const struct model_traits *traits, enum trait trait)
{
    return (traits->has & 1U << trait) != 0;
}

/* Of the first row that matches, else 1. */
static uint32_t tokens_of(const struct token_row *rows_of_kind, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++)
        if (glob_match(slice_of_text(rows_of_kind[i].glob), name, true))
            return rows_of_kind[i].tokens;
    return 1;
}

uint32_t traits_burndown(const struct model_traits *traits)
{
    return tokens_of(burndown_rows, COUNT_OF(burndown_rows), traits->name);
}

uint32_t traits_max_output(const struct model_traits *traits)
{
    return tokens_of(max_output_rows, COUNT_OF(max_output_rows), traits->name);
}
