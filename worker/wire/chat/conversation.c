#include "wire/chat/conversation.h"

#include "wire/chat/blocks.h"
#include "wire/chat/structured_sent.h"
#include "wire/formats/path.h"
#include "wire/formats/text.h"

#define NAME_SHOWN_BYTES 128

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
};

/* Members that change what is sent, and that this version does not do. */
static const char *const message_members_later[] = {"cache_control", "tool_call_id", "status",
                                                    "artifact"};

/* --- roles --- */

static const struct {
    const char *name;
    enum role role;
} roles[] = {
    {"system", ROLE_SYSTEM},
    {"user", ROLE_USER},
    {"human", ROLE_USER},
    {"assistant", ROLE_ASSISTANT},
    {"ai", ROLE_ASSISTANT},
    /* LangChain's sums of chunks say these */
    {"AIMessageChunk", ROLE_ASSISTANT},
    {"HumanMessageChunk", ROLE_USER},
    {"SystemMessageChunk", ROLE_SYSTEM},
};

static enum err role_of(struct reader *reader, struct slice name, const char *path,
                        enum role *ret_role)
{
    for (size_t i = 0; i < COUNT_OF(roles); i++) {
        if (slice_equal_text(name, roles[i].name)) {
            *ret_role = roles[i].role;
            return OK;
        }
    }
    if (slice_equal_text(name, "tool") || slice_equal_text(name, "ToolMessageChunk"))
        return why_set(&reader->why, ERR_UNSUPPORTED_FIELD, path,
                       "this version does not support tools yet");
    return why_set(&reader->why, ERR_INVALID, path,
                   "must be system, user (human) or assistant (ai)");
}

static enum err read_role(struct reader *reader, const struct json *node, const char *path,
                          enum role *ret_role)
{
    struct slice name;
    if (!json_is(node, JSON_STRING))
        return why_set(&reader->why, ERR_INVALID, path, "must be a string");
    if (!json_string(reader->scratch, node, &name))
        return reader_no_memory(reader);
    return role_of(reader, name, path, ret_role);
}

/* --- messages as JSON --- */

/* Bedrock requires a user turn first. `index` is the message's. */
static enum err check_first(struct turns *turns, enum role role, const char *list, size_t index)
{
    if (role != ROLE_ASSISTANT || turns->count > 0 || turns->is_broken)
        return OK;
    return why_set(&turns->reader->why, ERR_INVALID, path_element(list, index).text,
                   "the conversation must begin with a user message (after system messages)");
}

struct message {
    enum role role;
    const struct json *content;
    struct path content_path;
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
    enum err err = read_role(reader, node->first, path_element(path, 0).text, &ret_message->role);
    ret_message->is_whole = err == OK;
    return err;
}

static enum err check_member(struct reader *reader, const struct json *member, const char *path)
{
    bool is_calls = slice_equal_text(member->name, "tool_calls") ||
                    slice_equal_text(member->name, "tool_call_chunks");
    bool is_later =
        slice_is_one_of(member->name, message_members_later, COUNT_OF(message_members_later));
    if (!is_later && !slice_is_one_of(member->name, message_members, COUNT_OF(message_members)))
        return reader_unknown_member(reader, path, member->name, message_members,
                                     COUNT_OF(message_members));
    if (is_calls && member->kind != JSON_ARRAY && member->kind != JSON_NULL)
        return why_set(&reader->why, ERR_INVALID, path_member(path, member->name).text,
                       "must be an array");
    if ((is_later && member->kind != JSON_NULL) || (is_calls && member->count > 0))
        return why_set(&reader->why, ERR_UNSUPPORTED_FIELD, path_member(path, member->name).text,
                       "this version does not support this field yet");
    return OK;
}

/* False: the reading ends. */
static bool check_members(struct turns *turns, const struct json *node, const char *path)
{
    bool goes_on = true;
    for (const struct json *member = node->first; goes_on && member != NULL; member = member->next)
        goes_on = turns_note(turns, check_member(turns->reader, member, path));
    return goes_on;
}

