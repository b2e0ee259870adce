#include "wire/chat/unsent.h"

#define BIT(parameter) (1U << (parameter))

static bool is_sent_all_the_same(const struct reader *reader)
{
    const struct catalog *catalog = reader->catalog;
    for (size_t i = 0; i < catalog->api_count; i++)
        if (slice_equal_text(reader->request->api, catalog->apis[i]->api))
            return catalog->apis[i]->sends_refused;
    return false;
}

static uint32_t refused(const struct reader *reader)
{
    bool is_refused = traits_has(&reader->request->traits, TRAIT_NO_SAMPLING);
    return is_refused && !is_sent_all_the_same(reader)
               ? BIT(PARAMETER_TEMPERATURE) | BIT(PARAMETER_TOP_P)
               : 0;
}

/* {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}} */
static enum err too_high(struct reader *reader, uint32_t *ret_refused)
{
    const struct request *request = reader->request;
    const struct json *fields = NULL;
    *ret_refused = 0;
    if (request->parameters[PARAMETER_MAX_TOKENS].ptr == NULL ||
        request->additional_fields.ptr == NULL)
        return OK;
    if (json_parse(reader->scratch, request->additional_fields, &fields, NULL) != OK)
        return reader_no_memory(reader);
    const struct json *config = json_member(fields, "reasoningConfig");
    const struct json *type = json_member(config, "type");
    const struct json *effort = json_member(config, "maxReasoningEffort");
    if (type != NULL && json_equal_text(type, "enabled") && effort != NULL &&
        json_equal_text(effort, "high"))
        *ret_refused = BIT(PARAMETER_MAX_TOKENS);
    return OK;
}

enum err unsent_drop(struct reader *reader, const struct model_alias *alias)
{
    struct request *request = reader->request;
    uint32_t unsent = 0;
    if (alias != NULL && alias->has_drop && alias->drop == 0)
        return OK;
    enum err err = too_high(reader, &unsent);
    unsent |= refused(reader) | (alias == NULL ? 0 : alias->drop);
    for (enum parameter i = 0; err == OK && i < PARAMETER_COUNT; i++) {
        if ((unsent & BIT(i)) == 0 || request->parameters[i].ptr == NULL)
            continue;
        request->parameters[i] = SLICE_NULL;
        request->dropped |= BIT(i);
    }
    return err;
}

void unsent_add_names(struct buf *names, uint32_t dropped)
{
    for (enum parameter i = 0; i < PARAMETER_COUNT; i++)
        if ((dropped & BIT(i)) != 0)
            buf_addf(names, "%s%s", names->len > 0 ? ", " : "", parameter_rows[i].name);
    if ((dropped & REQUEST_DROPPED_EFFORT) != 0)
        buf_addf(names, "%sreasoning.effort", names->len > 0 ? ", " : "");
}
