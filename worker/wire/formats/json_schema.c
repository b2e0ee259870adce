#include "wire/formats/json_schema.h"

#include "base/check.h"
#include "base/utf8.h"
#include "wire/formats/json_number.h"
#include "wire/formats/json_schema_parts.h"

#define SHOWN_BYTES 160 /* of a value of the schema */
#define NAME_BYTES  64  /* of a member's name */

/* A value, and the one that it is in. */
struct place {
    const struct place *up; /* NULL: it is the whole, `$` */
    const struct json *node;
    size_t index; /* of an element, which has no name */
};

/* One keyword of a schema, with the value that it is applied to. */
struct use {
    struct check *check;
    const struct json *schema, *keyword, *value;
    const struct place *place; /* of the value */
};

static bool apply(struct check *check, const struct json *schema, const struct place *place);

/* --- faults --- */

static void add_place(struct buf *line, const struct place *place)
{
    char name[NAME_BYTES];
    why_copy(name, sizeof name, place->node->name);
    if (place->up == NULL) {
        buf_add_byte(line, '$');
        return;
    }
    add_place(line, place->up);
    if (place->node->name.ptr == NULL)
        buf_addf(line, "[%zu]", place->index);
    else
        buf_addf(line, ".%s", name);
}

/* Returns false, for all callers. Of a long place the end says more than the beginning. */
static bool refuse(const struct use *use, const char *format, ...) PRINTF(2, 3);
static bool refuse(const struct use *use, const char *format, ...)
{
    struct check *check = use->check;
    char where[JSON_SCHEMA_FAULT_MAX / 2], words[JSON_SCHEMA_FAULT_MAX / 2];
    struct buf text OWNED_BY(buf_done);
    va_list args;
    buf_init(&text, (size_t)DEPTH_MAX * NAME_BYTES);
    if (check->faults == NULL || check->count++ >= JSON_SCHEMA_FAULTS_MAX)
        return false;
    add_place(&text, use->place);
    size_t over = text.len < sizeof where ? 0 : text.len - sizeof where + 1;
    why_copy(where, sizeof where, slice_sub(buf_slice(&text), over, SIZE_MAX));
    buf_reset(&text);
    va_start(args, format);
    buf_addv(&text, format, args);
    va_end(args);
    why_copy(words, sizeof words, buf_slice(&text));
    buf_addf(check->faults, "%s%s: %s", check->faults->len > 0 ? "\n" : "", where, words);
    return false;
}

bool json_schema_spend(struct check *check, size_t steps)
{
    check->steps += steps;
    if (check->err == OK && (check->steps > STEPS_MAX || check->depth > DEPTH_MAX))
        check->err = ERR_TOO_LARGE;
    return check->err == OK;
}

static bool decode(struct check *check, const struct json *node, struct slice *ret_text)
{
    struct arena *arena = check->arena;
    if (!json_string(arena, node, ret_text))
        check->err = node->source.len >= arena->limit - arena->held ? ERR_TOO_LARGE : ERR_NO_MEMORY;
    return check->err == OK;
}

/* --- the value itself --- */

static bool is_equal(struct check *check, const struct json *a, const struct json *b)
{
    struct slice text_a, text_b;
    if (!json_schema_spend(check, 1) || a->kind != b->kind || a->count != b->count)
        return false;
    if (a->kind == JSON_NUMBER)
        return json_number_compare(a, b) == 0;
    if (a->kind == JSON_STRING)
        return decode(check, a, &text_a) && decode(check, b, &text_b) &&
               slice_equal(text_a, text_b);
    const struct json *other = b->first;
    for (const struct json *item = a->first; item != NULL; item = item->next) {
        if (a->kind == JSON_OBJECT)
            other = json_schema_spend(check, b->count) ? json_member_of(b, item->name) : NULL;
        if (other == NULL || !is_equal(check, item, other))
            return false;
        other = other->next;
    }
    return true;
}

const struct json_schema_type json_schema_types[JSON_SCHEMA_TYPES] = {
    {"null", "null", JSON_NULL, JSON_NULL, false},
    {"boolean", "true or false", JSON_TRUE, JSON_FALSE, false},
    {"integer", "a whole number", JSON_NUMBER, JSON_NUMBER, true},
    {"number", "a number", JSON_NUMBER, JSON_NUMBER, false},
    {"string", "a string", JSON_STRING, JSON_STRING, false},
    {"array", "an array", JSON_ARRAY, JSON_ARRAY, false},
    {"object", "an object", JSON_OBJECT, JSON_OBJECT, false},
};

