#include "wire/bedrock/invoke/places.h"

#include "wire/bedrock/invoke/tool_calls.h"

enum place {
    PLACE_TEXT,
    PLACE_STOP,
    PLACE_CALLS,
    PLACE_INPUT,
    PLACE_OUTPUT,
    PLACE_REASONED,
    PLACE_COUNTS
};

static const struct {
    enum place place;
    const char *path;
} rows[] = {
#define TEXT(path)     {PLACE_TEXT, path},
#define STOP(path)     {PLACE_STOP, path},
#define CALLS(path)    {PLACE_CALLS, path},
#define INPUT(path)    {PLACE_INPUT, path},
#define OUTPUT(path)   {PLACE_OUTPUT, path},
#define REASONED(path) {PLACE_REASONED, path},
#define COUNTS(path)   {PLACE_COUNTS, path},
#include "wire/bedrock/invoke/places.def"
};

/* --- paths --- */

static const struct json *step_into(const struct json *node, struct slice name)
{
    int64_t index;
    if (!json_is(node, JSON_ARRAY))
        return json_member_of(node, name);
    if (!slice_to_int64(name, &index))
        return NULL;
    const struct json *element = node->first;
    while (element != NULL && index-- > 0)
        element = element->next;
    return element;
}

static const struct json *find(const struct json *root, struct slice path)
{
    while (root != NULL && path.len > 0) {
        size_t dot = slice_find(path, '.');
        root = step_into(root, slice_sub(path, 0, dot));
        path = slice_sub(path, dot + 1, SIZE_MAX);
    }
    return root;
}

static struct slice last_name(struct slice path)
{
    size_t at = path.len;
    while (at > 0 && path.ptr[at - 1] != '.')
        at--;
    return slice_sub(path, at, SIZE_MAX);
}

/* The next row of this kind from `*row` on that the answer has a value for, which may be null;
 * moves `*row` behind it. */
static const struct json *next_value(const struct json *root, enum place place, size_t *row)
{
    while (*row < COUNT_OF(rows)) {
        size_t at = (*row)++;
        const struct json *node =
            rows[at].place == place ? find(root, slice_of_text(rows[at].path)) : NULL;
        if (node != NULL)
            return node;
    }
    return NULL;
}

/* --- text --- */

static bool is_text(const struct json *node)
{
    return json_is(node, JSON_STRING) || json_is(json_member(node, "text"), JSON_STRING);
}

static enum err say(struct said *said, const struct json *node)
{
    return said_string(said, node->kind == JSON_STRING ? node : json_member(node, "text"));
}

static bool has_texts(const struct json *list)
{
    const struct json *part = list->first;
    while (part != NULL && !is_text(part))
        part = part->next;
    return part != NULL;
}

/* false: it is no text. */
static enum err say_value(struct said *said, const struct json *node, bool *ret_is_said)
{
    enum err err = OK;
    *ret_is_said = is_text(node) || (node->kind == JSON_ARRAY && has_texts(node));
    if (is_text(node))
        return say(said, node);
    if (node->kind == JSON_ARRAY)
        for (const struct json *part = node->first; err == OK && part != NULL; part = part->next)
            if (is_text(part))
                err = say(said, part);
    return err;
}

/* `ret_is_there`: there was a text, or a place for one with null in it. */
static enum err read_text(struct said *said, const struct json *root, bool *ret_is_there)
{
    size_t row = 0;
    const struct json *node;
    *ret_is_there = false;
    while ((node = next_value(root, PLACE_TEXT, &row)) != NULL) {
        bool is_said;
        enum err err = say_value(said, node, &is_said);
        *ret_is_there = *ret_is_there || is_said || node->kind == JSON_NULL;
        if (err != OK || is_said)
            return err;
    }
    return OK;
}