/* {"role": "user", "content": …}, or LangChain's print with `type` */
static enum err read_object(struct turns *turns, const struct json *node, const char *path,
                            struct message *ret_message)
{
    struct reader *reader = turns->reader;
    const struct json *role = json_member(node, "role"), *type = json_member(node, "type");
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
    if (!turns_note(turns, err) || !check_members(turns, node, path))
        return OK;
    if (ret_message->content == NULL)
        return why_set(&reader->why, ERR_INVALID, ret_message->content_path.text, "missing");
    ret_message->is_whole = err == OK;
    return OK;
}

static enum err read_message(struct turns *turns, const struct json *node, const char *list,
                             size_t index)
{
    struct reader *reader = turns->reader;
    struct message message = {.content = NULL};
    struct path path = path_element(list, index);
    enum err err;
    if (node->kind == JSON_ARRAY)
        err = read_pair(reader, node, path.text, &message);
    else if (node->kind == JSON_OBJECT)
        err = read_object(turns, node, path.text, &message);
    else
        err = why_set(&reader->why, ERR_INVALID, path.text,
                      "a message must be an object or [role, content]");
    if (err != OK || !message.is_whole)
        return err;
    err = check_first(turns, message.role, list, index);
    if (turns_note(turns, err))
        err = blocks_add_content(turns, message.role, message.content, message.content_path.text);
    return err;
}

static size_t count_of_content(const struct json *content)
{
    size_t count = 0;
    if (!json_is(content, JSON_ARRAY) || content->count == 0)
        return 1;
    /* Reasoning that is both signed and redacted becomes two blocks. */
    for (const struct json *block = content->first; block != NULL; block = block->next)
        count += json_member(block, "reasoning_content") != NULL ? 2 : 1;
    return count;
}

/* The most blocks that these messages can make. */
static size_t count_blocks(const struct json *messages)
{
    size_t count = 0;
    for (const struct json *node = messages->first; node != NULL; node = node->next) {
        bool is_pair = node->kind == JSON_ARRAY && node->count == 2;
        count += count_of_content(is_pair ? node->first->next : json_member(node, "content"));
    }
    return count;
}

static enum err read_messages(struct turns *turns, const struct json *messages, const char *list)
{
    size_t index = 0;
    enum err err = turns_make_room(turns, count_blocks(messages) + STRUCTURED_BLOCKS_MAX,
                                   messages->count + STRUCTURED_BLOCKS_MAX);
    if (err != OK)
        return err;
    for (const struct json *node = messages->first; node != NULL; node = node->next, index++)
        if (!turns_note(turns, read_message(turns, node, list, index)) ||
            (index == 0 && !turns_note(turns, structured_instruct(turns))))
            return OK;
    if (turns->count == 0 && !turns->is_broken)
        return why_set(&turns->reader->why, ERR_INVALID, list, "has no user message");
    return OK;
}

/* --- templates --- */

static const struct template_named *find_template(const struct catalog *catalog, struct slice name)
{
    for (size_t i = 0; i < catalog->template_count; i++)
        if (slice_equal(catalog->templates[i].name, name))
            return &catalog->templates[i];
    return NULL;
}

static enum err unknown_template(struct reader *reader, struct slice name)
{
    const struct catalog *catalog = reader->catalog;
    struct names templates = {catalog->templates, catalog->template_count,
                              sizeof *catalog->templates};
    struct buf words OWNED_BY(buf_done);
    buf_init(&words, 2 * WHY_MESSAGE_MAX);
    buf_addf(&words, "the settings have no template \"%.*s\"",
             SLICE_ARG(slice_sub(name, 0, NAME_SHOWN_BYTES)));
    reader_add_names(&words, name, templates, "templates", "they have none");
    return why_set(&reader->why, ERR_UNKNOWN_TEMPLATE, "prompt.template", "%s", buf_text(&words));
}

static enum err read_named_message(struct turns *turns, const struct template_named *named,
                                   size_t index)
{
    const struct template_message *message = &named->messages[index];
    enum role role;
    enum err err = role_of(turns->reader, message->role, "prompt.template", &role);
    if (err == OK)
        err = check_first(turns, role, "prompt.template", index);
    if (err == OK)
        err = blocks_add_text(turns, role, TEXT_MESSAGE, message->text, "prompt.template");
    return err;
}

