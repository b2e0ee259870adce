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

/* A list that stays as it is: nothing goes from it, or all would. */
static bool stays(const struct json *list)
{
    size_t left = slim(list).count;
    return left == 0 || (left == list->count && !(is_types(list) && left == 1));
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

/* What is written so far; `from` is behind what of the source is in it. Only what changes is
 * written anew. */
struct patch {
    struct buf *out;
    const char *from;
};

static void patch_to(struct patch *patch, const char *to)
{
    buf_add(patch->out, slice_of(patch->from, (size_t)(to - patch->from)));
    patch->from = to;
}

static const char *end_of(const struct json *node)
{
    return node->source.ptr + node->source.len;
}

static void patch_value(struct patch *patch, const struct json *node);

static void add_value(struct buf *out, const struct json *node)
{
    struct patch patch = {out, node->source.ptr};
    patch_value(&patch, node);
    patch_to(&patch, end_of(node));
}

static void add_list(struct buf *out, const struct json *list)
{
    struct slimmed slimmed = slim(list);
    if (is_types(list) && slimmed.count == 1) {
        buf_add(out, slimmed.only->source);
        return;
    }
    buf_add_byte(out, '[');
    for (const struct json *element = list->first; element != NULL; element = element->next) {
        if (!is_left(list, element))
            continue;
        json_add_comma(out);
        add_value(out, element);
    }
    buf_add_byte(out, ']');
}

static void add_member(struct buf *out, const struct json *member)
{
    json_add_comma(out);
    json_add_string(out, member->name);
    buf_add_byte(out, ':');
    if ((is_branches(member) || is_types(member)) && !stays(member))
        add_list(out, member);
    else
        add_value(out, member);
}

/* --- what changes --- */

static bool has_inline(const struct json *object)
{
    for (const struct json *member = object->first; member != NULL; member = member->next)
        if (is_branches(member) && inline_of(member) != NULL)
            return true;
    return false;
}

/* False, and nothing is written: too many members. */
static bool patch_inlined(struct patch *patch, const struct json *object)
{
    struct members members;
    members.count = 0;
    if (!put_all(&members, object))
        return false;
    patch_to(patch, object->source.ptr);
    buf_add_byte(patch->out, '{');
    for (size_t i = 0; i < members.count; i++)
        add_member(patch->out, members.list[i]);
    buf_add_byte(patch->out, '}');
    patch->from = end_of(object);
    return true;
}

static void patch_member(struct patch *patch, const struct json *member)
{
    if (!is_branches(member) && !is_types(member)) {
        patch_value(patch, member);
    } else if (!stays(member)) {
        patch_to(patch, member->source.ptr);
        add_list(patch->out, member);
        patch->from = end_of(member);
    } else if (is_branches(member)) {
        patch_value(patch, member);
    }
}

/* By recursion, no deeper than JSON nests. LangChain reads the objects of an array, not its arrays.
 */
static void patch_value(struct patch *patch, const struct json *node)
{
    if (node->kind == JSON_ARRAY)
        for (const struct json *element = node->first; element != NULL; element = element->next)
            if (element->kind == JSON_OBJECT)
                patch_value(patch, element);
    if (node->kind != JSON_OBJECT || (has_inline(node) && patch_inlined(patch, node)))
        return;
    for (const struct json *member = node->first; member != NULL; member = member->next)
        patch_member(patch, member);
}

enum err tool_schema_slim(struct arena *arena, const struct json *schema, struct slice *ret_schema)
{
    struct buf out OWNED_BY(buf_done);
    buf_init(&out, 6 * schema->source.len);
    struct patch patch = {&out, schema->source.ptr};
    *ret_schema = schema->source;
    patch_value(&patch, schema);
    if (patch.from == schema->source.ptr)
        return out.failed == OK ? OK : ERR_NO_MEMORY;
    patch_to(&patch, end_of(schema));
    if (out.failed != OK || !arena_copy(arena, buf_slice(&out), ret_schema))
        return ERR_NO_MEMORY;
    return OK;
}
