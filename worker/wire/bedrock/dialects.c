#include "wire/bedrock/dialects.h"

#include "base/check.h"
#include "wire/bedrock/converse/converse.h"

static const struct dialect *const ROWS[] = {&dialect_converse};
static const struct api_name *const APIS[] = {&api_converse.name};

const struct dialect *dialect_for(const struct dialects *dialects, const struct request *request)
{
    static const struct dialects OURS = {ROWS, COUNT_OF(ROWS)};
    if (dialects == NULL)
        dialects = &OURS;
    size_t row = 0;
    while (row < dialects->count && request->api.ptr != NULL &&
           !slice_equal_text(request->api, dialects->rows[row]->api->name.api))
        row++;
    CHECK(row < dialects->count);
    return dialects->rows[row];
}

const struct api_name *const *dialect_apis(size_t *ret_count)
{
    *ret_count = COUNT_OF(APIS);
    return APIS;
}
