#include "wire/bedrock/dialects.h"

#include "base/check.h"
#include "wire/bedrock/converse/converse.h"
#include "wire/bedrock/invoke/invoke.h"

static const struct dialect *const ROWS[] = {
    &dialect_converse,
#define FAMILY(id, name, provider, models, shape, stop_key, takes) &invoke_dialects[INVOKE_##id],
#include "wire/bedrock/invoke/families.def"
#undef FAMILY
};
static const struct api_name *const APIS[] = {&api_converse.name, &api_invoke.name};

static const struct dialects OURS = {ROWS, COUNT_OF(ROWS)};

static bool is_of_api(const struct dialect *dialect, const struct request *request)
{
    return request->api.ptr == NULL || slice_equal_text(request->api, dialect->api->name.api);
}

/* NULL: there is none of that API. */
static const struct dialect *find(const struct dialects *dialects, const struct request *request)
{
    const struct dialect *first = NULL;
    for (size_t i = 0; i < dialects->count; i++) {
        const struct dialect *row = dialects->rows[i];
        if (!is_of_api(row, request))
            continue;
        if (row->family->serves == NULL || row->family->serves(row->family, request))
            return row;
        if (first == NULL)
            first = row;
    }
    return first;
}

const struct dialect *dialect_for(const struct dialects *dialects, const struct request *request)
{
    const struct dialect *row = find(dialects == NULL ? &OURS : dialects, request);
    CHECK(row != NULL);
    return row;
}

void dialect_choose(struct request *request)
{
    bool is_custom = slice_equal_text(request->traits.provider, "custom");
    if (request->api.ptr == NULL && (is_custom || traits_has(&request->traits, TRAIT_NO_CONVERSE)))
        request->api = slice_of_text(api_invoke.name.api);
    const struct dialect *row = find(&OURS, request);
    if (row != NULL && row->family->forms != NULL)
        request->forms = row->family->forms(row->family);
}

enum err dialect_check(const struct request *request, struct why *ret_why)
{
    const struct dialect *row = find(&OURS, request);
    if (row == NULL || row->family->check == NULL)
        return OK;
    return row->family->check(row->family, request, ret_why);
}

const struct api_name *const *dialect_apis(size_t *ret_count)
{
    *ret_count = COUNT_OF(APIS);
    return APIS;
}
