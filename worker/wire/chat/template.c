#include "wire/chat/template.h"

#include "base/check.h"
#include "wire/formats/path.h"

enum piece_kind { PIECE_END, PIECE_TEXT, PIECE_VARIABLE, PIECE_BROKEN };

struct piece {
    enum piece_kind kind;
    struct slice text; /* the literal text, or the variable's name */
    const char *words; /* what is broken */
};

/* Letters of other scripts count as letters: every byte of them is above ASCII. */
static bool is_name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || (unsigned char)byte >= 0x80;
}

static const char *fault_in_name(struct slice name)
{
    bool digits_only = true;
    if (name.len == 0)
        return "{} names no variable";
    for (size_t i = 0; i < name.len; i++) {
        if (!is_name_byte(name.ptr[i]))
            return "a variable name has letters, digits and _ only (double a literal brace)";
        digits_only = digits_only && name.ptr[i] >= '0' && name.ptr[i] <= '9';
    }
    return digits_only ? "a variable name must not be a number" : NULL;
}

static struct piece broken(const char *words)
{
    return (struct piece){.kind = PIECE_BROKEN, .text = SLICE_NULL, .words = words};
}

/* Behind the opening brace at *at. */
static struct piece take_variable(struct slice text, size_t *at)
{
    struct slice rest = slice_sub(text, *at + 1, SIZE_MAX);
    struct slice name = slice_sub(rest, 0, slice_find(rest, '}'));
    if (name.len == rest.len)
        return broken("a { without a }");
    const char *words = fault_in_name(name);
    if (words != NULL)
        return broken(words);
    *at += name.len + 2;
    return (struct piece){.kind = PIECE_VARIABLE, .text = name};
}

/* The next piece from *at on, which moves behind it; at the brace when broken. */
static struct piece take_piece(struct slice text, size_t *at)
{
    if (*at == text.len)
        return (struct piece){.kind = PIECE_END};
    size_t from = *at;
    char byte = text.ptr[from];
    if (byte == '{' || byte == '}') {
        if (from + 1 < text.len && text.ptr[from + 1] == byte) {
            *at += 2;
            return (struct piece){.kind = PIECE_TEXT, .text = slice_sub(text, from, 1)};
        }
        return byte == '{' ? take_variable(text, at)
                           : broken("a } without a { (double a literal brace)");
    }
    while (*at < text.len && text.ptr[*at] != '{' && text.ptr[*at] != '}')
        ++*at;
    return (struct piece){.kind = PIECE_TEXT, .text = slice_sub(text, from, *at - from)};
}

static const struct json *find_variable(const struct json *variables, struct slice name,
                                        size_t *ret_position)
{
    *ret_position = 0;
    if (!json_is(variables, JSON_OBJECT))
        return NULL;
    for (const struct json *member = variables->first; member != NULL; member = member->next) {
        if (slice_equal(member->name, name))
            return member;
        ++*ret_position;
    }
    return NULL;
}

static enum err decode_value(struct arena *arena, const struct json *value, struct slice *ret_text,
                             struct why *ret_why)
{
    if (value->kind == JSON_STRING)
        return json_string(arena, value, ret_text)
                   ? OK
                   : why_set(ret_why, ERR_NO_MEMORY, NULL, "%s", "");
    if (value->kind == JSON_NUMBER || value->kind == JSON_TRUE || value->kind == JSON_FALSE) {
        *ret_text = value->source;
        return OK;
    }
    struct path path = path_member("prompt.variables", value->name);
    return why_set(ret_why, ERR_INVALID, path.text, "must be a string, a number, true or false");
}

static enum err add_variable(struct arena *arena, struct slice name, struct template_use *use,
                             struct buf *ret_text, struct why *ret_why)
{
    size_t position;
    const struct json *value = find_variable(use->variables, name, &position);
    if (value == NULL)
        return why_set(ret_why, ERR_TEMPLATE_VARIABLES, "prompt.variables",
                       "the template needs the variable \"%.*s\"",
                       SLICE_ARG(slice_sub(name, 0, 80)));
    if (position >= TEMPLATE_VARIABLES_MAX)
        return why_set(ret_why, ERR_INVALID, "prompt.variables", "has more than %d variables",
                       TEMPLATE_VARIABLES_MAX);
    if (!use->used[position]) {
        enum err err = decode_value(arena, value, &use->values[position], ret_why);
        if (err != OK)
            return err;
        use->used[position] = true;
    }
    buf_add(ret_text, use->values[position]);
    return OK;
}

enum err template_fill(struct arena *arena, struct slice text, struct template_use *use,
                       const char *field, struct buf *ret_text, struct why *ret_why)
{
    size_t at = 0;
    for (size_t pieces = 0;; pieces++) {
        struct piece piece = take_piece(text, &at);
        if (piece.kind == PIECE_END)
            break;
        if (piece.kind == PIECE_BROKEN)
            return why_set(ret_why, ERR_INVALID, field, "the template is invalid at byte %zu: %s",
                           at + 1, piece.words);
        if (pieces == TEMPLATE_PIECES_MAX)
            return why_set(ret_why, ERR_INVALID, field, "the template has more than %d pieces",
                           TEMPLATE_PIECES_MAX);
        enum err err = OK;
        if (piece.kind == PIECE_TEXT)
            buf_add(ret_text, piece.text);
        else
            err = add_variable(arena, piece.text, use, ret_text, ret_why);
        if (err != OK)
            return err;
    }
    if (ret_text->failed == ERR_TOO_LARGE)
        return why_set(ret_why, ERR_REQUEST_TOO_LARGE, field,
                       "the filled template has more than %zu bytes", ret_text->limit);
    return ret_text->failed == OK ? OK : why_set(ret_why, ret_text->failed, NULL, "%s", "");
}

enum err template_all_used(const struct template_use *use, struct why *ret_why)
{
    char names[WHY_MESSAGE_MAX];
    size_t position = 0, left = 0, len = 0;
    if (!json_is(use->variables, JSON_OBJECT))
        return OK;
    for (const struct json *member = use->variables->first; member != NULL; member = member->next) {
        bool is_used = position < TEMPLATE_VARIABLES_MAX && use->used[position];
        position++;
        if (is_used)
            continue;
        struct slice comma = left++ > 0 ? SLICE(", ") : SLICE("");
        if (len + comma.len + member->name.len + 1 > sizeof names)
            continue;
        why_copy(names + len, sizeof names - len, comma);
        why_copy(names + len + comma.len, sizeof names - len - comma.len, member->name);
        len += slice_of_text(names + len).len;
    }
    if (left == 0)
        return OK;
    return why_set(ret_why, ERR_TEMPLATE_VARIABLES, "prompt.variables",
                   "%zu variable%s not used by the template: %.*s", left,
                   left == 1 ? " is" : "s are", (int)len, names);
}

enum err template_check(struct slice text, size_t *ret_column, const char **ret_words)
{
    size_t at = 0;
    struct piece piece;
    do {
        piece = take_piece(text, &at);
    } while (piece.kind == PIECE_TEXT || piece.kind == PIECE_VARIABLE);
    if (piece.kind == PIECE_END)
        return OK;
    CHECK(piece.words != NULL);
    *ret_column = at + 1;
    *ret_words = piece.words;
    return ERR_INVALID;
}
