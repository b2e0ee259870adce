#include "wire/chat/calls.h"

#include "wire/chat/blocks.h"
#include "wire/formats/path.h"

static enum err check_members(struct reader *reader, const struct json *node, const char *path,
                              const char *const *members, size_t count)
{
    for (const struct json *member = node->first; member != NULL; member = member->next)
        if (!slice_is_one_of(member->name, members, count))
            return reader_unknown_member(reader, path, member->name, members, count);
    return OK;
}

static enum err read_name(struct reader *reader, const struct json *object, const char *path,
                          const char *member, struct slice *ret_source)
{
    const struct json *node = json_member(object, member);
    struct path field = path_member(path, slice_of_text(member));
    if (!reader_is_full_string(node))
        return why_set(&reader->why, ERR_INVALID, field.text, "%s",
                       node == NULL ? "missing" : "must be a string that is not empty");
    *ret_source = node->source;
    return OK;
}

static enum err add_call(struct turns *turns, const struct json *call, const char *path,
                         const struct json *named, const char *named_path)
{
    struct reader *reader = turns->reader;
    struct slice id, name;
    enum err err = read_name(reader, call, path, "id", &id);
    if (err == OK)
        err = read_name(reader, named, named_path, "name", &name);
    if (err != OK)
        return err;
    const struct json *input = json_member(named, named == call ? "args" : "arguments");
    return blocks_add_call(turns, id, name, input, path);
}

static enum err read_langchain(struct turns *turns, const struct json *call, const char *path)
{
    static const char *const members[] = {"name", "args", "id", "type", "index", "extras"};
    enum err err = check_members(turns->reader, call, path, members, COUNT_OF(members));
    return err == OK ? add_call(turns, call, path, call, path) : err;
}

static enum err read_openai(struct turns *turns, const struct json *call, const char *path)
{
    static const char *const members[] = {"id", "type", "function", "index"};
    static const char *const function_members[] = {"name", "arguments"};
    struct reader *reader = turns->reader;
    const struct json *function = json_member(call, "function");
    struct path function_path = path_member(path, SLICE("function"));
    enum err err = check_members(reader, call, path, members, COUNT_OF(members));
    if (err != OK)
        return err;
    if (function->kind != JSON_OBJECT)
        return why_set(&reader->why, ERR_INVALID, function_path.text, "must be an object");
    err = check_members(reader, function, function_path.text, function_members,
                        COUNT_OF(function_members));
    return err == OK ? add_call(turns, call, path, function, function_path.text) : err;
}

static enum err read_call(struct turns *turns, const struct json *call, const char *path)
{
    if (call->kind != JSON_OBJECT)
        return why_set(&turns->reader->why, ERR_INVALID, path, "must be an object");
    return json_member(call, "function") != NULL ? read_openai(turns, call, path)
                                                 : read_langchain(turns, call, path);
}

enum err calls_read(struct turns *turns, const struct json *list, const char *path)
{
    size_t index = 0;
    for (const struct json *call = list->first; call != NULL; call = call->next)
        if (!turns_note(turns, read_call(turns, call, path_element(path, index++).text)))
            return OK;
    return OK;
}
