#include "sim/sample.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define LEVELS_FULL  4  /* below, only what is required */
#define LEVELS_MAX   24 /* below, null */
#define REFS_MAX     16 /* that point to each other */
#define STEP_MAX     9007199254740991.0
#define TRIES_MAX    64 /* places where a schema may begin in a text */
#define POINTER_PART 256

struct sampler {
    struct arena *arena;
    const struct json *root;
    struct buf *buf;
};

/* Where a value stands: the name of its member, its place in a list, its depth. */
struct spot {
    struct slice name;
    size_t index;
    int level;
};

static void add_value(struct sampler *sampler, const struct json *schema, struct spot spot);

/* ---- references ---- */

/* Undoes ~0 and ~1 of a part of a JSON pointer. */
static struct slice decode_part(struct slice part, char room[POINTER_PART])
{
    size_t len = 0;
    for (size_t i = 0; i < part.len && len < POINTER_PART; i++) {
        char byte = part.ptr[i];
        if (byte == '~' && i + 1 < part.len)
            byte = part.ptr[++i] == '1' ? '/' : '~';
        room[len++] = byte;
    }
    return slice_of(room, len);
}

static const struct json *find_pointer(const struct json *root, struct slice pointer)
{
    char room[POINTER_PART];
    while (root != NULL && pointer.len > 0) {
        pointer = slice_sub(pointer, 1, pointer.len); /* the slash */
        size_t end = slice_find(pointer, '/');
        root = json_member_of(root, decode_part(slice_sub(pointer, 0, end), room));
        pointer = slice_sub(pointer, end, pointer.len);
    }
    return root;
}

/* The schema itself, or what its $ref names; NULL when that is nowhere. */
static const struct json *follow(struct sampler *sampler, const struct json *schema)
{
    for (int i = 0; i < REFS_MAX; i++) {
        struct slice text;
        const struct json *ref = json_member(schema, "$ref");
        if (!json_is(ref, JSON_STRING))
            return schema;
        if (!json_string(sampler->arena, ref, &text) || !slice_starts(text, SLICE("#")))
            return NULL;
        schema = find_pointer(sampler->root, slice_sub(text, 1, text.len));
    }
    return NULL;
}

/* ---- numbers ---- */

static double limit_of(const struct json *schema, const char *name, double otherwise)
{
    double value;
    const struct json *limit = json_member(schema, name);
    return json_is(limit, JSON_NUMBER) && json_double(limit, &value) ? value : otherwise;
}

/* 1, 2, … moved between the limits. */
static void add_number(struct sampler *sampler, const struct json *schema, size_t index,
                       bool is_whole)
{
    double low = limit_of(schema, "minimum", -STEP_MAX);
    double high = limit_of(schema, "maximum", STEP_MAX);
    double above = limit_of(schema, "exclusiveMinimum", -STEP_MAX - 1);
    double below = limit_of(schema, "exclusiveMaximum", STEP_MAX + 1);
    double step = limit_of(schema, "multipleOf", 1);
    double value = (double)index + 1;
    if (above >= low)
        low = is_whole ? floor(above) + 1 : above + (below < STEP_MAX ? (below - above) / 2 : 1);
    if (below <= high)
        high = is_whole ? ceil(below) - 1 : below - (above > -STEP_MAX ? (below - above) / 2 : 1);
    if (value > high)
        value = is_whole ? floor(high) : high;
    if (value < low)
        value = is_whole ? ceil(low) : low;
    if (step > 0 && json_member(schema, "multipleOf") != NULL)
        value = ceil(value / step) * step;
    buf_addf(sampler->buf, is_whole || value == floor(value) ? "%.0f" : "%.15g", value);
}

/* ---- texts ---- */

static const struct {
    const char *format, *text;
} FORMATS[] = {
    {"date", "2026-01-31"},
    {"date-time", "2026-01-31T12:00:00Z"},
    {"time", "12:00:00Z"},
    {"duration", "P1D"},
    {"email", "someone@example.com"},
    {"uri", "https://example.com/"},
    {"hostname", "example.com"},
    {"ipv4", "192.0.2.1"},
    {"ipv6", "2001:db8::1"},
    {"uuid", "00000000-0000-4000-a000-000000000001"},
};

static const char *format_text(const struct json *schema)
{
    const struct json *format = json_member(schema, "format");
    for (size_t i = 0; i < COUNT_OF(FORMATS); i++)
        if (json_equal_text(format, FORMATS[i].format))
            return FORMATS[i].text;
    return NULL;
}

/* Cuts a text to `most` characters. */
static struct slice clip(struct slice text, double most)
{
    size_t len = text.len;
    while (len > 0 && (double)utf8_count(slice_sub(text, 0, len)) > most)
        len = utf8_clip(text, len - 1).len;
    return slice_sub(text, 0, len);
}