/* The first member with a name that texts have, wherever it stands. */
static const struct json *find_lost(const struct json *node)
{
    static const char *const names[] = {"text",       "content",        "generation", "outputText",
                                        "completion", "generated_text", "response",   "output"};
    for (const struct json *member = node->first; member != NULL; member = member->next) {
        bool is_named =
            node->kind == JSON_OBJECT && slice_is_one_of(member->name, names, COUNT_OF(names));
        if (is_named && member->kind == JSON_STRING)
            return member;
        const struct json *found = find_lost(member);
        if (found != NULL)
            return found;
    }
    return NULL;
}

/* --- stop reason, calls, counts --- */

static enum err read_stop(struct said *said, const struct json *root)
{
    size_t row = 0;
    const struct json *node;
    while ((node = next_value(root, PLACE_STOP, &row)) != NULL)
        if (node->kind == JSON_STRING)
            return said_stop(said, node);
    return OK;
}

static enum err read_calls(struct said *said, const struct json *root)
{
    size_t row = 0;
    const struct json *node;
    while ((node = next_value(root, PLACE_CALLS, &row)) != NULL)
        if (node->kind == JSON_ARRAY)
            return tool_calls_hear(said, node);
    return OK;
}

static int64_t count_at(const struct json *root, enum place place)
{
    size_t row = 0;
    const struct json *node;
    int64_t count;
    while ((node = next_value(root, place, &row)) != NULL)
        if (json_int64(node, &count) && count >= 0)
            return count;
    return ANSWER_COUNT_ABSENT;
}

static void add_raw(struct buf *raw, const struct json *root)
{
    for (size_t row = 0; row < COUNT_OF(rows); row++) {
        struct slice path = slice_of_text(rows[row].path);
        const struct json *node = rows[row].place == PLACE_COUNTS ? find(root, path) : NULL;
        if (!json_is(node, JSON_OBJECT) && !json_is(node, JSON_NUMBER))
            continue;
        json_add_comma(raw);
        json_add_string(raw, last_name(path));
        buf_add_byte(raw, ':');
        buf_add(raw, node->source);
    }
}

static enum err read_counts(struct said *said, const struct json *root)
{
    struct said_counts counts = said_no_counts();
    struct buf raw OWNED_BY(buf_done);
    buf_init(&raw, said->limit);
    add_raw(&raw, root);
    if (raw.failed != OK)
        return message_failed(said->why, raw.failed);
    if (raw.len == 0)
        return OK;
    counts.input = count_at(root, PLACE_INPUT);
    counts.output = count_at(root, PLACE_OUTPUT);
    counts.reasoning = count_at(root, PLACE_REASONED);
    /* Chunks repeat them: those beside the stop reason are the last ones. */
    if (said->is_whole || (said->raw.len == 0 && said->answer.stop_reason.ptr != NULL))
        counts.raw = buf_slice(&raw);
    return said_usage(said, &counts);
}

/* --- an answer --- */

static enum err read_beside(struct said *said, const struct json *root)
{
    enum err err = read_stop(said, root);
    return err == OK ? read_counts(said, root) : err;
}

enum err places_read_text(struct said *said, const struct json *root)
{
    bool is_there;
    enum err err = read_text(said, root, &is_there);
    if (err == OK)
        err = read_beside(said, root);
    if (err != OK || is_there)
        return err;
    const struct json *lost = find_lost(root);
    if (lost != NULL)
        return said_string(said, lost);
    return said->answer.stop_reason.ptr != NULL
               ? OK
               : said_wrong(said, "the answer has no text where its family has it, nor elsewhere");
}

enum err places_read(struct said *said, const struct json *root)
{
    enum err err = read_calls(said, root);
    if (err == OK)
        err = places_read_text(said, root);
    if (err != ERR_BAD_ANSWER || said->own == NULL)
        return err;
    why_clear(said->why); /* it has calls of tools */
    return OK;
}

enum err places_hear(struct said *said, const struct json *chunk)
{
    bool is_there;
    /* What follows the last event of OpenAI's streams. */
    if (json_equal_text(chunk, "[DONE]"))
        return OK;
    enum err err = read_text(said, chunk, &is_there);
    said->step.is_chunk = said->step.is_chunk || is_there;
    if (err == OK)
        err = read_calls(said, chunk);
    return err == OK ? read_beside(said, chunk) : err;
}
