#include "sim/bodies/checks.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/utf8.h"

#define KEY_CHARACTERS_MAX 256
#define SHOWN_MAX          48 /* bytes of a wrong value in the text */
#define INTEGER_MAX        2147483647.0

/* A container that encloses the value being checked. */
struct level {
    const struct shape *shape;
    const struct json *next; /* the child to check next */
    size_t index;            /* its place, from 0 */
    size_t path_len;         /* of this container's path */
};

struct walk {
    struct arena *arena;
    struct level levels[JSON_DEPTH_MAX + 1];
    size_t depth;
    char path[CHECK_PATH_MAX];
    size_t path_len;
    enum shape_voice voice;
    char *text;
};

static enum err PRINTF(2, 3) refuse(struct walk *walk, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(walk->text, CHECK_TEXT_MAX, format, args);
    va_end(args);
    return ERR_REJECTED;
}

static enum err refuse_value(struct walk *walk, const struct json *node, const char *constraint)
{
    if (walk->voice == VOICE_ANTHROPIC)
        return refuse(walk, "%.*s: %s", (int)walk->path_len, walk->path, constraint);
    struct slice shown = utf8_clip(node->source, SHOWN_MAX);
    return refuse(walk,
                  "1 validation error detected: Value '%.*s' at '%.*s' failed to satisfy "
                  "constraint: %s",
                  SLICE_ARG(shown), (int)walk->path_len, walk->path, constraint);
}

static enum err refuse_type(struct walk *walk, const char *wanted)
{
    if (walk->voice == VOICE_ANTHROPIC)
        return refuse(walk, "%.*s: Input should be a valid %s", (int)walk->path_len, walk->path,
                      wanted);
    return refuse(walk,
                  "Malformed input request: #/%.*s: expected type: %s, please reformat your "
                  "input and try again.",
                  (int)walk->path_len, walk->path, wanted);
}

static void path_add(struct walk *walk, struct slice name, size_t index)
{
    char part[CHECK_PATH_MAX];
    int len = name.ptr != NULL
                  ? snprintf(part, sizeof part, "%s%.*s", walk->path_len > 0 ? "." : "",
                             SLICE_ARG(utf8_clip(name, SHOWN_MAX)))
                  : snprintf(part, sizeof part, ".%zu", index);
    if (len > 0 && walk->path_len + (size_t)len < sizeof walk->path) {
        memcpy(walk->path + walk->path_len, part, (size_t)len);
        walk->path_len += (size_t)len;
    }
}

static bool is_allowed(struct slice text, const char *beside)
{
    for (size_t i = 0; beside != NULL && i < text.len; i++) {
        char byte = text.ptr[i];
        bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                     (byte >= '0' && byte <= '9');
        if (!plain && (byte == '\0' || strchr(beside, byte) == NULL))
            return false;
    }
    return true;
}

static enum err check_size(struct walk *walk, const struct json *node, const struct shape *shape,
                           size_t size)
{
    char constraint[96];
    if ((double)size < shape->min) {
        (void)snprintf(constraint, sizeof constraint,
                       "Member must have length greater than or equal to %.0f", shape->min);
        return refuse_value(walk, node, constraint);
    }
    if (shape->max > 0 && (double)size > shape->max) {
        (void)snprintf(constraint, sizeof constraint,
                       "Member must have length less than or equal to %.0f", shape->max);
        return refuse_value(walk, node, constraint);
    }
    return OK;
}

static enum err check_string(struct walk *walk, const struct json *node, const struct shape *shape)
{
    struct slice text;
    if (!json_is(node, JSON_STRING))
        return refuse_type(walk, "String");
    if (!json_string(walk->arena, node, &text))
        return ERR_NO_MEMORY;
    enum err err = check_size(walk, node, shape, utf8_count(text));
    if (err == OK && !is_allowed(text, shape->allowed))
        err = refuse_value(walk, node, "Member must satisfy regular expression pattern");
    return err;
}

static enum err check_enum(struct walk *walk, const struct json *node, const struct shape *shape)
{
    char constraint[200] = "Member must satisfy enum value set: [";
    size_t len = strlen(constraint);
    if (!json_is(node, JSON_STRING))
        return refuse_type(walk, "String");
    for (size_t i = 0; i < SHAPE_VALUES_MAX && shape->values[i] != NULL; i++) {
        if (json_equal_text(node, shape->values[i]))
            return OK;
        int added = snprintf(constraint + len, sizeof constraint - len, "%s%s", i > 0 ? ", " : "",
                             shape->values[i]);
        if (added > 0 && len + (size_t)added < sizeof constraint - 2)
            len += (size_t)added;
    }
    memcpy(constraint + len, "]", 2);
    return refuse_value(walk, node, constraint);
}

