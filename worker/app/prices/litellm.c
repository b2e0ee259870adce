/* LiteLLM's map: an object of models, each with prices for one token, as floats. */
#include "app/prices/imports.h"

#include <string.h>

#include "base/attr.h"
#include "base/glob.h"
#include "wire/formats/text.h"

/* The longer name before the one that it begins with. */
static const struct {
    const char *name;
    enum price_class class;
} prices[] = {
    {"cache_creation_input_token_cost_above_1hr", PRICE_CACHE_WRITE_1H},
    {"cache_creation_input_token_cost", PRICE_CACHE_WRITE_5M},
    {"cache_read_input_token_cost", PRICE_CACHE_READ},
    {"input_cost_per_token", PRICE_INPUT},
    {"output_cost_per_token", PRICE_OUTPUT},
};

static const struct {
    const char *suffix, *tier;
} suffixes[] = {
    {"", PRICE_TIER}, {"_batches", "batch"}, {"_flex", "flex"}, {"_priority", "priority"}};

static bool is_printable(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~' || text.ptr[i] == '"' || text.ptr[i] == '\\')
            return false;
    return text.len > 0 && text.len <= GLOB_COMPARED_MAX;
}

/* What a key names: `bedrock/REGION/MODEL`, `bedrock/MODEL`, `global.MODEL`, or a model. False:
 * none that the worker calls for tokens, such as a commitment's. */
static bool read_key(struct slice key, struct price_row *ret_row)
{
    struct slice region = SLICE_NULL;
    if (slice_starts(key, SLICE("bedrock/"))) {
        struct slice rest = slice_sub(key, strlen("bedrock/"), SIZE_MAX);
        bool has_region = slice_find(rest, '/') < rest.len;
        if (has_region)
            region = slice_sub(rest, 0, slice_find(rest, '/'));
        key = has_region ? slice_sub(rest, region.len + 1, SIZE_MAX) : rest;
        if (has_region && !text_is_region(region))
            return false;
    }
    if (region.ptr == NULL && slice_starts(key, SLICE(PRICE_GLOBAL "."))) {
        region = slice_sub(key, 0, strlen(PRICE_GLOBAL));
        key = slice_sub(key, strlen(PRICE_GLOBAL "."), SIZE_MAX);
    }
    *ret_row = (struct price_row){.model = key, .region = region, .tier = SLICE(PRICE_TIER)};
    return is_printable(key) && slice_find(key, '/') == key.len && slice_find(key, '.') < key.len;
}

/* What follows a price's name: a tier, or `_above_200k_tokens`. */
static bool read_suffix(struct slice suffix, struct price_row *row)
{
    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        if (!slice_equal_text(suffix, suffixes[i].suffix))
            continue;
        row->tier = slice_of_text(suffixes[i].tier);
        return true;
    }
    struct slice above = SLICE("_above_"), tokens = SLICE("k_tokens");
    int64_t thousands = 0;
    if (!slice_starts(suffix, above) || !slice_ends(suffix, tokens) ||
        suffix.len <= above.len + tokens.len ||
        !slice_to_int64(slice_sub(suffix, above.len, suffix.len - above.len - tokens.len),
                        &thousands) ||
        thousands < 1 || thousands > 1000000)
        return false;
    row->context_over = thousands * 1000;
    return true;
}

/* Takes a member of a model if it is a price. ERR_TOO_LARGE. */
static enum err take_member(struct import *import, const struct price_row *key,
                            const struct json *member)
{
    for (size_t i = 0; i < COUNT_OF(prices) && json_is(member, JSON_NUMBER); i++) {
        struct slice name = slice_of_text(prices[i].name);
        struct price_row wanted = *key;
        if (!slice_starts(member->name, name) ||
            !read_suffix(slice_sub(member->name, name.len, SIZE_MAX), &wanted))
            continue;
        struct price_row *row = import_row(import, &wanted);
        if (row == NULL)
            return ERR_TOO_LARGE;
        import_price(import, row, prices[i].class, member->source, 0, key->model);
        return OK;
    }
    return OK;
}

static bool is_zero(const struct json *price)
{
    int64_t units = 1;
    return json_is(price, JSON_NUMBER) && money_read_number(price->source, 0, &units) && units == 0;
}

static enum err take_model(struct import *import, const struct json *model)
{
    struct price_row key;
    const struct json *provider = json_member(model, "litellm_provider");
    bool is_bedrock =
        json_equal_text(provider, "bedrock") || json_equal_text(provider, "bedrock_converse");
    const struct json *mode = json_member(model, "mode");
    if (!is_bedrock || (mode != NULL && !json_equal_text(mode, "chat")) ||
        !read_key(model->name, &key))
        return OK;
    if (is_zero(json_member(model, "input_cost_per_token")) &&
        is_zero(json_member(model, "output_cost_per_token"))) {
        buf_addf(import->notes, "%.*s is left out: the map has 0 for both of its prices\n",
                 SLICE_ARG(key.model));
        return OK;
    }
    enum err err = OK;
    for (const struct json *item = model->first; item != NULL && err == OK; item = item->next)
        err = take_member(import, &key, item);
    return err;
}

enum err import_litellm(struct import *import, const struct json *root)
{
    enum err err = OK;
    for (const struct json *model = root->first; model != NULL && err == OK; model = model->next)
        err = take_model(import, model);
    return err;
}
