#include "wire/chat/tool_choice.h"

#include "wire/formats/path.h"

bool tool_name(struct reader *reader, struct slice name, struct slice *ret_name)
{
    const struct json *node;
    if (slice_find(name, '\\') == name.len) {
        *ret_name = slice_sub(name, 1, name.len - 2);
        return true;
    }
    return json_parse(reader->scratch, name, &node, NULL) == OK &&
           json_string(reader->scratch, node, ret_name);
}

static const struct {
    const char *word;
    enum tool_choice_kind kind;
} choices[] = {
    {"auto", TOOL_CHOICE_AUTO},
    {"any", TOOL_CHOICE_ANY},
    {"required", TOOL_CHOICE_ANY}, /* OpenAI's word for it */
    {"none", TOOL_CHOICE_NONE},
};

static bool choose(struct reader *reader, const struct json *word)
{
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        if (!json_equal_text(word, choices[i].word))
            continue;
        reader->request->tool_choice.kind = choices[i].kind;
        return true;
    }
    return false;
}

static enum err choose_tool(struct reader *reader, const char *path, const struct json *name)
{
    if (!reader_is_full_string(name))
        return why_set(&reader->why, ERR_INVALID, path, "must be the name of a tool");
    reader->request->tool_choice.kind = TOOL_CHOICE_TOOL;
    reader->request->tool_choice.name = name->source;
    return OK;
}

static enum err unknown_choice(struct reader *reader, const char *path)
{
    return why_set(&reader->why, ERR_INVALID, path,
                   "must be auto, any, none or the name of a tool, as text or in Converse's, "
                   "OpenAI's or Anthropic's form");
}

/* Anthropic's {"type": "tool", "name"}, {"type": "any"} …, OpenAI's {"type": "function",
 * "function": {"name"}} */
static enum err read_typed_choice(struct reader *reader, const char *path, const struct json *value)
{
    const struct json *type = json_member(value, "type");
    struct path type_path = path_member(path, SLICE("type"));
    struct path name_path = path_member(path, SLICE("name"));
    struct path function_path = path_member(path, SLICE("function"));
    if (json_equal_text(type, "tool"))
        return choose_tool(reader, name_path.text, json_member(value, "name"));
    if (json_equal_text(type, "function"))
        return choose_tool(reader, path_member(function_path.text, SLICE("name")).text,
                           json_member(json_member(value, "function"), "name"));
    return choose(reader, type) ? OK : unknown_choice(reader, type_path.text);
}

/* {"tool": {"name"}}, {"any": {}} … */
static enum err read_converse_choice(struct reader *reader, const char *path,
                                     const struct json *value)
{
    const struct json *member = value->first;
    if (value->count != 1 || member->kind != JSON_OBJECT)
        return unknown_choice(reader, path);
    struct path member_path = path_member(path, member->name);
    if (slice_equal_text(member->name, "tool"))
        return choose_tool(reader, path_member(member_path.text, SLICE("name")).text,
                           json_member(member, "name"));
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        if (!slice_equal_text(member->name, choices[i].word))
            continue;
        reader->request->tool_choice.kind = choices[i].kind;
        return OK;
    }
    return unknown_choice(reader, member_path.text);
}

enum err request_read_tool_choice(struct reader *reader, const struct request_field *field,
                                  const struct json *value)
{
    struct tool_choice *choice = &reader->request->tool_choice;
    if (value->kind == JSON_TRUE) {
        choice->kind = TOOL_CHOICE_ANY;
        return OK;
    }
    if (value->kind == JSON_STRING)
        return choose(reader, value) ? OK : choose_tool(reader, field->name, value);
    if (value->kind != JSON_OBJECT)
        return unknown_choice(reader, field->name);
    choice->json = value->source;
    return json_member(value, "type") != NULL ? read_typed_choice(reader, field->name, value)
                                              : read_converse_choice(reader, field->name, value);
}

static bool has_tool(struct reader *reader, struct slice name)
{
    const struct request *request = reader->request;
    struct slice chosen, own;
    bool is_known = tool_name(reader, name, &chosen);
    for (size_t i = 0; i < request->tool_count; i++)
        if (request->tools[i].name.ptr != NULL && is_known &&
            tool_name(reader, request->tools[i].name, &own) && slice_equal(chosen, own))
            return true;
    return false;
}

enum err tool_choice_check(struct reader *reader)
{
    const struct request *request = reader->request;
    const struct tool_choice *choice = &request->tool_choice;
    if (choice->kind == TOOL_CHOICE_ABSENT)
        return OK;
    if (request->tool_count == 0)
        return why_set(&reader->why, ERR_INVALID, "tool_choice", "needs tools, and there are none");
    if (choice->kind == TOOL_CHOICE_TOOL && !has_tool(reader, choice->name))
        return why_set(&reader->why, ERR_INVALID, "tool_choice", "tools has no tool of this name");
    return OK;
}
