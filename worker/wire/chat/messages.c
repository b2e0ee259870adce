#include "wire/chat/messages.h"

#include "wire/chat/blocks.h"
#include "wire/chat/calls.h"
#include "wire/formats/path.h"

/* The members of a message beside role (or type) and content. What LangChain prints of an answer is
 * ignored, so that a response's message can be put back as it is. */
static const char *const message_members[] = {
    "role",
    "type",
    "content",
    "id",
    "name",
    "tool_calls",
    "tool_call_chunks",
    "invalid_tool_calls",
    "usage_metadata",
    "response_metadata",
    "additional_kwargs",
    "chunk_position",
    "example",
    "tool_call_id",
    "status",
    "artifact",
};

/* Members that only messages of one role may have. */
static const struct {
    const char *name;
    enum role role;
    const char *words;
} role_members[] = {
    {"tool_calls", ROLE_ASSISTANT, "is allowed in assistant messages only"},
    {"tool_call_chunks", ROLE_ASSISTANT, "is allowed in assistant messages only"},
    {"tool_call_id", ROLE_TOOL, "is allowed in tool messages only"},
    {"status", ROLE_TOOL, "is allowed in tool messages only"},
    {"artifact", ROLE_TOOL, "is allowed in tool messages only"},
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

/* LangChain prints empty lists of calls beside every answer. */
static bool says_something(const struct json *member, enum role role)
{
    bool is_list = role == ROLE_ASSISTANT && member->kind == JSON_ARRAY;
    return is_list ? member->count > 0 : member->kind != JSON_NULL;
}

/* `role` is NULL when it is not known. */
static enum err check_role_member(struct reader *reader, const struct json *member,
                                  const enum role *role, const char *path)
{
    for (size_t i = 0; i < COUNT_OF(role_members); i++)
        if (role != NULL && *role != role_members[i].role &&
            says_something(member, role_members[i].role) &&
            slice_equal_text(member->name, role_members[i].name))
            return why_set(&reader->why, ERR_INVALID, path, "%s", role_members[i].words);
    return OK;
}

static enum err check_member(struct reader *reader, const struct json *member,
                             const enum role *role, const char *path)
{
    struct path field = path_member(path, member->name);
    bool is_calls = slice_equal_text(member->name, "tool_calls") ||
                    slice_equal_text(member->name, "tool_call_chunks");
    if (slice_equal_text(member->name, "cache_control"))
        return why_set(&reader->why, ERR_INVALID, field.text,
                       "stands on a block of the content, or on the request");
    if (!slice_is_one_of(member->name, message_members, COUNT_OF(message_members)))
        return reader_unknown_member(reader, path, member->name, message_members,
                                     COUNT_OF(message_members));
    if (is_calls && member->kind != JSON_ARRAY && member->kind != JSON_NULL)
        return why_set(&reader->why, ERR_INVALID, field.text, "must be an array");
    return check_role_member(reader, member, role, field.text);
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