/* The member's name; with its number in a list, so that items differ. */
static void add_text(struct sampler *sampler, const struct json *schema, const struct spot *spot)
{
    struct buf text OWNED_BY(buf_done);
    const char *format = format_text(schema);
    double least = limit_of(schema, "minLength", 0);
    buf_init(&text, sampler->buf->limit);
    if (format != NULL)
        buf_add_text(&text, format);
    else
        buf_add(&text, spot->name.len > 0 ? spot->name : SLICE("text"));
    if (format == NULL && spot->index > 0)
        buf_addf(&text, " %zu", spot->index + 1);
    for (double len = (double)utf8_count(buf_slice(&text)); len < least && text.failed == OK; len++)
        buf_add_byte(&text, 'x');
    if (text.failed != OK)
        sampler->buf->failed = text.failed;
    json_add_string(sampler->buf, clip(buf_slice(&text), limit_of(schema, "maxLength", STEP_MAX)));
}

/* ---- lists and objects ---- */

static void add_list(struct sampler *sampler, const struct json *schema, struct spot spot)
{
    const struct json *items = json_member(schema, "items");
    const struct json *first = json_member(schema, "prefixItems");
    double least = limit_of(schema, "minItems", 0);
    double count = spot.level < LEVELS_FULL && least < 1 ? 1 : least;
    size_t index = 0;
    if (json_is(first, JSON_ARRAY) && count < (double)first->count)
        count = (double)first->count;
    if (count > limit_of(schema, "maxItems", STEP_MAX))
        count = limit_of(schema, "maxItems", STEP_MAX);
    const struct json *item = json_is(first, JSON_ARRAY) ? first->first : NULL;
    buf_add_byte(sampler->buf, '[');
    for (; (double)index < count && sampler->buf->failed == OK; index++) {
        if (item == NULL && json_is(items, JSON_FALSE))
            break;
        if (index > 0)
            buf_add_byte(sampler->buf, ',');
        add_value(sampler, item != NULL ? item : items,
                  (struct spot){spot.name, index, spot.level + 1});
        item = item != NULL ? item->next : NULL;
    }
    buf_add_byte(sampler->buf, ']');
}

static bool is_required(const struct json *schema, struct slice name, struct arena *arena)
{
    const struct json *required = json_member(schema, "required");
    for (const struct json *item = json_is(required, JSON_ARRAY) ? required->first : NULL;
         item != NULL; item = item->next) {
        struct slice text;
        if (json_string(arena, item, &text) && slice_equal(text, name))
            return true;
    }
    return false;
}

static void add_member(struct sampler *sampler, struct slice name, const struct json *schema,
                       int level)
{
    json_add_comma(sampler->buf);
    json_add_string(sampler->buf, name);
    buf_add_byte(sampler->buf, ':');
    add_value(sampler, schema, (struct spot){name, 0, level + 1});
}

/* The properties of one part of an object; those of `before` stand there already. */
static void add_properties(struct sampler *sampler, const struct json *schema,
                           const struct json *before, int level)
{
    const struct json *properties = json_member(schema, "properties");
    const struct json *earlier = json_member(before, "properties");
    const struct json *required = json_member(schema, "required");
    const struct json *other = json_member(schema, "additionalProperties");
    for (const struct json *property = json_is(properties, JSON_OBJECT) ? properties->first : NULL;
         property != NULL; property = property->next)
        if (json_member_of(earlier, property->name) == NULL &&
            (level < LEVELS_FULL || is_required(schema, property->name, sampler->arena)))
            add_member(sampler, property->name, property, level);
    for (const struct json *item = json_is(required, JSON_ARRAY) ? required->first : NULL;
         item != NULL; item = item->next) {
        struct slice name;
        if (json_string(sampler->arena, item, &name) && json_member_of(properties, name) == NULL &&
            json_member_of(earlier, name) == NULL)
            add_member(sampler, name, other, level);
    }
}

static void add_object(struct sampler *sampler, const struct json *schema, int level)
{
    const struct json *parts = json_member(schema, "allOf");
    buf_add_byte(sampler->buf, '{');
    add_properties(sampler, schema, NULL, level);
    for (const struct json *part = json_is(parts, JSON_ARRAY) ? parts->first : NULL; part != NULL;
         part = part->next)
        add_properties(sampler, follow(sampler, part), schema, level);
    buf_add_byte(sampler->buf, '}');
}

/* ---- any value ---- */

/* The type; of several the first that is not null. */
static const struct json *type_of(const struct json *schema)
{
    const struct json *type = json_member(schema, "type");
    if (!json_is(type, JSON_ARRAY))
        return type;
    const struct json *item = type->first;
    while (item != NULL && json_equal_text(item, "null") && item->next != NULL)
        item = item->next;
    return item;
}

