#include "wire/formats/json_schema_parts.h"

#include "wire/formats/path.h"

#define REFS_MAX 64 /* that lead on to each other for one value */

/* What the value of a keyword must be. */
enum form {
    ANY,
    SCHEMA,
    SCHEMAS,
    BRANCHES,
    MEMBERS,
    TYPE,
    TYPES,
    NUMBER,
    COUNT,
    NAME,
    NAMES,
    LIST,
    REF
};

static const struct {
    const char *words;
    enum form each; /* of its members or elements */
} forms[] = {
    [ANY] = {"", ANY},
    [SCHEMA] = {"must be a schema: an object, true or false", ANY},
    [SCHEMAS] = {"must be an array of schemas", SCHEMA},
    [BRANCHES] = {"must be an array of schemas", SCHEMA}, /* for the same value */
    [MEMBERS] = {"must be an object of schemas", SCHEMA},
    [TYPE] = {"must be null, boolean, integer, number, string, array or object", ANY},
    [TYPES] = {"must be a type or an array of types", TYPE},
    [NUMBER] = {"must be a number", ANY},
    [COUNT] = {"must be a whole number from 0", ANY},
    [NAME] = {"must be a string", ANY},
    [NAMES] = {"must be an array of strings", NAME},
    [LIST] = {"must be an array", ANY},
    [REF] = {"must refer to # or to a member of #/$defs", ANY},
};

static const struct keyword {
    const char *name;
    enum form form;
} keywords[] = {
#define KEYWORD(name, form, apply) {name, form},
#define HOLDS(name)                {name, MEMBERS},
#define DESCRIBES(name)            {name, ANY},
#include "wire/formats/json_schema.def"
};

static const struct keyword *keyword_of(struct slice name)
{
    size_t i = 0;
    while (i < COUNT_OF(keywords) && !slice_equal_text(name, keywords[i].name))
        i++;
    return i < COUNT_OF(keywords) ? &keywords[i] : NULL;
}

static bool is_form(struct check *check, enum form form, const struct json *node)
{
    int64_t count;
    bool is_list = node->kind == JSON_ARRAY, is_object = node->kind == JSON_OBJECT;
    switch (form) {
    case SCHEMA:
        return is_object || node->kind == JSON_TRUE || node->kind == JSON_FALSE;
    case SCHEMAS:
    case BRANCHES:
        return is_list && node->count > 0;
    case MEMBERS:
        return is_object;
    case TYPES:
        return is_list ? node->count > 0 : json_schema_type_of(node) != NULL;
    case TYPE:
        return json_schema_type_of(node) != NULL;
    case NUMBER:
        return node->kind == JSON_NUMBER;
    case COUNT:
        return json_int64(node, &count) && count >= 0;
    case NAME:
        return node->kind == JSON_STRING;
    case NAMES:
    case LIST:
        return is_list;
    case REF:
        return json_schema_target(check, node) != NULL;
    case ANY:
    default:
        return true;
    }
}

/* --- references --- */

/* The schemas that led to one for the same value. */
struct hop {
    const struct hop *from;
    const struct json *schema;
    size_t number;
};

/* Whether it leads back, or too far. */
static bool is_loop(struct check *check, const struct json *schema, const struct hop *from)
{
    struct hop hop = {from, json_schema_target(check, json_member(schema, "$ref")),
                      from->number + 1};
    for (const struct hop *old = from; old != NULL && hop.schema != NULL; old = old->from)
        if (old->schema == hop.schema || hop.number > REFS_MAX || !json_schema_spend(check, 1))
            return true;
    if (hop.schema != NULL && is_loop(check, hop.schema, &hop))
        return true;
    for (const struct json *in = schema->first; in != NULL; in = in->next) {
        const struct keyword *keyword = keyword_of(in->name);
        bool is_same = keyword != NULL && keyword->form == BRANCHES;
        for (const struct json *each = is_same ? in->first : NULL; each != NULL; each = each->next)
            if (!json_schema_spend(check, 1) || is_loop(check, each, from))
                return true;
    }
    return false;
}

/* --- the schema: by recursion, no deeper than JSON nests --- */

static enum err check_form(struct check *check, enum form form, const struct json *node,
                           const char *path, struct why *ret_why);

static enum err check_schema(struct check *check, const struct json *schema, const char *path,
                             struct why *ret_why)
{
    enum err err = OK;
    struct hop start = {NULL, schema, 0};
    for (const struct json *member = schema->first; err == OK && member != NULL;
         member = member->next) {
        const struct keyword *keyword = keyword_of(member->name);
        struct path place = path_member(path, member->name);
        if (keyword == NULL)
            return why_set(ret_why, ERR_INVALID, place.text,
                           "the worker cannot check this keyword: leave it or validate out");
        err = check_form(check, keyword->form, member, place.text, ret_why);
        if (err == OK && keyword->form == REF && is_loop(check, schema, &start))
            err =
                why_set(ret_why, ERR_INVALID, place.text,
                        check->err == OK ? "leads back to this schema, or over more than %d others"
                                         : "leads to too many schemas",
                        REFS_MAX);
    }
    return err;
}

static enum err check_form(struct check *check, enum form form, const struct json *node,
                           const char *path, struct why *ret_why)
{
    enum err err = OK;
    size_t index = 0;
    enum form each = forms[form].each;
    if (!is_form(check, form, node))
        return check->err != OK ? check->err
                                : why_set(ret_why, ERR_INVALID, path, "%s", forms[form].words);
    if (form == SCHEMA)
        return check_schema(check, node, path, ret_why);
    for (const struct json *item = each == ANY ? NULL : node->first; err == OK && item != NULL;
         item = item->next, index++) {
        struct path place =
            node->kind == JSON_OBJECT ? path_member(path, item->name) : path_element(path, index);
        err = check_form(check, each, item, place.text, ret_why);
    }
    return err;
}

enum err json_schema_check(struct arena *arena, const struct json *schema, const char *path,
                           struct why *ret_why)
{
    struct check check = {.arena = arena, .root = schema};
    enum err err = check_form(&check, SCHEMA, schema, path, ret_why);
    if (check.err == ERR_TOO_LARGE && err != ERR_INVALID)
        return why_set(ret_why, ERR_INVALID, path, "takes too many steps to check");
    if (check.err != OK && err != ERR_INVALID)
        return why_set(ret_why, check.err, NULL, "%s", "");
    return err;
}
