#include "wire/chat/messages.h"

#include "wire/chat/blocks.h"
#include "wire/chat/calls.h"
#include "wire/formats/path.h"

/* The members of a message. What LangChain prints of an answer is ignored, so that a response's
 * message can be put back as it is. `only` is where a member may stand; NULL = everywhere. */
static const struct member_row {
    const char *name;
    const char *only;
    enum role role; /* of `only` */
    bool is_list;   /* LangChain prints an empty one beside every answer */
} member_rows[] = {
    {.name = "role"},
    {.name = "type"},
    {.name = "content"},
    {.name = "id"},
    {.name = "name"},
    {.name = "invalid_tool_calls"},
    {.name = "usage_metadata"},
    {.name = "response_metadata"},
    {.name = "additional_kwargs"},
    {.name = "chunk_position"},
    {.name = "example"},
    {"tool_calls", "is allowed in assistant messages only", ROLE_ASSISTANT, true},
    {"tool_call_chunks", "is allowed in assistant messages only", ROLE_ASSISTANT, true},
    {"tool_call_id", "is allowed in tool messages only", ROLE_TOOL, false},
    {"status", "is allowed in tool messages only", ROLE_TOOL, false},
    {"artifact", "is allowed in tool messages only", ROLE_TOOL, false},
};

/* --- roles --- */

static const struct {
    const char *name;
    enum role role;
} roles[] = {
    {"system", ROLE_SYSTEM},
    {"developer", ROLE_SYSTEM},
    {"user", ROLE_USER},
    {"human", ROLE_USER},
    {"assistant", ROLE_ASSISTANT},
    {"ai", ROLE_ASSISTANT},
    {"tool", ROLE_TOOL},
    /* LangChain's sums of chunks say these */
    {"AIMessageChunk", ROLE_ASSISTANT},
    {"HumanMessageChunk", ROLE_USER},
    {"SystemMessageChunk", ROLE_SYSTEM},
    {"ToolMessageChunk", ROLE_TOOL},
};

enum err message_role(struct reader *reader, struct slice name, const char *path,
                      enum role *ret_role)
{
    for (size_t i = 0; i < COUNT_OF(roles); i++) {
        if (slice_equal_text(name, roles[i].name)) {
            *ret_role = roles[i].role;
            return OK;
        }
    }
    return why_set(&reader->why, ERR_INVALID, path,
                   "must be system, user (human), assistant (ai) or tool");
}

static enum err read_role(struct reader *reader, const struct json *node, const char *path,
                          enum role *ret_role)
{
    struct slice name;
    if (!json_is(node, JSON_STRING))
        return why_set(&reader->why, ERR_INVALID, path, "must be a string");
    if (!json_string(reader->scratch, node, &name))
        return reader_no_memory(reader);
    return message_role(reader, name, path, ret_role);
}

/* --- messages as JSON --- */

/* Converse requires a user turn first. `index` is the message's. */
enum err message_check_first(struct turns *turns, enum role role, const char *list, size_t index)
{
    bool is_free = turns->reader->request->forms.is_free;
    if (role != ROLE_ASSISTANT || turns->count > 0 || turns->is_broken || is_free)
        return OK;
    return why_set(&turns->reader->why, ERR_INVALID, path_element(list, index).text,
                   "the conversation must begin with a user message (after system messages)");
}

struct message {
    enum role role;
    const struct json *node;    /* NULL: a pair */
    const struct json *content; /* NULL = none */
    struct path path, content_path;
    bool is_whole; /* role and content are known */
};

/* ["human", "…"] */
static enum err read_pair(struct reader *reader, const struct json *node, const char *path,
                          struct message *ret_message)
{
    if (node->count != 2)
        return why_set(&reader->why, ERR_INVALID, path,
                       "a message that is an array must be [role, content]");
    ret_message->content_path = path_element(path, 1);
    ret_message->content = node->first->next;
    struct path role_path = path_element(path, 0);
    enum err err = read_role(reader, node->first, role_path.text, &ret_message->role);
    if (err == OK && ret_message->role == ROLE_TOOL)
        err = why_set(&reader->why, ERR_INVALID, role_path.text,
                      "a tool message must be an object, with the tool_call_id that it answers");
    ret_message->is_whole = err == OK;
    return err;
}

