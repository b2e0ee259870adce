#include "yaml/document.h"

#include <string.h>
#include <yaml.h>

#include "base/check.h"

struct reader {
    struct arena *arena;
    struct slice text;
    const char *file;
    struct problems *problems;
    struct document_node *open[DOCUMENT_DEPTH_MAX]; /* lists and maps that have not ended */
    size_t depth;
    struct document_node *root;
    struct slice key; /* of the member whose value follows; null = a key follows */
    struct place key_place;
    size_t nodes;
    bool is_second;           /* a document has begun before */
    size_t characters, bytes; /* where byte_at stands */
    size_t end;               /* of the last text or bracket, in bytes */
};

static struct place place_of(const struct reader *reader, yaml_mark_t mark)
{
    return (struct place){reader->file, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

/* The byte of a mark. libyaml counts characters, and its events follow the order of the text. */
static size_t byte_at(struct reader *reader, yaml_mark_t mark)
{
    while (reader->characters < mark.index && reader->bytes < reader->text.len) {
        reader->bytes++;
        while (reader->bytes < reader->text.len && (reader->text.ptr[reader->bytes] & 0xc0) == 0x80)
            reader->bytes++;
        reader->characters++;
    }
    return reader->bytes;
}

static bool fail(struct reader *reader, struct place place, const char *text)
{
    problems_add(reader->problems, place, SLICE(""), "%s", text);
    return false;
}

/* Takes a key of the innermost open map. */
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
    reader->end = byte_at(reader, event->end_mark);
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
    node->source = slice_sub(reader->text, byte_at(reader, event->start_mark), reader->text.len);
    reader->open[reader->depth++] = node;
    return true;
}

/* A list or map without a closing bracket ends with its last text, because comments may follow. */
static void take_end(struct reader *reader, const yaml_event_t *event)
{
    CHECK(reader->depth > 0);
    struct document_node *node = reader->open[--reader->depth];
    size_t end = byte_at(reader, event->end_mark);
    if (event->end_mark.index > event->start_mark.index)
        reader->end = end;
    const char *last = reader->text.ptr + reader->end;
    if (last > node->source.ptr)
        node->source = slice_sub(node->source, 0, (size_t)(last - node->source.ptr));
    else
        node->source = SLICE("");
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
        return fail(
            reader, place,
            "anchors, aliases and tags (&, *, !) are not supported; write the value out, or "
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
        take_end(reader, event);
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

static struct slice line_at(struct slice text, uint32_t line)
{
    for (; line > 1; line--)
        text = slice_sub(text, slice_find(text, '\n') + 1, text.len);
    return slice_sub(text, 0, slice_find(text, '\n'));
}

/* Does a tab stand before the line's first word? libyaml reports something else then. */
static bool is_indented_by_tab(struct slice line)
{
    size_t at = 0;
    while (at < line.len && line.ptr[at] == ' ')
        at++;
    return at < line.len && line.ptr[at] == '\t';
}

/* Does the line hold `: ` before this column, with text behind it? */
static bool has_value_before(struct slice line, uint32_t column)
{
    for (size_t i = 0; i + 1 < line.len && i + 2 < column; i++) {
        if (line.ptr[i] == ':' && line.ptr[i + 1] == ' ')
            return true;
    }
    return false;
}

/* A problem of libyaml, as it names it, and what to do about it. The text points to where libyaml
 * noticed the fault, to where the broken thing begins, or to both. */
struct slip {
    const char *problem;
    enum { AT_FAULT, AT_BEGINNING, AT_BOTH } where;
    const char *text;
};

static const struct slip SLIPS[] = {
    {"did not find expected ',' or ']'", AT_BOTH,
     "expected ',' or ']'; put in quotes what holds { } [ ] , or ': ': \"${NAME}\", or close the "
     "list"},
    {"did not find expected ',' or '}'", AT_BOTH,
     "expected ',' or '}'; put in quotes what holds { } [ ] , or ': ': \"${NAME}\", or close the "
     "map"},
    {"did not find expected key", AT_FAULT,
     "expected `name: value`; mind the indentation, or put in quotes what begins with { [ or a "
     "quote, to its end"},
    {"did not find expected '-' indicator", AT_FAULT,
     "expected `- value`; mind the indentation, or put in quotes what begins with { [ or a quote, "
     "to its end"},
    {"did not find expected alphabetic or numeric character", AT_BEGINNING,
     "an anchor or an alias begins here; put a text that begins with & or * in quotes"},
    {"could not find expected ':'", AT_BEGINNING,
     "expected `name: value`; write a colon and a blank"},
    {"found unexpected end of stream", AT_BEGINNING, "this quote is not closed; close it"},
    {"found character that cannot start any token", AT_FAULT,
     "no text can begin with this character; put it in quotes"},
    {"found unknown escape character", AT_FAULT,
     "a backslash in \"…\" begins an escape; write \\\\, or use single quotes"},
    {"block sequence entries are not allowed in this context", AT_FAULT,
     "a list item begins here; write it on the next line, indented"},
};

static void add_parser_problem(struct reader *reader, const yaml_parser_t *parser)
{
    const char *problem = parser->problem != NULL ? parser->problem : "cannot be read";
    struct place place = place_of(reader, parser->problem_mark);
    struct slice line = line_at(reader->text, place.line);
    const char *text = NULL;
    bool shows_beginning = false;
    if (parser->error == YAML_READER_ERROR) {
        problems_add(reader->problems, place_of(reader, parser->mark), SLICE(""),
                     "not UTF-8 text (%s at byte %zu); save the file as UTF-8", problem,
                     parser->problem_offset);
        return;
    }
    if (is_indented_by_tab(line))
        text = "a tab indents this line; use spaces";
    else if (strcmp(problem, "mapping values are not allowed in this context") == 0)
        text = has_value_before(line, place.column)
                   ? "': ' within a text; put the text in quotes: name: \"You are: a helper\""
                   : "a name within the value above; align it with the names it belongs "
                     "to, or end the line above with a colon";
    for (size_t i = 0; i < COUNT_OF(SLIPS) && text == NULL; i++) {
        if (strcmp(problem, SLIPS[i].problem) != 0)
            continue;
        text = SLIPS[i].text;
        shows_beginning = SLIPS[i].where == AT_BOTH;
        if (SLIPS[i].where == AT_BEGINNING)
            place = place_of(reader, parser->context_mark);
    }
    if (text != NULL && shows_beginning)
        problems_add(reader->problems, place, SLICE(""),
                     "invalid YAML: %s; it begins at line %zu, column %zu", text,
                     parser->context_mark.line + 1, parser->context_mark.column + 1);
    else if (text != NULL)
        problems_add(reader->problems, place, SLICE(""), "invalid YAML: %s", text);
    else
        problems_add(reader->problems, place, SLICE(""),
                     "invalid YAML: %s%s%s; mind indentation, colons and quotes",
                     parser->context != NULL ? parser->context : "",
                     parser->context != NULL ? ", " : "", problem);
}

static void read_events(struct reader *reader, yaml_parser_t *parser)
{
    bool goes_on = true;
    while (goes_on) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event)) {
            add_parser_problem(reader, parser);
            return;
        }
        goes_on = event.type != YAML_STREAM_END_EVENT && take_event(reader, &event);
        yaml_event_delete(&event);
    }
}

