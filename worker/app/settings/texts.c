/* Takes the texts of a settings file: replaces their variables, and checks names in a map and
 * choices; says which name was meant. */
#include "app/settings/parts.h"

#include <string.h>

#include "yaml/mistake.h"

#define ENTRIES_MAX     1000                 /* of a map */
#define NAME_BYTES_MAX  128                  /* of an alias or a template */
#define VALUE_BYTES_MAX ((size_t)256 * 1024) /* of a text with its variables replaced */

/* May the value be secret? librdkafka properties and URLs may hold passwords. */
static bool may_be_secret(struct slice path)
{
    return slice_starts(path, SLICE("kafka.")) || slice_starts(path, SLICE("bedrock."));
}

/* Other programs replace $NAME; here it would stay as it is, as a password or a name. */
static bool is_bare_variable(struct slice text)
{
    struct slice name = slice_sub(text, 1, text.len);
    size_t len = 0;
    while (len < name.len &&
           (name.ptr[len] == '_' || (name.ptr[len] >= 'A' && name.ptr[len] <= 'Z') ||
            (name.ptr[len] >= 'a' && name.ptr[len] <= 'z') ||
            (len > 0 && name.ptr[len] >= '0' && name.ptr[len] <= '9')))
        len++;
    return slice_starts(text, SLICE("$")) && len > 0 && len == name.len;
}

bool settings_take_text(struct settings_reader *reader, const struct document_node *node,
                        struct slice path, struct slice *ret_text)
{
    if (node->kind != DOCUMENT_TEXT || document_is_null(node)) {
        mistake_add_no_text(reader->problems, node, path, may_be_secret(path));
        return false;
    }
    if (is_bare_variable(node->text)) {
        problems_add(reader->problems, node->place, path,
                     "is a $ and a name: write ${NAME} for the environment variable, or $$NAME for "
                     "the characters $NAME");
        return false;
    }
    struct buf text OWNED_BY(buf_done);
    char name[UNITS_NAME_MAX];
    buf_init(&text, VALUE_BYTES_MAX);
    enum err err = units_add_expanded(&text, node->text, &reader->environment, name);
    if (err == ERR_NOT_FOUND)
        problems_add(reader->problems, node->place, path,
                     "environment variable %s is not set; set it, write ${%s:-default}, or $${ for "
                     "the characters ${",
                     name, name);
    else if (err == ERR_FORMAT)
        problems_add(reader->problems, node->place, path,
                     "has a ${ that is not a variable, or one within another; write ${NAME}, "
                     "${NAME:-default} (a plain text), or $${ for the characters ${");
    else if (err == ERR_INVALID)
        problems_add(reader->problems, node->place, path,
                     "%s and %s_FILE are both set in the environment; set one of them", name, name);
    else if (err == ERR_IO)
        problems_add(reader->problems, node->place, path,
                     "the file that %s_FILE names cannot be read; check its path and rights", name);
    else if (err == ERR_NOT_ALLOWED)
        problems_add(reader->problems, node->place, path,
                     "the file that %s_FILE names is over 64 KiB; a value must be shorter", name);
    else if (err != OK || !arena_copy(&reader->settings->arena, buf_slice(&text), ret_text))
        problems_add(reader->problems, node->place, path, "is too long; shorten it");
    else if (slice_find(buf_slice(&text), '\0') < text.len)
        problems_add(reader->problems, node->place, path, "must not hold a NUL byte; remove it");
    else
        return true;
    return false;
}

void settings_add_amount(struct buf *buf, enum setting_kind kind, int64_t amount)
{
    if (kind == SETTING_SPAN)
        units_add_span(buf, amount);
    else if (kind == SETTING_SIZE)
        units_add_size(buf, amount);
    else
        buf_add_int(buf, amount);
}

bool settings_is_octal(struct slice number)
{
    return number.len > 1 && number.ptr[0] == '0';
}

void settings_reject_shown(struct settings_reader *reader, const struct document_node *node,
                           struct slice path, struct slice secret)
{
    bool is_command_line = strcmp(node->place.file, "--set") == 0;
    if (is_command_line && secret.len > 0 && slice_equal(node->text, secret))
        problems_add(reader->problems, node->place, path,
                     "is secret, and every user of this machine can read a command line; write "
                     "${NAME} there and set the variable, or write it into the file");
}

/* Is the map small enough, and the member the first of its name, with a valid name? */
bool settings_may_take(struct settings_reader *reader, const struct document_node *map,
                       const struct document_node *member, struct slice path)
{
    if (map->count > ENTRIES_MAX) {
        if (member == map->first)
            problems_add(reader->problems, map->place, path,
                         "has more than %d entries; remove some", ENTRIES_MAX);
        return false;
    }
    if (document_is_repeated(map, member)) {
        problems_add(reader->problems, member->key_place, path, "is there twice; keep one of them");
        return false;
    }
    if (member->key.len > NAME_BYTES_MAX || settings_form_fault(FORM_NAME, member->key) != NULL) {
        problems_add(reader->problems, member->key_place, path,
                     "is not a name; use printable ASCII without spaces, at most %d",
                     NAME_BYTES_MAX);
        return false;
    }
    return true;
}

void settings_add_choices(struct buf *buf, const char *choices, const char *between)
{
    for (const char *at = choices; *at != '\0'; at++) {
        if (*at == '|')
            buf_add_text(buf, between);
        else
            buf_add_byte(buf, *at);
    }
}

int settings_find_choice(struct settings_reader *reader, const struct document_node *node,
                         struct slice path, const char *choices, struct slice text)
{
    struct slice rest = slice_of_text(choices);
    for (int index = 0; rest.len > 0; index++) {
        size_t len = slice_find(rest, '|');
        if (slice_equal(text, slice_sub(rest, 0, len)))
            return index;
        rest = slice_sub(rest, len + 1, rest.len);
    }
    struct buf wanted OWNED_BY(buf_done);
    buf_init(&wanted, 256);
    buf_add_text(&wanted, "one of ");
    settings_add_choices(&wanted, choices, ", ");
    mistake_add_value(reader->problems, node, path, buf_text(&wanted));
    return -1;
}

void settings_add_unknown(struct settings_reader *reader, const struct document_node *item,
                          struct slice path, const struct suggest *suggest, const char *known)
{
    if (suggest->nearest.ptr != NULL)
        problems_add(reader->problems, item->key_place, path, "unknown; did you mean %.*s?",
                     SLICE_ARG(suggest->nearest));
    else
        problems_add(reader->problems, item->key_place, path, "unknown; %s", known);
}

const void *settings_find_member(struct settings_reader *reader, const struct document_node *map,
                                 const struct document_node *item,
                                 const struct setting_members *members, struct slice path,
                                 struct slice *ret_path)
{
    const void *found = NULL;
    struct suggest suggest;
    *ret_path = document_path(&reader->settings->arena, path, item->key);
    if (!settings_may_take(reader, map, item, *ret_path))
        return NULL;
    suggest_init(&suggest, item->key);
    for (size_t i = 0; i < members->count; i++) {
        const void *row = (const char *)members->rows + i * members->size;
        const char *name = *(const char *const *)row;
        suggest_offer(&suggest, slice_of_text(name));
        if (slice_equal_text(item->key, name))
            found = row;
    }
    if (found == NULL)
        settings_add_unknown(reader, item, *ret_path, &suggest, members->known);
    return found;
}
