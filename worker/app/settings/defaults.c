/* Defaults of an alias: parameters and presets (wire/chat/presets.h) for requests that leave them
 * out. Each is read as a request's field, so that no default makes every request fail. */
#include "app/settings/parts.h"

#include <string.h>

#include "app/settings/trial.h"
#include "base/suggest.h"
#include "wire/chat/foreign.h"
#include "wire/chat/presets.h"
#include "wire/formats/json.h"
#include "yaml/mistake.h"

#define TEXTS_MAX      64
#define JSON_BYTES_MAX 8192 /* of all defaults of an alias: a call has room for them */

/* An alias's defaults while they are read. */
struct defaults {
    struct settings_reader *reader;
    struct model_alias *alias;
    struct buf presets; /* `,"name":value` each */
    size_t bytes;       /* of all defaults */
};

/* Whether a request may have this value; else adds a problem. */
static bool may_have(struct trial *trial, struct settings_reader *reader, struct place place,
                     struct slice path, const char *name, struct slice json)
{
    if (trial_field(trial, name, json) == OK)
        return true;
    bool is_inner = slice_starts(slice_of_text(trial->why.field), slice_of_text(name)) &&
                    trial->why.field[strlen(name)] == '.';
    problems_add(reader->problems, place, path, "%s%s%s",
                 is_inner ? trial->why.field + strlen(name) + 1 : "", is_inner ? ": " : "",
                 trial_reason(trial));
    return false;
}

/* Keeps a default as the request reader does. */
static void keep_parameter(struct defaults *defaults, const struct document_node *node,
                           struct slice path, enum parameter parameter, struct slice json)
{
    struct trial trial OWNED_BY(trial_done);
    struct settings_reader *reader = defaults->reader;
    trial_init(&trial);
    if (may_have(&trial, reader, node->place, path, parameter_rows[parameter].name, json) &&
        !arena_copy(&reader->settings->arena, trial.request.parameters[parameter],
                    &defaults->alias->defaults[parameter]))
        problems_add(reader->problems, node->place, path, "out of memory");
}

static void keep_preset(struct defaults *defaults, const struct document_node *node,
                        struct slice path, const struct preset_row *row, struct slice json)
{
    struct trial trial OWNED_BY(trial_done);
    trial_init(&trial);
    if (!may_have(&trial, defaults->reader, node->place, path, row->name, json))
        return;
    buf_add_byte(&defaults->presets, ',');
    json_add_string(&defaults->presets, slice_of_text(row->name));
    buf_add_byte(&defaults->presets, ':');
    buf_add(&defaults->presets, json);
}

/* Which texts without quotes are more to JSON than strings. */
struct bare {
    bool number, word; /* word: true, false */
};

/* The JSON that a text is, if it may be; else the null slice. */
static struct slice bare_of(struct arena *arena, struct slice text, struct bare may)
{
    const struct json *value = NULL;
    if (json_parse(arena, text, &value, NULL) != OK)
        return SLICE_NULL;
    bool is_word = value->kind == JSON_TRUE || value->kind == JSON_FALSE;
    return (may.number && value->kind == JSON_NUMBER) || (may.word && is_word) ? value->source
                                                                               : SLICE_NULL;
}

/* Appends a text as JSON. */
static bool add_text(struct settings_reader *reader, const struct document_node *node,
                     struct slice path, struct bare may, struct buf *ret_json)
{
    struct slice text = SLICE_NULL;
    struct arena arena OWNED_BY(arena_done);
    arena_init(&arena, JSON_BYTES_MAX);
    if (!settings_take_text(reader, node, path, &text))
        return false;
    struct slice bare = bare_of(&arena, text, may);
    if (bare.ptr != NULL)
        buf_add(ret_json, bare);
    else
        json_add_string(ret_json, text);
    return true;
}

static bool add_texts(struct settings_reader *reader, const struct document_node *node,
                      struct slice path, struct buf *ret_json)
{
    if (node->kind != DOCUMENT_LIST || node->count == 0 || node->count > TEXTS_MAX) {
        problems_add(reader->problems, node->place, path,
                     "is not a list of texts; write [\"END\"], at most %d", TEXTS_MAX);
        return false;
    }
    buf_add_byte(ret_json, '[');
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        if (item != node->first)
            buf_add_byte(ret_json, ',');
        if (!add_text(reader, item, path, (struct bare){false, false}, ret_json))
            return false;
    }
    buf_add_byte(ret_json, ']');
    return true;
}