static const struct member_row *find_member(struct slice name)
{
    for (size_t i = 0; i < COUNT_OF(member_rows); i++)
        if (slice_equal_text(name, member_rows[i].name))
            return &member_rows[i];
    return NULL;
}

/* What is wrong with it; NULL = nothing. `role` is NULL when it is not known. */
static const char *fault_of(const struct member_row *row, const struct json *member,
                            const enum role *role)
{
    bool is_list = row->is_list && member->kind == JSON_ARRAY;
    if (row->is_list && !is_list && member->kind != JSON_NULL)
        return "must be an array";
    if (row->only == NULL || role == NULL || *role == row->role)
        return NULL;
    bool says = is_list ? member->count > 0 : member->kind != JSON_NULL;
    return says ? row->only : NULL;
}

static enum err unknown_member(struct reader *reader, struct slice name, const char *path)
{
    const char *names[COUNT_OF(member_rows)];
    for (size_t i = 0; i < COUNT_OF(member_rows); i++)
        names[i] = member_rows[i].name;
    if (slice_equal_text(name, "cache_control"))
        return why_set(&reader->why, ERR_INVALID, path_member(path, name).text,
                       "stands on a block of the content, or on the request");
    return reader_unknown_member(reader, path, name, names, COUNT_OF(names));
}

static enum err check_member(struct reader *reader, const struct json *member,
                             const enum role *role, const char *path)
{
    const struct member_row *row = find_member(member->name);
    if (row == NULL)
        return unknown_member(reader, member->name, path);
    const char *words = fault_of(row, member, role);
    if (words == NULL)
        return OK;
    return why_set(&reader->why, ERR_INVALID, path_member(path, member->name).text, "%s", words);
}

/* False: the reading ends. */
static bool check_members(struct turns *turns, const struct json *node, const enum role *role,
                          const char *path)
{
    bool goes_on = true;
    for (const struct json *member = node->first; goes_on && member != NULL; member = member->next)
        goes_on = turns_note(turns, check_member(turns->reader, member, role, path));
    return goes_on;
}

/* OpenAI leaves it out, or null, beside calls; a tool may have nothing to say. */
static bool may_be_empty(const struct message *message)
{
    const struct json *calls = json_member(message->node, "tool_calls");
    return message->role == ROLE_TOOL ||
           (message->role == ROLE_ASSISTANT && json_is(calls, JSON_ARRAY) && calls->count > 0);
}

/* {"role": "user", "content": …}, or LangChain's print with `type` */
static enum err read_object(struct turns *turns, const struct json *node, const char *path,
                            struct message *ret_message)
{
    struct reader *reader = turns->reader;
    const struct json *role = json_member(node, "role"), *type = json_member(node, "type");
    ret_message->node = node;
    struct path role_path =
        path_member(path, role == NULL && type != NULL ? SLICE("type") : SLICE("role"));
    ret_message->content = json_member(node, "content");
    ret_message->content_path = path_member(path, SLICE("content"));
    if (role == NULL && type == NULL)
        return why_set(&reader->why, ERR_INVALID, role_path.text, "missing");
    if (role != NULL && type != NULL)
        return why_set(&reader->why, ERR_INVALID, role_path.text,
                       "given twice: as role and as type");
    enum err err =
        read_role(reader, role != NULL ? role : type, role_path.text, &ret_message->role);
    ret_message->is_whole = err == OK;
    if (!turns_note(turns, err) ||
        !check_members(turns, node, err == OK ? &ret_message->role : NULL, path))
        return OK;
    if (ret_message->is_whole && may_be_empty(ret_message)) {
        if (json_is(ret_message->content, JSON_NULL))
            ret_message->content = NULL;
        return OK;
    }
    if (ret_message->content != NULL)
        return OK;
    ret_message->is_whole = false;
    return why_set(&reader->why, ERR_INVALID, ret_message->content_path.text, "missing");
}

