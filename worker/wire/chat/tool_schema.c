#include "wire/chat/tool_schema.h"

/* An object with more members is none that has both `anyOf` and a place for its branch. */
#define INLINE_MAX 256

/* What to do with a list of branches or types. */
struct slimmed {
    const struct json *only; /* the one that remains */
    size_t count;            /* that are left */
};

static bool is_null_branch(const struct json *branch)
{
    return json_equal_text(json_member(branch, "type"), "null");
}

static bool is_branches(const struct json *member)
{
    return member->kind == JSON_ARRAY && slice_equal_text(member->name, "anyOf");
}

static bool is_types(const struct json *member)
{
    return member->kind == JSON_ARRAY && slice_equal_text(member->name, "type");
}

static bool is_left(const struct json *list, const struct json *element)
{
    return is_branches(list) ? !is_null_branch(element) : !json_equal_text(element, "null");
}

static struct slimmed slim(const struct json *list)
{
    struct slimmed slimmed = {NULL, 0};
    for (const struct json *element = list->first; element != NULL; element = element->next) {
        if (!is_left(list, element))
            continue;
        slimmed.only = element;
        slimmed.count++;
    }
    return slimmed;
}

/* The branch that stands in its list's place, or NULL. */
static const struct json *inline_of(const struct json *branches)
{
    struct slimmed slimmed = slim(branches);
    return slimmed.count == 1 && slimmed.only->kind == JSON_OBJECT ? slimmed.only : NULL;
}

/* Nothing in it changes. */
static bool is_slim(const struct json *node)
{
    for (const struct json *member = node->first; member != NULL; member = member->next) {
        if (node->kind == JSON_OBJECT && (is_branches(member) || is_types(member)))
            return false;
        bool is_read = member->kind == JSON_OBJECT || node->kind == JSON_OBJECT;
        if (is_read && !is_slim(member))
            return false;
    }
    return true;
}

/* --- an object whose branches stand in their list's place --- */

struct members {
    const struct json *list[INLINE_MAX];
    size_t count;
};

/* As Python's dict.update: the place of the first, the value of the last. False: too many. */
static bool put(struct members *members, const struct json *member)
{
    size_t at = 0;
    while (at < members->count && !slice_equal(members->list[at]->name, member->name))
        at++;
    if (at == INLINE_MAX)
        return false;
    members->list[at] = member;
    members->count += at == members->count;
    return true;
}

static bool put_all(struct members *members, const struct json *object)
{
    for (const struct json *member = object->first; member != NULL; member = member->next) {
        const struct json *branch = is_branches(member) ? inline_of(member) : NULL;
        if (branch != NULL ? !put_all(members, branch) : !put(members, member))
            return false;
    }
    return true;
}

/* --- writing --- */

static void add_value(struct buf *out, const struct json *node);

/* Of an array: LangChain reads the objects in it. */
static void add_element(struct buf *out, const struct json *element)
{
    json_add_comma(out);
    if (element->kind == JSON_OBJECT)
        add_value(out, element);
    else
        buf_add(out, element->source);
}

static void add_list(struct buf *out, const struct json *list)
{
    struct slimmed slimmed = slim(list);
    if (slimmed.count == 0) {
        buf_add(out, list->source);
        return;
    }
    if (is_types(list) && slimmed.count == 1) {
        buf_add(out, slimmed.only->source);
        return;
    }
    buf_add_byte(out, '[');
    for (const struct json *element = list->first; element != NULL; element = element->next)
        if (is_left(list, element))
            add_element(out, element);
    buf_add_byte(out, ']');
}

static void add_member(struct buf *out, const struct json *member)
{
    json_add_comma(out);
    json_add_string(out, member->name);
    buf_add_byte(out, ':');
    if (is_branches(member) || is_types(member))
        add_list(out, member);
    else
        add_value(out, member);
}

static bool has_inline(const struct json *object)
{
    for (const struct json *member = object->first; member != NULL; member = member->next)
        if (is_branches(member) && inline_of(member) != NULL)
            return true;
    return false;
}

/* False, and nothing is written: too many members. */
static bool add_inlined(struct buf *out, const struct json *object)
{
    struct members members;
    members.count = 0;
    if (!put_all(&members, object))
        return false;
    for (size_t i = 0; i < members.count; i++)
        add_member(out, members.list[i]);
    return true;
}

static void add_object(struct buf *out, const struct json *object)
{
    buf_add_byte(out, '{');
    if (!has_inline(object) || !add_inlined(out, object))
        for (const struct json *member = object->first; member != NULL; member = member->next)
            add_member(out, member);
    buf_add_byte(out, '}');
}

/* By recursion, no deeper than JSON nests. */
static void add_value(struct buf *out, const struct json *node)
{
    if (is_slim(node)) {
        buf_add(out, node->source);
    } else if (node->kind == JSON_OBJECT) {
        add_object(out, node);
    } else {
        buf_add_byte(out, '[');
        for (const struct json *element = node->first; element != NULL; element = element->next)
            add_element(out, element);
        buf_add_byte(out, ']');
    }
}

enum err tool_schema_slim(struct arena *arena, const struct json *schema, struct slice *ret_schema)
{
    *ret_schema = schema->source;
    if (is_slim(schema))
        return OK;
    struct buf out OWNED_BY(buf_done);
    buf_init(&out, 6 * schema->source.len);
    if (buf_reserve(&out, schema->source.len) == NULL)
        return ERR_NO_MEMORY;
    add_value(&out, schema);
    if (out.failed != OK || !arena_copy(arena, buf_slice(&out), ret_schema))
        return ERR_NO_MEMORY;
    return OK;
}