const struct json_schema_type *json_schema_type_of(const struct json *name)
{
    for (size_t i = 0; i < JSON_SCHEMA_TYPES; i++)
        if (json_equal_text(name, json_schema_types[i].name))
            return &json_schema_types[i];
    return NULL;
}

static bool apply_type(const struct use *use)
{
    struct buf words OWNED_BY(buf_done);
    const struct json *name = use->keyword->kind == JSON_ARRAY ? use->keyword->first : use->keyword;
    buf_init(&words, JSON_SCHEMA_FAULT_MAX);
    for (; name != NULL; name = name == use->keyword ? NULL : name->next) {
        const struct json_schema_type *type = json_schema_type_of(name);
        CHECK(type != NULL); /* the schema was checked */
        if ((use->value->kind == type->kind || use->value->kind == type->other) &&
            (!type->is_whole || json_number_is_whole(use->value)))
            return true;
        buf_addf(&words, "%s%s", words.len > 0 ? " or " : "", type->words);
    }
    return refuse(use, "must be %s", buf_text(&words));
}

static bool apply_enum(const struct use *use)
{
    char shown[SHOWN_BYTES];
    bool is_list = slice_equal_text(use->keyword->name, "enum");
    const struct json *item = is_list ? use->keyword->first : use->keyword;
    for (; item != NULL; item = is_list ? item->next : NULL)
        if (is_equal(use->check, item, use->value))
            return true;
    why_copy(shown, sizeof shown, use->keyword->source);
    return refuse(use, "must be %s%s", is_list ? "one of " : "", shown);
}

static bool apply_limit(const struct use *use)
{
    char shown[SHOWN_BYTES];
    bool is_least = slice_ends(use->keyword->name, SLICE("inimum"));
    bool is_open = slice_starts(use->keyword->name, SLICE("exclusive"));
    if (use->value->kind != JSON_NUMBER)
        return true;
    int order = json_number_compare(use->value, use->keyword);
    if (order == 0 ? !is_open : is_least == (order > 0))
        return true;
    why_copy(shown, sizeof shown, use->keyword->source);
    return refuse(use, "must be %s %s",
                  is_open ? (is_least ? "more than" : "less than")
                          : (is_least ? "at least" : "at most"),
                  shown);
}

static bool apply_count(const struct use *use)
{
    bool is_least = slice_starts(use->keyword->name, SLICE("min"));
    bool is_text = slice_ends(use->keyword->name, SLICE("Length"));
    struct slice text;
    int64_t limit;
    if (use->value->kind != (is_text ? JSON_STRING : JSON_ARRAY) ||
        !json_int64(use->keyword, &limit) || (is_text && !decode(use->check, use->value, &text)))
        return true;
    size_t count = is_text ? utf8_count(text) : use->value->count;
    return (is_least ? count >= (uint64_t)limit : count <= (uint64_t)limit) ||
           refuse(use, "must have at %s %lld %s, has %zu", is_least ? "least" : "most",
                  (long long)limit, is_text ? "characters" : "elements", count);
}

/* --- its members and elements --- */

static const struct json *first_of(const struct use *use, enum json_kind kind)
{
    return use->value->kind == kind ? use->value->first : NULL;
}

/* properties and additionalProperties: a member has its own schema, or that of all others. */
static bool apply_members(const struct use *use)
{
    const struct json *own = json_member(use->schema, "properties");
    struct place place = {.up = use->place, .node = first_of(use, JSON_OBJECT)};
    bool is_valid = true;
    for (; place.node != NULL && json_schema_spend(use->check, own == NULL ? 1 : own->count);
         place.node = place.node->next) {
        const struct json *schema = json_member_of(own, place.node->name);
        if (own != use->keyword)
            schema = schema == NULL ? use->keyword : NULL;
        is_valid = (schema == NULL || apply(use->check, schema, &place)) && is_valid;
    }
    return is_valid;
}

/* prefixItems and items, likewise. */
static bool apply_elements(const struct use *use)
{
    const struct json *list = json_member(use->schema, "prefixItems");
    const struct json *own = list == NULL ? NULL : list->first;
    struct place place = {.up = use->place, .node = first_of(use, JSON_ARRAY)};
    bool is_valid = true;
    for (; place.node != NULL; place.node = place.node->next, place.index++) {
        const struct json *schema = own;
        if (list != use->keyword)
            schema = own == NULL ? use->keyword : NULL;
        is_valid = (schema == NULL || apply(use->check, schema, &place)) && is_valid;
        own = own == NULL ? NULL : own->next;
    }
    return is_valid;
}