/* --- what a message says --- */

static enum err add_tool_message(struct turns *turns, const struct message *message)
{
    struct reader *reader = turns->reader;
    const struct json *id = json_member(message->node, "tool_call_id");
    const struct json *status = json_member(message->node, "status");
    bool is_error = json_equal_text(status, "error");
    if (!reader_is_full_string(id))
        return why_set(&reader->why, ERR_INVALID,
                       path_member(message->path.text, SLICE("tool_call_id")).text, "%s",
                       id == NULL ? "missing: the id of the call that the message answers"
                                  : "must be a string that is not empty");
    if (status != NULL && status->kind != JSON_NULL && !is_error &&
        !json_equal_text(status, "success"))
        return why_set(&reader->why, ERR_INVALID,
                       path_member(message->path.text, SLICE("status")).text,
                       "must be success or error");
    return blocks_add_tool_message(turns, id->source, is_error, message->content,
                                   message->content_path.text);
}

/* Of an answer by a model of another provider, which this one refuses: langchain-aws,
 * _drop_foreign_reasoning. */
static bool is_foreign(struct reader *reader, const struct json *node)
{
    static const char *const own[] = {"bedrock_converse", "bedrock", "bedrock-converse"};
    const struct json *metadata = json_member(node, "response_metadata");
    const struct json *by = json_member(metadata, "model_provider");
    const struct json *name = json_member(metadata, "model_name");
    struct slice text, provider = reader->request->traits.provider;
    if (reader_is_full_string(by) && json_string(reader->scratch, by, &text) &&
        !slice_is_one_of(text, own, COUNT_OF(own)))
        return true;
    if (provider.len == 0 || !reader_is_full_string(name) ||
        !json_string(reader->scratch, name, &text))
        return false;
    struct model_traits of_answer = traits_of(text, SLICE_NULL, SLICE_NULL);
    return of_answer.provider.len > 0 && !slice_equal_nocase(of_answer.provider, provider);
}

static bool drops_reasoning(struct reader *reader, const struct message *message)
{
    const struct model_traits *traits = &reader->request->traits;
    return traits_has(traits, TRAIT_NO_REASONING) || traits_has(traits, TRAIT_INLINE_REASONING) ||
           is_foreign(reader, message->node);
}

static enum err add_message(struct turns *turns, const struct message *message)
{
    const char *path = message->content_path.text;
    const struct json *calls = json_member(message->node, "tool_calls");
    enum err err;
    if (message->role == ROLE_TOOL)
        return add_tool_message(turns, message);
    turns->drops_reasoning =
        message->role == ROLE_ASSISTANT && drops_reasoning(turns->reader, message);
    if (message->content == NULL)
        err = blocks_add_text(turns, message->role, TEXT_MESSAGE, SLICE(""), path);
    else
        err = blocks_add_content(turns, message->role, message->content, path);
    if (turns_note(turns, err) && json_is(calls, JSON_ARRAY))
        err = calls_read(turns, calls, path_member(message->path.text, SLICE("tool_calls")).text);
    else
        err = OK;
    return err;
}

enum err message_read(struct turns *turns, const struct json *node, const char *list, size_t index)
{
    struct reader *reader = turns->reader;
    struct message message = {.node = NULL, .path = path_element(list, index)};
    const char *path = message.path.text;
    enum err err;
    if (node->kind == JSON_ARRAY)
        err = read_pair(reader, node, path, &message);
    else if (node->kind == JSON_OBJECT)
        err = read_object(turns, node, path, &message);
    else
        err = why_set(&reader->why, ERR_INVALID, path,
                      "a message must be an object or [role, content]");
    if (err != OK || !message.is_whole)
        return err;
    err = message_check_first(turns, message.role, list, index);
    return turns_note(turns, err) ? add_message(turns, &message) : OK;
}