void document_read(struct arena *arena, struct slice text, const char *file,
                   struct problems *problems, struct document_node **ret_root)
{
    size_t before = problems_found(problems);
    struct reader reader = {.arena = arena, .text = text, .file = file, .problems = problems};
    *ret_root = NULL;
    if (text.len > DOCUMENT_BYTES_MAX) {
        fail(&reader, (struct place){file, 1, 1}, "the file is over 4 MiB; shorten it");
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
    *ret_root = problems_found(problems) == before ? reader.root : NULL;
}

bool document_is_null(const struct document_node *node)
{
    return node->kind == DOCUMENT_TEXT && node->is_plain &&
           (node->text.len == 0 || slice_equal_text(node->text, "~") ||
            slice_equal_text(node->text, "null"));
}

bool document_is_repeated(const struct document_node *map, const struct document_node *member)
{
    const struct document_node *node = map->first;
    while (node != member && !slice_equal(node->key, member->key))
        node = node->next;
    return node != member;
}

struct slice document_path(struct arena *arena, struct slice group, struct slice key)
{
    size_t len = group.len + 1 + key.len;
    char *path = group.len > 0 ? arena_new(arena, len + 1) : NULL;
    if (path == NULL)
        return group.len > 0 ? group : key;
    memcpy(path, group.ptr, group.len);
    path[group.len] = '.';
    memcpy(path + group.len + 1, key.ptr, key.len);
    return slice_of(path, len);
}