/* Appends a tree as JSON; the document's depth is limited (yaml/document.h). */
static bool add_tree(struct settings_reader *reader, const struct document_node *node,
                     struct slice path, enum preset_form form, struct buf *ret_json)
{
    bool is_map = node->kind == DOCUMENT_MAP;
    if (node->kind == DOCUMENT_TEXT) {
        struct bare may = {form == PRESET_OBJECT && node->is_plain, node->is_plain};
        return add_text(reader, node, path, may, ret_json);
    }
    buf_add_byte(ret_json, is_map ? '{' : '[');
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct slice below = path;
        if (is_map)
            below = document_path(&reader->settings->arena, path, item->key);
        if (is_map && !settings_may_take(reader, node, item, below))
            return false;
        json_add_comma(ret_json);
        if (is_map) {
            json_add_string(ret_json, item->key);
            buf_add_byte(ret_json, ':');
        }
        if (!add_tree(reader, item, below, form, ret_json))
            return false;
    }
    buf_add_byte(ret_json, is_map ? '}' : ']');
    return true;
}

static void add_unknown_default(struct settings_reader *reader, const struct document_node *item,
                                struct slice path)
{
    size_t count = 0;
    const struct preset_row *presets = preset_rows(&count);
    struct suggest suggest;
    struct buf known OWNED_BY(buf_done);
    buf_init(&known, 1024);
    if (foreign_add_hint(&known, item->key)) {
        problems_add(reader->problems, item->key_place, path, "unknown; %s", buf_text(&known));
        return;
    }
    suggest_init(&suggest, item->key);
    buf_add_text(&known, "defaults are ");
    for (enum parameter i = 0; i < PARAMETER_COUNT; i++) {
        suggest_offer(&suggest, slice_of_text(parameter_rows[i].name));
        buf_addf(&known, "%s%s", i == 0 ? "" : ", ", parameter_rows[i].name);
    }
    for (size_t i = 0; i < count; i++) {
        suggest_offer(&suggest, slice_of_text(presets[i].name));
        buf_addf(&known, "%s%s", i + 1 < count ? ", " : " and ", presets[i].name);
    }
    settings_add_unknown(reader, item, path, &suggest, buf_text(&known));
}

static bool add_parameter(struct settings_reader *reader, const struct document_node *item,
                          struct slice path, enum parameter parameter, struct buf *ret_json)
{
    if (parameter_rows[parameter].form == PARAMETER_TEXTS)
        return add_texts(reader, item, path, ret_json);
    return add_text(reader, item, path, (struct bare){true, false}, ret_json);
}

static bool add_preset(struct settings_reader *reader, const struct document_node *item,
                       struct slice path, const struct preset_row *row, struct buf *ret_json)
{
    if (row->form == PRESET_TEXTS)
        return add_texts(reader, item, path, ret_json);
    if (row->form == PRESET_TEXT)
        return add_text(reader, item, path, (struct bare){false, false}, ret_json);
    if (item->kind == DOCUMENT_MAP)
        return add_tree(reader, item, path, row->form, ret_json);
    mistake_add_kind(reader->problems, item, path, "a map");
    return false;
}

static void take_default(struct defaults *defaults, const struct document_node *item,
                         struct slice path)
{
    struct settings_reader *reader = defaults->reader;
    struct buf json OWNED_BY(buf_done);
    enum parameter parameter = parameter_find(item->key);
    const struct preset_row *row = preset_find(item->key);
    buf_init(&json, JSON_BYTES_MAX);
    if (parameter == PARAMETER_COUNT && row == NULL) {
        add_unknown_default(reader, item, path);
        return;
    }
    bool is_taken = row != NULL ? add_preset(reader, item, path, row, &json)
                                : add_parameter(reader, item, path, parameter, &json);
    defaults->bytes += json.len;
    if (is_taken && (json.failed != OK || defaults->bytes > JSON_BYTES_MAX))
        problems_add(reader->problems, item->place, path,
                     "is too long; shorten it: all defaults of an alias have %d bytes at most",
                     JSON_BYTES_MAX);
    else if (is_taken && row != NULL)
        keep_preset(defaults, item, path, row, buf_slice(&json));
    else if (is_taken)
        keep_parameter(defaults, item, path, parameter, buf_slice(&json));
}

void settings_take_defaults(struct settings_reader *reader, const struct document_node *node,
                            struct slice path, struct model_alias *ret_alias)
{
    struct defaults defaults = {.reader = reader, .alias = ret_alias};
    if (node->kind != DOCUMENT_MAP) {
        mistake_add_kind(reader->problems, node, path,
                         "a map such as {temperature: 0, max_tokens: 1024}");
        return;
    }
    buf_init(&defaults.presets, DOCUMENT_BYTES_MAX);
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct slice below = document_path(&reader->settings->arena, path, item->key);
        if (settings_may_take(reader, node, item, below))
            take_default(&defaults, item, below);
    }
    if (defaults.presets.failed != OK ||
        (defaults.presets.len > 0 &&
         trial_keep(&reader->settings->arena, buf_slice(&defaults.presets), &ret_alias->presets) !=
             OK))
        problems_add(reader->problems, node->place, path, "out of memory");
    buf_done(&defaults.presets);
}