/* Of several schemas the first that is not null, or null when the value is deep enough. */
static const struct json *branch_of(struct sampler *sampler, const struct json *schema, int level)
{
    static const char *const NAMES[] = {"anyOf", "oneOf"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        const struct json *branches = json_member(schema, NAMES[i]);
        const struct json *chosen = NULL;
        for (const struct json *branch = json_is(branches, JSON_ARRAY) ? branches->first : NULL;
             branch != NULL; branch = branch->next) {
            const struct json *type = json_member(follow(sampler, branch), "type");
            if (chosen == NULL || json_equal_text(type, "null") == (level >= LEVELS_FULL))
                chosen = chosen == NULL || level >= LEVELS_FULL ||
                                 json_equal_text(json_member(chosen, "type"), "null")
                             ? branch
                             : chosen;
        }
        if (chosen != NULL)
            return chosen;
    }
    return NULL;
}

static bool add_fixed(struct sampler *sampler, const struct json *schema, size_t index)
{
    const struct json *one = json_member(schema, "const");
    const struct json *several = json_member(schema, "enum");
    if (one == NULL && json_is(several, JSON_ARRAY) && several->count > 0) {
        one = several->first;
        for (size_t i = index % several->count; i > 0; i--)
            one = one->next;
    }
    if (one != NULL)
        buf_add(sampler->buf, one->source);
    return one != NULL;
}

static void add_typed(struct sampler *sampler, const struct json *schema, const struct spot *spot)
{
    const struct json *type = type_of(schema);
    if (json_equal_text(type, "object") || json_member(schema, "properties") != NULL ||
        json_member(schema, "allOf") != NULL)
        add_object(sampler, schema, spot->level);
    else if (json_equal_text(type, "array") || json_member(schema, "items") != NULL)
        add_list(sampler, schema, *spot);
    else if (json_equal_text(type, "integer"))
        add_number(sampler, schema, spot->index, true);
    else if (json_equal_text(type, "number"))
        add_number(sampler, schema, spot->index, false);
    else if (json_equal_text(type, "boolean"))
        buf_add_text(sampler->buf, "true");
    else if (json_equal_text(type, "null"))
        buf_add_text(sampler->buf, "null");
    else
        add_text(sampler, schema, spot);
}

/* Recurses at most LEVELS_MAX deep. */
static void add_value(struct sampler *sampler, const struct json *schema, struct spot spot)
{
    schema = follow(sampler, schema);
    if (sampler->buf->failed != OK)
        return;
    if (spot.level > LEVELS_MAX) {
        buf_add_text(sampler->buf, "null");
        return;
    }
    if (add_fixed(sampler, schema, spot.index))
        return;
    const struct json *branch = branch_of(sampler, schema, spot.level);
    const struct json *parts = json_member(schema, "allOf");
    spot.level += branch != NULL ? 1 : 0;
    if (branch != NULL && json_member(schema, "properties") == NULL)
        add_value(sampler, branch, spot);
    else if (json_is(parts, JSON_ARRAY) && parts->count == 1 &&
             json_member(schema, "properties") == NULL)
        add_value(sampler, parts->first, (struct spot){spot.name, spot.index, spot.level + 1});
    else
        add_typed(sampler, schema, &spot);
}

void sample_add(struct buf *buf, struct arena *arena, const struct json *schema)
{
    struct sampler sampler = {arena, schema, buf};
    add_value(&sampler, schema, (struct spot){SLICE_NULL, 0, 0});
}

/* The end of the object that begins at `from`, or text.len. */
static size_t object_end(struct slice text, size_t from)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = from; i < text.len; i++) {
        char byte = text.ptr[i];
        if (in_string) {
            i += byte == '\\' ? 1 : 0;
            in_string = byte != '"';
        } else if (byte == '"') {
            in_string = true;
        } else if (byte == '{') {
            depth++;
        } else if (byte == '}' && --depth == 0) {
            return i + 1;
        }
    }
    return text.len;
}

const struct json *sample_find_schema(struct arena *arena, struct slice text)
{
    const struct json *found = NULL;
    size_t at = slice_find(text, '{');
    for (int i = 0; i < TRIES_MAX && at < text.len; i++) {
        const struct json *root;
        size_t end = object_end(text, at);
        bool is_json = json_parse(arena, slice_sub(text, at, end - at), &root, NULL) == OK;
        if (is_json && (json_member(root, "properties") != NULL ||
                        json_member(root, "$ref") != NULL || json_member(root, "type") != NULL))
            found = root;
        else
            end = at + 1; /* a schema may stand inside */
        at = end + slice_find(slice_sub(text, end, text.len), '{');
    }
    return found;
}