static bool apply_required(const struct use *use)
{
    char shown[SHOWN_BYTES];
    bool is_valid = true;
    for (const struct json *name = use->keyword->first; name != NULL; name = name->next) {
        struct slice text;
        if (use->value->kind != JSON_OBJECT || !json_schema_spend(use->check, use->value->count) ||
            !decode(use->check, name, &text))
            break;
        why_copy(shown, sizeof shown, name->source);
        if (json_member_of(use->value, text) == NULL)
            is_valid = refuse(use, "must have the member %s", shown);
    }
    return is_valid;
}

/* --- schemas for the same value --- */

/* anyOf, oneOf. Where all but one are for null, that one says what is wrong. */
static bool apply_some(const struct use *use)
{
    struct buf *faults = use->check->faults;
    const struct json *other = NULL;
    size_t matches = 0, others = 0;
    use->check->faults = NULL;
    for (const struct json *schema = use->keyword->first; schema != NULL; schema = schema->next) {
        bool is_null = json_equal_text(json_member(schema, "type"), "null");
        matches += apply(use->check, schema, use->place);
        other = is_null ? other : schema;
        others += !is_null;
    }
    use->check->faults = faults;
    if (matches == 1 || (matches > 1 && slice_equal_text(use->keyword->name, "anyOf")))
        return true;
    if (matches == 0 && others == 1)
        return apply(use->check, other, use->place);
    return refuse(use, "must match one of the schemas of %.*s, matches %zu",
                  SLICE_ARG(use->keyword->name), matches);
}

static bool apply_all_of(const struct use *use)
{
    bool is_valid = true;
    for (const struct json *schema = use->keyword->first; schema != NULL; schema = schema->next)
        is_valid = apply(use->check, schema, use->place) && is_valid;
    return is_valid;
}

/* Of a JSON pointer (RFC 6901): `~1` is `/`, `~0` is `~`. */
static bool is_token(struct slice token, struct slice name)
{
    size_t at = 0, i = 0;
    for (; i < token.len && at < name.len; i++, at++) {
        bool is_escape = token.ptr[i] == '~' && i + 1 < token.len;
        char byte = is_escape ? (token.ptr[++i] == '1' ? '/' : '~') : token.ptr[i];
        if (byte != name.ptr[at])
            return false;
    }
    return i == token.len && at == name.len;
}

const struct json *json_schema_target(struct check *check, const struct json *ref)
{
    struct slice text;
    if (!json_is(ref, JSON_STRING) || !decode(check, ref, &text) || slice_equal_text(text, "#"))
        return json_is(ref, JSON_STRING) && check->err == OK ? check->root : NULL;
    bool is_old = slice_starts(text, SLICE("#/definitions/"));
    if (!is_old && !slice_starts(text, SLICE("#/$defs/")))
        return NULL;
    struct slice token =
        slice_sub(text, is_old ? sizeof "#/definitions/" - 1 : sizeof "#/$defs/" - 1, SIZE_MAX);
    const struct json *defs = json_member(check->root, is_old ? "definitions" : "$defs");
    const struct json *def = json_is(defs, JSON_OBJECT) ? defs->first : NULL;
    while (def != NULL && json_schema_spend(check, 1) && !is_token(token, def->name))
        def = def->next;
    return def;
}

static bool apply_ref(const struct use *use)
{
    const struct json *target = json_schema_target(use->check, use->keyword);
    return target == NULL || apply(use->check, target, use->place);
}

/* --- the keywords --- */

static const struct {
    const char *name;
    bool (*apply)(const struct use *use);
} keywords[] = {
#define KEYWORD(name, form, apply) {name, apply},
#define HOLDS(name)
#define DESCRIBES(name)
#include "wire/formats/json_schema.def"
};

static bool apply(struct check *check, const struct json *schema, const struct place *place)
{
    struct use use = {check, schema, NULL, place->node, place};
    bool is_valid = schema->kind != JSON_FALSE || refuse(&use, "must not be there");
    check->depth++;
    use.keyword = json_schema_spend(check, 1) ? schema->first : NULL;
    for (; use.keyword != NULL && check->err == OK; use.keyword = use.keyword->next) {
        for (size_t i = 0; i < COUNT_OF(keywords); i++)
            if (slice_equal_text(use.keyword->name, keywords[i].name))
                is_valid = keywords[i].apply(&use) && is_valid;
    }
    check->depth--;
    return is_valid;
}

enum err json_schema_validate(struct arena *arena, const struct json *schema,
                              const struct json *value, struct buf *ret_faults)
{
    struct check check = {.arena = arena, .root = schema, .faults = ret_faults};
    struct place place = {.node = value};
    (void)apply(&check, schema, &place);
    return check.err != OK ? check.err : ret_faults->failed;
}
