#include "wire/chat/cache_control.h"

#include "base/attr.h"
#include "wire/formats/path.h"

static const char *const lifetimes[] = {"5m", "1h"};

static bool is_lifetime(const struct json *ttl)
{
    for (size_t i = 0; i < COUNT_OF(lifetimes); i++)
        if (json_equal_text(ttl, lifetimes[i]))
            return true;
    return false;
}

enum err cache_control_read(struct reader *reader, const char *path, const struct json *control,
                            struct slice *ret_json)
{
    static const char *const members[] = {"type", "ttl"};
    if (!json_is(control, JSON_OBJECT))
        return why_set(&reader->why, ERR_INVALID, path, "must be {\"type\": \"ephemeral\"}");
    for (const struct json *member = control->first; member != NULL; member = member->next)
        if (!slice_is_one_of(member->name, members, COUNT_OF(members)))
            return reader_unknown_member(reader, path, member->name, members, COUNT_OF(members));
    const struct json *type = json_member(control, "type"), *ttl = json_member(control, "ttl");
    if (!json_equal_text(type, "ephemeral"))
        return why_set(&reader->why, ERR_INVALID, path_member(path, SLICE("type")).text,
                       "must be ephemeral");
    if (ttl != NULL && !is_lifetime(ttl))
        return why_set(&reader->why, ERR_INVALID, path_member(path, SLICE("ttl")).text,
                       "must be 5m or 1h");
    *ret_json = control->source;
    return OK;
}

struct slice cache_control_ttl(struct slice control)
{
    for (size_t i = 0; i < COUNT_OF(lifetimes); i++) {
        struct slice rest = control, name = slice_of_text(lifetimes[i]);
        for (; rest.len >= name.len + 2; rest = slice_sub(rest, 1, SIZE_MAX))
            if (rest.ptr[0] == '"' && slice_equal(slice_sub(rest, 1, name.len), name) &&
                rest.ptr[1 + name.len] == '"')
                return slice_sub(rest, 1, name.len);
    }
    return SLICE_NULL;
}
