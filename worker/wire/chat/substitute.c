#include "wire/chat/substitute.h"

/* Whether the request gives the text itself: it is not the default of its alias. */
static bool is_given(struct slice value, const struct model_alias *alias, struct slice preset)
{
    bool is_preset = alias->presets != NULL && value.ptr == preset.ptr;
    return value.ptr != NULL && !is_preset;
}

#define IS_GIVEN(own, member)                                                                      \
    is_given((own)->member, (own)->alias,                                                          \
             (own)->alias->presets == NULL ? SLICE_NULL : (own)->alias->presets->member)

/* What only the model is for that the request names. */
static enum err check_own(const struct request *own, struct why *ret_why)
{
    const struct {
        const char *field;
        bool is_given;
    } rows[] = {
        {"count_tokens", own->count_tokens},
        {"provider", IS_GIVEN(own, provider)},
        {"base_model", IS_GIVEN(own, base_model)},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].is_given)
            return why_set(ret_why, ERR_UNSUPPORTED_FIELD, rows[i].field,
                           "is of the model that the request names");
    if (slice_equal_text(own->traits.provider, "custom"))
        return why_set(ret_why, ERR_UNSUPPORTED_FIELD, "additional_model_request_fields",
                       "is the body for the model that the request names");
    return OK;
}

/* Fields of a model's vendor go to models of this vendor, guardrails exist in one region of one
 * account. */
static enum err check_both(const struct request *own, const struct request *other,
                           struct why *ret_why)
{
    if (own->has_own_fields && !slice_equal(own->traits.provider, other->traits.provider))
        return why_set(ret_why, ERR_UNSUPPORTED_FIELD, "additional_model_request_fields",
                       "are of another provider's models");
    bool is_elsewhere =
        own->identity != other->identity || !slice_equal(own->region, other->region);
    if (is_elsewhere && IS_GIVEN(own, guardrail.identifier))
        return why_set(ret_why, ERR_UNSUPPORTED_FIELD, "guardrail",
                       "is of another region or account");
    return OK;
}

enum err substitute_read(struct arena *arena, const struct request_source *source,
                         const struct request *own, struct request *ret_request,
                         struct why *ret_why)
{
    why_clear(ret_why);
    enum err err = check_own(own, ret_why);
    if (err == OK)
        err = request_from_headers(arena, source->record, ret_request, ret_why);
    if (err == OK)
        err = request_read_on(arena, source, SLICE_NULL, ret_request, ret_why);
    return err == OK ? check_both(own, ret_request, ret_why) : err;
}