static enum err check_number(struct walk *walk, const struct json *node, const struct shape *shape)
{
    double value;
    int64_t whole;
    bool is_integer = shape->kind == SHAPE_INTEGER;
    if (!json_is(node, JSON_NUMBER) || !json_double(node, &value))
        return refuse_type(walk, is_integer ? "Integer" : "Number");
    if (is_integer && !json_int64(node, &whole))
        return refuse_type(walk, "Integer");
    double max = is_integer && shape->max <= 0 ? INTEGER_MAX : shape->max;
    char constraint[96];
    if (value < shape->min) {
        (void)snprintf(constraint, sizeof constraint,
                       "Member must have value greater than or equal to %.0f", shape->min);
        return refuse_value(walk, node, constraint);
    }
    if (value > max) {
        (void)snprintf(constraint, sizeof constraint,
                       "Member must have value less than or equal to %.0f", max);
        return refuse_value(walk, node, constraint);
    }
    return OK;
}

static enum err check_blob(struct walk *walk, const struct json *node, const struct shape *shape)
{
    struct slice text;
    if (!json_is(node, JSON_STRING))
        return refuse_type(walk, "base64 String");
    if (!json_string(walk->arena, node, &text))
        return ERR_NO_MEMORY;
    size_t end = text.len;
    while (end > 0 && text.len - end < 2 && text.ptr[end - 1] == '=')
        end--;
    if (text.len % 4 != 0 || !is_allowed(slice_sub(text, 0, end), "+/"))
        return refuse_type(walk, "base64 String");
    return check_size(walk, node, shape, text.len);
}

static const struct shape_member *member_of(const struct shape *shape, struct slice name)
{
    for (size_t i = 0; i < SHAPE_MEMBERS_MAX && shape->members[i].name != NULL; i++)
        if (slice_equal_text(name, shape->members[i].name))
            return &shape->members[i];
    return NULL;
}

/* A null member counts as absent, as in AWS's parsers. */
static bool is_there(const struct json *object, const char *name)
{
    const struct json *member = json_member(object, name);
    return member != NULL && member->kind != JSON_NULL;
}

static enum err refuse_unknown(struct walk *walk, struct slice name)
{
    name = utf8_clip(name, SHOWN_MAX);
    if (walk->voice == VOICE_ANTHROPIC)
        return refuse(walk, "%.*s%s%.*s: Extra inputs are not permitted", (int)walk->path_len,
                      walk->path, walk->path_len > 0 ? "." : "", SLICE_ARG(name));
    return refuse(walk,
                  "Malformed input request: #%s%.*s: extraneous key [%.*s] is not permitted, "
                  "please reformat your input and try again.",
                  walk->path_len > 0 ? "/" : "", (int)walk->path_len, walk->path, SLICE_ARG(name));
}

static enum err refuse_missing(struct walk *walk, const char *name)
{
    const char *dot = walk->path_len > 0 ? "." : "";
    if (walk->voice == VOICE_ANTHROPIC)
        return refuse(walk, "%.*s%s%s: Field required", (int)walk->path_len, walk->path, dot, name);
    return refuse(walk,
                  "1 validation error detected: Value null at '%.*s%s%s' failed to satisfy "
                  "constraint: Member must not be null",
                  (int)walk->path_len, walk->path, dot, name);
}

static enum err check_members(struct walk *walk, const struct json *node, const struct shape *shape)
{
    size_t given = 0;
    for (const struct json *child = node->first; child != NULL; child = child->next) {
        if (shape->kind != SHAPE_OPEN && member_of(shape, child->name) == NULL)
            return refuse_unknown(walk, child->name);
        given += child->kind != JSON_NULL ? 1 : 0;
    }
    for (size_t i = 0; i < SHAPE_MEMBERS_MAX && shape->members[i].name != NULL; i++)
        if (shape->members[i].required && !is_there(node, shape->members[i].name))
            return refuse_missing(walk, shape->members[i].name);
    if (shape->kind == SHAPE_UNION && given != 1)
        return refuse(walk,
                      "Malformed input request: #/%.*s: exactly one member of the union must be "
                      "set, please reformat your input and try again.",
                      (int)walk->path_len, walk->path);
    return OK;
}

static enum err check_map(struct walk *walk, const struct json *node, const struct shape *shape)
{
    for (const struct json *child = node->first; child != NULL; child = child->next)
        if (child->name.len == 0 || utf8_count(child->name) > KEY_CHARACTERS_MAX ||
            !is_allowed(child->name, shape->allowed))
            return refuse(walk,
                          "1 validation error detected: Value at '%.*s' failed to satisfy "
                          "constraint: Map keys must satisfy constraint: [Member must have length "
                          "less than or equal to 256, Member must satisfy regular expression "
                          "pattern]",
                          (int)walk->path_len, walk->path);
    return check_size(walk, node, shape, node->count);
}

