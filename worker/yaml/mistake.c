#include "yaml/mistake.h"

#include "yaml/units.h"

#define SHOWN_MAX  60 /* bytes of a wrong value that a problem quotes */
#define QUOTED_MAX 120
#define TEXT_MAX   300

static const char *kind_of(const struct document_node *node)
{
    if (document_is_null(node))
        return "has no value";
    if (node->kind == DOCUMENT_LIST)
        return "is a list";
    return node->kind == DOCUMENT_MAP ? "is a map" : "is a text";
}

void mistake_add_kind(struct problems *problems, const struct document_node *node,
                      struct slice path, const char *wanted)
{
    problems_add(problems, node->place, path, "%s; write %s", kind_of(node), wanted);
}

/* Adds the source in double quotes, or in single ones if it holds a double quote or a backslash,
 * which double quotes would change. */
static void add_quoted(struct buf *buf, struct slice source)
{
    bool is_double =
        slice_find(source, '"') == source.len && slice_find(source, '\\') == source.len;
    char quote = is_double ? '"' : '\'';
    buf_add_byte(buf, quote);
    for (size_t i = 0; i < source.len; i++) {
        buf_add_byte(buf, source.ptr[i]);
        if (source.ptr[i] == '\'' && !is_double)
            buf_add_byte(buf, '\'');
    }
    buf_add_byte(buf, quote);
}

void mistake_add_no_text(struct problems *problems, const struct document_node *node,
                         struct slice path, bool may_be_secret)
{
    struct slice source = node->source;
    bool is_one_line = slice_find(source, '\n') == source.len;
    bool is_in_braces = slice_starts(source, SLICE("{"));
    if (document_is_null(node)) {
        mistake_add_kind(problems, node, path, "a text, or '' for none");
        return;
    }
    if (node->kind == DOCUMENT_LIST) {
        mistake_add_kind(problems, node, path, "a text, in quotes if it begins with [");
        return;
    }
    struct buf quoted OWNED_BY(buf_done);
    buf_init(&quoted, TEXT_MAX);
    if (may_be_secret || source.len > QUOTED_MAX || !is_one_line)
        buf_add_text(&quoted, "\"…\"");
    else
        add_quoted(&quoted, source);
    problems_add(problems, node->place, path, "is a map, because it %s; write a text in quotes: %s",
                 is_in_braces ? "begins with {" : "holds ': ' without quotes", buf_text(&quoted));
}

void mistake_add_value(struct problems *problems, const struct document_node *node,
                       struct slice path, const char *wanted)
{
    struct slice shown = slice_sub(node->text, 0, SHOWN_MAX);
    problems_add(problems, node->place, path, "'%.*s%s' is not %s", SLICE_ARG(shown),
                 shown.len < node->text.len ? "…" : "", wanted);
}

void mistake_add_limits(struct problems *problems, const struct document_node *node,
                        struct slice path, const char *limits)
{
    problems_add(problems, node->place, path, "'%.*s' is outside of its limits; write %s",
                 SLICE_ARG(slice_sub(node->text, 0, SHOWN_MAX)), limits);
}

void mistake_add_flag(struct problems *problems, const struct document_node *node,
                      struct slice path)
{
    static const struct {
        const char *written, *meant;
    } FLAGS[] = {{"yes", "true"},  {"no", "false"},   {"on", "true"}, {"off", "false"},
                 {"1", "true"},    {"0", "false"},    {"y", "true"},  {"n", "false"},
                 {"true", "true"}, {"false", "false"}};
    for (size_t i = 0; i < COUNT_OF(FLAGS); i++) {
        if (!slice_equal_nocase(node->text, slice_of_text(FLAGS[i].written)))
            continue;
        problems_add(problems, node->place, path, "'%.*s' is not %s; write %s",
                     SLICE_ARG(node->text), MISTAKE_FLAG, FLAGS[i].meant);
        return;
    }
    mistake_add_value(problems, node, path, MISTAKE_FLAG);
}

void mistake_add_span(struct problems *problems, const struct document_node *node,
                      struct slice path)
{
    struct buf meant OWNED_BY(buf_done);
    struct slice text = slice_sub(node->text, 0, SHOWN_MAX);
    int64_t number = 0;
    buf_init(&meant, TEXT_MAX);
    if (slice_to_int64(text, &number) && number >= 0)
        problems_add(problems, node->place, path,
                     "'%.*s' has no unit; write %.*ss, or another unit of ms, s, m, h and d",
                     SLICE_ARG(text), SLICE_ARG(text));
    else if (units_add_meant_span(&meant, text))
        problems_add(problems, node->place, path, "'%.*s' is not a duration; did you mean %s?",
                     SLICE_ARG(text), buf_text(&meant));
    else
        mistake_add_value(problems, node, path, MISTAKE_SPAN);
}

void mistake_add_size(struct problems *problems, const struct document_node *node,
                      struct slice path)
{
    struct buf meant OWNED_BY(buf_done);
    struct slice text = slice_sub(node->text, 0, SHOWN_MAX);
    buf_init(&meant, TEXT_MAX);
    if (units_add_meant_size(&meant, text))
        problems_add(problems, node->place, path, "'%.*s' is not a size; did you mean %s?",
                     SLICE_ARG(text), buf_text(&meant));
    else
        mistake_add_value(problems, node, path, MISTAKE_SIZE);
}