static enum err read_named(struct turns *turns, const struct json *node)
{
    struct reader *reader = turns->reader;
    struct slice name;
    if (!json_string(reader->scratch, node, &name))
        return reader_no_memory(reader);
    const struct template_named *named = find_template(reader->catalog, name);
    /* What cannot be a name may be a prompt in the wrong place: it is not quoted. */
    if (named == NULL && !text_is_topic(name))
        return why_set(
            &reader->why, ERR_UNKNOWN_TEMPLATE, "prompt.template",
            "is not the name of a template (an inline template is an array of messages)");
    if (named == NULL)
        return unknown_template(reader, name);
    enum err err = turns_make_room(turns, named->count + STRUCTURED_BLOCKS_MAX,
                                   named->count + STRUCTURED_BLOCKS_MAX);
    if (err != OK)
        return err;
    for (size_t i = 0; i < named->count; i++)
        if (!turns_note(turns, read_named_message(turns, named, i)) ||
            (i == 0 && !turns_note(turns, structured_instruct(turns))))
            return OK;
    if (turns->count == 0 && !turns->is_broken)
        return why_set(&reader->why, ERR_INVALID, "prompt.template", "has no user message");
    return OK;
}

static enum err read_variables(struct reader *reader, struct template_use *use)
{
    const struct json *variables = json_member(reader->prompt, "variables");
    if (variables == NULL || variables->kind == JSON_NULL)
        return OK;
    if (variables->kind != JSON_OBJECT)
        return why_set(&reader->why, ERR_INVALID, "prompt.variables", "must be an object");
    if (variables->count > TEMPLATE_VARIABLES_MAX)
        return why_set(&reader->why, ERR_INVALID, "prompt.variables", "has more than %d variables",
                       TEMPLATE_VARIABLES_MAX);
    use->variables = variables;
    return OK;
}

static enum err read_template(struct turns *turns)
{
    const struct json *node = json_member(turns->reader->prompt, "template");
    if (json_is(node, JSON_STRING))
        return read_named(turns, node);
    if (json_is(node, JSON_ARRAY))
        return read_messages(turns, node, "prompt.template");
    return why_set(&turns->reader->why, ERR_INVALID, "prompt.template",
                   "must be a template's name or an array of messages");
}

static enum err read_prompt(struct turns *turns)
{
    static const char *const members[] = {"template", "variables"};
    struct reader *reader = turns->reader;
    bool goes_on = true;
    for (const struct json *member = reader->prompt->first; goes_on && member != NULL;
         member = member->next)
        if (!slice_is_one_of(member->name, members, COUNT_OF(members)))
            goes_on = turns_note(turns, reader_unknown_member(reader, "prompt", member->name,
                                                              members, COUNT_OF(members)));
    turns->use = arena_new(reader->scratch, sizeof *turns->use);
    if (turns->use == NULL)
        return reader_no_memory(reader);
    enum err err = goes_on ? read_variables(reader, turns->use) : OK;
    goes_on = goes_on && turns_note(turns, err);
    if (err != OK)
        turns->use = NULL; /* the texts are read as they are */
    if (!goes_on || !turns_note(turns, read_template(turns)) || turns->is_broken)
        return OK;
    return template_all_used(turns->use, &reader->why);
}

/* --- the whole --- */

enum err conversation_read(struct reader *reader)
{
    struct turns turns = {.reader = reader};
    if (reader->messages != NULL && reader->prompt != NULL)
        return why_set(&reader->why, ERR_INVALID, "prompt",
                       "messages is given, too; give one of the two");
    if (reader->messages == NULL && reader->prompt == NULL)
        return why_set(&reader->why, ERR_INVALID, "messages", "missing; give messages or prompt");
    enum err err = reader->messages != NULL ? read_messages(&turns, reader->messages, "messages")
                                            : read_prompt(&turns);
    if (!turns_note(&turns, err) || reader->mistakes.count > 0)
        return OK;
    err = structured_prefill(&turns);
    return err == OK ? turns_keep(&turns) : err;
}