static void descend(struct walk *walk, const struct json *node, const struct shape *shape)
{
    walk->levels[walk->depth++] = (struct level){shape, node->first, 0, walk->path_len};
}

/* The shape that a value of several shapes must have. */
static enum err choose(struct walk *walk, const struct json *node, const struct shape **shape)
{
    struct slice tag;
    if ((*shape)->kind == SHAPE_EITHER)
        *shape = (*shape)->members[json_is(node, JSON_STRING) ? 0 : 1].shape;
    if ((*shape)->kind != SHAPE_TAGGED)
        return OK;
    const struct json *type = json_member(node, "type");
    if (!json_is(node, JSON_OBJECT))
        return refuse_type(walk, "JSONObject");
    if (!json_is(type, JSON_STRING))
        return refuse_missing(walk, "type");
    if (!json_string(walk->arena, type, &tag))
        return ERR_NO_MEMORY;
    const struct shape_member *member = member_of(*shape, tag);
    if (member == NULL)
        return refuse(walk,
                      "%.*s: Input tag '%.*s' found using 'type' does not match any of the "
                      "expected tags",
                      (int)walk->path_len, walk->path, SLICE_ARG(utf8_clip(tag, SHOWN_MAX)));
    *shape = member->shape;
    return OK;
}

/* Checks the value at walk->path; the walk checks a container's children later. */
static enum err check_value(struct walk *walk, const struct json *node, const struct shape *shape)
{
    enum err err = choose(walk, node, &shape);
    if (err != OK)
        return err;
    switch (shape->kind) {
    case SHAPE_DOCUMENT:
        return OK;
    case SHAPE_STRING:
        return check_string(walk, node, shape);
    case SHAPE_ENUM:
        return check_enum(walk, node, shape);
    case SHAPE_INTEGER:
    case SHAPE_FLOAT:
        return check_number(walk, node, shape);
    case SHAPE_BLOB:
        return check_blob(walk, node, shape);
    case SHAPE_BOOLEAN:
        return json_is(node, JSON_TRUE) || json_is(node, JSON_FALSE) ? OK
                                                                     : refuse_type(walk, "Boolean");
    case SHAPE_LIST:
        err = json_is(node, JSON_ARRAY) ? check_size(walk, node, shape, node->count)
                                        : refuse_type(walk, "JSONArray");
        break;
    case SHAPE_MAP:
        err = json_is(node, JSON_OBJECT) ? check_map(walk, node, shape)
                                         : refuse_type(walk, "JSONObject");
        break;
    case SHAPE_STRUCTURE:
    case SHAPE_UNION:
    case SHAPE_OPEN:
    case SHAPE_TAGGED:
    case SHAPE_EITHER:
    default:
        err = json_is(node, JSON_OBJECT) ? check_members(walk, node, shape)
                                         : refuse_type(walk, "JSONObject");
        break;
    }
    if (err == OK)
        descend(walk, node, shape);
    return err;
}

static const struct shape *child_shape(const struct shape *shape, const struct json *child)
{
    if (shape->kind == SHAPE_LIST || shape->kind == SHAPE_MAP)
        return shape->element;
    static const struct shape ANYTHING = {.kind = SHAPE_DOCUMENT};
    const struct shape_member *member = member_of(shape, child->name);
    if (member == NULL && shape->kind == SHAPE_OPEN)
        return &ANYTHING;
    CHECK(member != NULL); /* because check_members accepted it */
    return member->shape;
}

enum err check_shape(struct arena *arena, const struct json *root, const struct shape *shape,
                     char ret_text[CHECK_TEXT_MAX])
{
    struct walk walk = {.arena = arena, .voice = shape->voice, .text = ret_text};
    enum err err = check_value(&walk, root, shape);
    while (err == OK && walk.depth > 0) {
        struct level *level = &walk.levels[walk.depth - 1];
        const struct json *child = level->next;
        walk.path_len = level->path_len;
        if (child == NULL) {
            walk.depth--;
            continue;
        }
        bool is_list = level->shape->kind == SHAPE_LIST;
        path_add(&walk, is_list ? SLICE_NULL : child->name, level->index);
        level->next = child->next;
        level->index++;
        if (child->kind == JSON_NULL && !is_list)
            continue;
        err = check_value(&walk, child, child_shape(level->shape, child));
    }
    return err;
}
