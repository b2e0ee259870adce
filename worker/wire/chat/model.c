#include "wire/chat/model.h"

#include "wire/chat/effort.h"
#include "wire/chat/presets.h"
#include "wire/chat/unsent.h"
#include "wire/formats/text.h"

#define NAME_SHOWN_BYTES 128
#define ARN_REGION       3 /* of arn:partition:service:region:account:resource */

static const struct model_alias *find_alias(const struct catalog *catalog, struct slice name)
{
    for (size_t i = 0; i < catalog->alias_count; i++)
        if (slice_equal(catalog->aliases[i].name, name))
            return &catalog->aliases[i];
    return NULL;
}

/* The region of an ARN; the null slice for ids, and for ARNs that leave it out. False: it is not
 * complete. */
static bool region_of(struct slice model, struct slice *ret_region)
{
    struct slice rest = model;
    *ret_region = SLICE_NULL;
    if (!slice_starts(model, SLICE("arn:")))
        return true;
    for (size_t i = 0; i < ARN_REGION; i++)
        rest = slice_sub(rest, slice_find(rest, ':') + 1, SIZE_MAX);
    size_t len = slice_find(rest, ':');
    if (len == rest.len || (len > 0 && !text_is_region(slice_sub(rest, 0, len))))
        return false;
    if (len > 0)
        *ret_region = slice_sub(rest, 0, len);
    return true;
}

struct slice model_region_of(const struct model_alias *alias)
{
    struct slice region = alias->region;
    if (region.len == 0 && !region_of(alias->id, &region))
        region = SLICE_NULL;
    return region;
}

static void fill_in(struct slice *value, struct slice fallback)
{
    if (value->ptr == NULL)
        *value = fallback;
}

static enum err unknown_model(struct reader *reader, struct slice name)
{
    const struct catalog *catalog = reader->catalog;
    struct names aliases = {catalog->aliases, catalog->alias_count, sizeof *catalog->aliases};
    struct buf words OWNED_BY(buf_done);
    buf_init(&words, 2 * WHY_MESSAGE_MAX);
    buf_addf(&words, "\"%.*s\" is neither an alias from the settings nor a model id or ARN",
             SLICE_ARG(slice_sub(name, 0, NAME_SHOWN_BYTES)));
    reader_add_names(&words, name, aliases, "aliases", "the settings have no aliases");
    return why_set(&reader->why, ERR_UNKNOWN_MODEL, "model", "%s", buf_text(&words));
}

static enum err apply_alias(struct reader *reader, const struct model_alias *alias)
{
    struct request *request = reader->request;
    request->alias = alias;
    if (alias->region.len > 0)
        request->region = alias->region;
    request->identity = alias->identity;
    if (!slice_equal_text(alias->api, "auto"))
        fill_in(&request->api, alias->api);
    for (enum parameter i = 0; i < PARAMETER_COUNT; i++)
        if (!reader_has_own_field(reader, i))
            fill_in(&request->parameters[i], alias->defaults[i]);
    return alias->presets == NULL ? OK : presets_apply(reader, alias->presets);
}

/* What follows from the model: what is known of it, and what it gets of what the request gives. */
static enum err suit_model(struct reader *reader, const struct model_alias *alias)
{
    struct request *request = reader->request;
    request->traits = traits_recall(reader->catalog->memo, request->model, request->base_model,
                                    request->provider);
    if (reader->catalog->choose != NULL)
        reader->catalog->choose(request);
    enum err err = effort_apply(reader);
    return err == OK ? unsent_drop(reader, alias) : err;
}

enum err model_resolve(struct reader *reader)
{
    struct request *request = reader->request;
    fill_in(&request->model_requested, reader->catalog->default_model);
    struct slice name = request->model_requested;
    if (name.len == 0)
        return why_set(&reader->why, ERR_INVALID, "model",
                       "missing, and the settings have no default model");
    const struct model_alias *alias =
        reader->in_place != NULL ? reader->in_place : find_alias(reader->catalog, name);
    struct slice model = alias != NULL ? alias->id : name;
    if (alias == NULL && slice_find(name, '.') == name.len && slice_find(name, ':') == name.len)
        return unknown_model(reader, name);
    if (!region_of(model, &request->region))
        return why_set(&reader->why, ERR_INVALID, "model", "is not a complete ARN");
    if (!text_is_model(model))
        return unknown_model(reader, name);
    request->model = model;
    enum err err = alias != NULL ? apply_alias(reader, alias) : OK;
    return err == OK ? suit_model(reader, alias) : err;
}
