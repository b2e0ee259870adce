#include "yaml/document.h"

#include <string.h>
#include <yaml.h>

#include "base/check.h"

struct reader {
    struct arena *arena;
    struct slice text;
    const char *file;
    struct problems *problems;
    struct document_node *open[DOCUMENT_DEPTH_MAX]; /* lists and maps not closed yet */
    size_t depth;
    struct document_node *root;
    struct slice key; /* of the member whose value comes next; null = a key comes next */
    struct place key_place;
    size_t nodes;
    bool is_second; /* a document came before */
};

static struct place place_of(const struct reader *reader, yaml_mark_t mark)
{
    return (struct place){reader->file, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

static bool fail(struct reader *reader, struct place place, const char *words)
{
    problems_add(reader->problems, place, SLICE(""), "%s", words);
    return false;
}

/* Takes a key of the map that is open. */
static bool take_key(struct reader *reader, const yaml_event_t *event)
{
    struct place place = place_of(reader, event->start_mark);
    if (event->type != YAML_SCALAR_EVENT)
        return fail(reader, place, "a key must be a plain text; write name: value");
    struct slice text = slice_of(event->data.scalar.value, event->data.scalar.length);
    if (text.len == 0 || slice_find(text, '\0') < text.len)
        return fail(reader, place, "a key must not be empty; write name: value");
    if (!arena_copy(reader->arena, text, &reader->key))
        return fail(reader, place, "out of memory");
    reader->key_place = place;
    return true;
}

static struct document_node *add_node(struct reader *reader, enum document_kind kind,
                                      struct place place)
{
    struct document_node *node = NULL;
    if (++reader->nodes <= DOCUMENT_NODES_MAX)
        node = arena_new(reader->arena, sizeof *node);
    if (node == NULL) {
        fail(reader, place, "the file has too many values; shorten it");
        return NULL;
    }
    node->kind = kind;
    node->place = place;
    struct document_node *parent = reader->depth > 0 ? reader->open[reader->depth - 1] : NULL;
    if (parent == NULL) {
        reader->root = node;
        return node;
    }
    if (parent->kind == DOCUMENT_MAP) {
        node->key = reader->key;
        node->key_place = reader->key_place;
        reader->key = SLICE_NULL;
    }
    if (parent->last != NULL)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    parent->count++;
    return node;
}

static bool take_text(struct reader *reader, const yaml_event_t *event)
{
    struct place place = place_of(reader, event->start_mark);
    struct slice text = slice_of(event->data.scalar.value, event->data.scalar.length);
    if (slice_find(text, '\0') < text.len)
        return fail(reader, place, "a value must not hold a NUL byte; remove it");
    struct document_node *node = add_node(reader, DOCUMENT_TEXT, place);
    if (node == NULL)
        return false;
    node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return arena_copy(reader->arena, text, &node->text) || fail(reader, place, "out of memory");
}

static bool take_start(struct reader *reader, const yaml_event_t *event, enum document_kind kind)
{
    struct place place = place_of(reader, event->start_mark);
    if (reader->depth == DOCUMENT_DEPTH_MAX)
        return fail(reader, place, "nested too deeply; no setting needs that");
    struct document_node *node = add_node(reader, kind, place);
    if (node == NULL)
        return false;
    reader->open[reader->depth++] = node;
    return true;
}

static bool has_extras(const yaml_event_t *event)
{
    if (event->type == YAML_SCALAR_EVENT)
        return event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL;
    if (event->type == YAML_SEQUENCE_START_EVENT)
        return event->data.sequence_start.anchor != NULL || event->data.sequence_start.tag != NULL;
    if (event->type == YAML_MAPPING_START_EVENT)
        return event->data.mapping_start.anchor != NULL || event->data.mapping_start.tag != NULL;
    return event->type == YAML_ALIAS_EVENT;
}

static bool take_event(struct reader *reader, const yaml_event_t *event)
{
    struct place place = place_of(reader, event->start_mark);
    if (has_extras(event))
        return fail(reader, place,
                    "anchors, aliases and tags (&, *, !) are not taken; write the value out, or "
                    "put it in quotes");
    bool is_end = event->type == YAML_SEQUENCE_END_EVENT || event->type == YAML_MAPPING_END_EVENT;
    bool is_value = is_end || event->type == YAML_SCALAR_EVENT ||
                    event->type == YAML_SEQUENCE_START_EVENT ||
                    event->type == YAML_MAPPING_START_EVENT;
    if (event->type == YAML_DOCUMENT_START_EVENT && reader->is_second)
        return fail(reader, place, "a second document begins; keep all settings in one");
    if (event->type == YAML_DOCUMENT_START_EVENT)
        reader->is_second = true;
    if (!is_value)
        return true;
    if (is_end) {
        CHECK(reader->depth > 0);
        reader->depth--;
        return true;
    }
    struct document_node *parent = reader->depth > 0 ? reader->open[reader->depth - 1] : NULL;
    if (parent != NULL && parent->kind == DOCUMENT_MAP && reader->key.ptr == NULL)
        return take_key(reader, event);
    if (event->type == YAML_SCALAR_EVENT)
        return take_text(reader, event);
    return take_start(reader, event,
                      event->type == YAML_MAPPING_START_EVENT ? DOCUMENT_MAP : DOCUMENT_LIST);
}

/* Does a line (from 0) have a tab before its first word? YAML does not say so. */
static bool is_indented_by_tab(struct slice text, size_t line)
{
    for (; line > 0; line--)
        text = slice_sub(text, slice_find(text, '\n') + 1, text.len);
    size_t at = 0;
    while (at < text.len && text.ptr[at] == ' ')
        at++;
    return at < text.len && text.ptr[at] == '\t';
}

static void tell_parser_fault(struct reader *reader, const yaml_parser_t *parser)
{
    const char *words = parser->problem != NULL ? parser->problem : "cannot be read";
    struct place place = place_of(reader, parser->problem_mark);
    if (parser->error == YAML_READER_ERROR) {
        place = (struct place){reader->file, (uint32_t)parser->mark.line + 1,
                               (uint32_t)parser->mark.column + 1};
        problems_add(reader->problems, place, SLICE(""),
                     "not UTF-8 text (%s at byte %zu); save the file as UTF-8", words,
                     parser->problem_offset);
        return;
    }
    if (is_indented_by_tab(reader->text, place.line - 1)) {
        fail(reader, place, "not YAML: a tab indents this line; use spaces");
        return;
    }
    problems_add(
        reader->problems, place, SLICE(""), "not YAML: %s%s%s; mind indentation, colons and quotes",
        parser->context != NULL ? parser->context : "", parser->context != NULL ? ", " : "", words);
}

static void read_events(struct reader *reader, yaml_parser_t *parser)
{
    bool goes_on = true;
    while (goes_on) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event)) {
            tell_parser_fault(reader, parser);
            return;
        }
        goes_on = event.type != YAML_STREAM_END_EVENT && take_event(reader, &event);
        yaml_event_delete(&event);
    }
}

void document_read(struct arena *arena, struct slice text, const char *file,
                   struct problems *problems, struct document_node **ret_root)
{
    struct reader reader = {.arena = arena, .text = text, .file = file, .problems = problems};
    *ret_root = NULL;
    if (text.len > DOCUMENT_BYTES_MAX) {
        fail(&reader, (struct place){file, 1, 1}, "the file is over 1 MiB; shorten it");
        return;
    }
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        fail(&reader, (struct place){file, 1, 1}, "out of memory");
        return;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.ptr, text.len);
    read_events(&reader, &parser);
    yaml_parser_delete(&parser);
    *ret_root = reader.root;
}

bool document_is_null(const struct document_node *node)
{
    return node->kind == DOCUMENT_TEXT && node->is_plain &&
           (node->text.len == 0 || slice_equal_text(node->text, "~") ||
            slice_equal_text(node->text, "null"));
}
