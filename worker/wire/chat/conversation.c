#include "wire/chat/conversation.h"

#include "wire/chat/blocks.h"
#include "wire/chat/messages.h"
#include "wire/chat/structured_sent.h"
#include "wire/formats/path.h"
#include "wire/formats/text.h"

#define NAME_SHOWN_BYTES 128

/* --- messages --- */

/* The most blocks that these messages can make, and the turn in place of none. */
static size_t count_blocks(const struct json *messages)
{
    size_t count = 1;
    for (const struct json *node = messages->first; node != NULL; node = node->next)
        count += turns_count_message(node);
    return count;
}

/* For the messages of the request, those behind them, and what structured_output adds. */
static enum err make_room(struct turns *turns, size_t blocks, size_t messages)
{
    const struct json *more = turns->reader->more;
    if (more != NULL) {
        blocks += count_blocks(more);
        messages += more->count;
    }
    return turns_make_room(turns, blocks + STRUCTURED_BLOCKS_MAX, messages + STRUCTURED_BLOCKS_MAX);
}

/* Bedrock requires a turn: LangChain's stand-in where there are only system messages. */
static enum err check_turns(struct turns *turns, const char *list)
{
    if (turns->count > 0 || turns->is_broken)
        return OK;
    if (turns->system_count == 0)
        return why_set(&turns->reader->why, ERR_INVALID, list, "has no message");
    return blocks_add_text(turns, ROLE_USER, TEXT_MESSAGE, SLICE(""), list);
}

static enum err read_messages(struct turns *turns, const struct json *messages, const char *list)
{
    size_t index = 0;
    enum err err = make_room(turns, count_blocks(messages), messages->count);
    if (err != OK)
        return err;
    for (const struct json *node = messages->first; node != NULL; node = node->next, index++)
        if (!turns_note(turns, message_read(turns, node, list, index)) ||
            (index == 0 && !turns_note(turns, structured_instruct(turns))))
            return OK;
    return check_turns(turns, list);
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
    enum err err = message_role(turns->reader, message->role, "prompt.template", &role);
    if (err == ERR_INVALID || (err == OK && role == ROLE_TOOL))
        err = why_set(&turns->reader->why, ERR_INVALID, "prompt.template",
                      "must be system, user (human) or assistant (ai)");
    if (err == OK)
        err = message_check_first(turns, role, "prompt.template", index);
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
    enum err err = make_room(turns, named->count + 1, named->count);
    if (err != OK)
        return err;
    for (size_t i = 0; i < named->count; i++)
        if (!turns_note(turns, read_named_message(turns, named, i)) ||
            (i == 0 && !turns_note(turns, structured_instruct(turns))))
            return OK;
    return check_turns(turns, "prompt.template");
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

/* The messages behind the request's own, which are no templates. */
static enum err read_more(struct turns *turns)
{
    const struct json *more = turns->reader->more;
    size_t index = 0;
    enum err err = OK;
    turns->use = NULL;
    for (const struct json *node = more == NULL ? NULL : more->first; err == OK && node != NULL;
         node = node->next)
        err = message_read(turns, node, "messages", index++);
    return err;
}

/* There need be no conversation where the request gives the whole body. */
static enum err read_none(struct reader *reader)
{
    struct request *request = reader->request;
    if (!request->forms.is_given)
        return why_set(&reader->why, ERR_INVALID, "messages", "missing; give messages or prompt");
    request->text_bytes = request->additional_fields.len;
    return OK;
}

enum err conversation_read(struct reader *reader)
{
    struct turns turns = {.reader = reader};
    if (reader->messages != NULL && reader->prompt != NULL)
        return why_set(&reader->why, ERR_INVALID, "prompt",
                       "messages is given, too; give one of the two");
    if (reader->messages == NULL && reader->prompt == NULL)
        return read_none(reader);
    enum err err = reader->messages != NULL ? read_messages(&turns, reader->messages, "messages")
                                            : read_prompt(&turns);
    if (!turns_note(&turns, err) || reader->mistakes.count > 0)
        return OK;
    err = read_more(&turns);
    if (err == OK)
        err = structured_prefill(&turns);
    return err == OK && !turns.is_broken ? turns_keep(&turns) : err;
}
