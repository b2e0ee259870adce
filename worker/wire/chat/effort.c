#include "wire/chat/effort.h"

#include "wire/chat/merge.h"
#include "wire/chat/values.h"

#define MEMBERS_BYTES 256

/* A level is a word of traits.def, so it needs no escapes. */
static void add_value(struct buf *members, const char *value, struct slice level)
{
    for (; *value != '\0'; value++) {
        if (*value == '$')
            buf_add(members, level);
        else
            buf_add_byte(members, *value);
    }
}

static void add_members(struct buf *members, enum effort_form form, struct slice level)
{
    size_t count = 0;
    const struct effort_member *rows = traits_effort_members(&count);
    buf_add_byte(members, '{');
    for (size_t i = 0; i < count; i++) {
        if (rows[i].form != form)
            continue;
        json_add_name(members, rows[i].name);
        add_value(members, rows[i].value, level);
    }
    buf_add_byte(members, '}');
}

enum err effort_apply(struct reader *reader)
{
    struct request *request = reader->request;
    struct slice level = request->reasoning_effort;
    struct buf members OWNED_BY(buf_done);
    buf_init(&members, MEMBERS_BYTES);
    if (level.ptr == NULL)
        return OK;
    const struct model_effort *effort = traits_effort(&request->traits);
    if (effort != NULL && !choices_have(effort->levels, level))
        return choices_refuse(reader, "reasoning.effort", effort->levels, " for this model");
    if (effort == NULL || effort->form == EFFORT_UNSENT) {
        request->dropped |= REQUEST_DROPPED_EFFORT;
        return OK;
    }
    add_members(&members, effort->form, level);
    struct slice object = SLICE_NULL;
    if (members.failed != OK || !arena_copy(reader->arena, buf_slice(&members), &object))
        return reader_no_memory(reader);
    return merge_under(reader, object);
}
