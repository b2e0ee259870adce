/* Prints the settings table as a page for people, and as a manual page. */
#include "app/settings/parts.h"

#include <string.h>

#include "base/roff.h"

#define PAGE_COLUMNS 100
#define FACTS_MAX    4096

static const char *const KIND_WORDS[] = {
    [SETTING_TEXT] = "text",
    [SETTING_FLAG] = "true or false",
    [SETTING_COUNT] = "whole number",
    [SETTING_SPAN] = "duration",
    [SETTING_SIZE] = "size",
    [SETTING_CHOICE] = "one of",
    [SETTING_LIST] = "list of texts",
    [SETTING_PROPERTIES] = "map of librdkafka properties",
    [SETTING_TAGS] = "map of texts",
    [SETTING_ALIASES] = "map by name",
    [SETTING_TEMPLATES] = "map by name",
    [SETTING_PRICES] = "text",
    [SETTING_QUOTAS] = "list of maps",
    [SETTING_TENANTS] = "map by name",
};

static const char INTRODUCTION[] =
    "A settings file is YAML. Every setting has a default that serves, so an empty file "
    "is a valid one. In values `${NAME}` and `${NAME:-default}` are replaced by the "
    "environment, and `$$` is a dollar. Durations have a unit (`200ms`, `1.5s`, `5m`, "
    "`1h`), sizes may have one (`64KiB`, `16MiB`, `1GB`). Unknown settings, wrong types "
    "and values outside of their limits are rejected with file, line and column; "
    "`bedrock-worker check` reports all of them at once. A change of a setting that "
    "`reloads` holds while the worker runs: see `settings.watch`. If the environment has "
    "NAME_FILE instead of NAME, `${NAME}` is the content of the file that it names.";

/* Adds a text, wrapped at blanks but not between backticks. */
static void add_wrapped(struct buf *buf, const char *indent, const char *words)
{
    struct slice rest = slice_of_text(words);
    size_t column = 0;
    while (rest.len > 0) {
        size_t len = 0;
        bool in_code = false;
        while (len < rest.len && (in_code || rest.ptr[len] != ' ')) {
            in_code ^= rest.ptr[len] == '`';
            len++;
        }
        if (column > 0 && column + 1 + len > PAGE_COLUMNS) {
            buf_add_byte(buf, '\n');
            column = 0;
        }
        if (column == 0) {
            buf_add_text(buf, indent);
            column = strlen(indent);
        } else {
            buf_add_byte(buf, ' ');
            column++;
        }
        buf_add(buf, slice_sub(rest, 0, len));
        column += len;
        rest = slice_sub(rest, len + 1, rest.len);
    }
    buf_add_byte(buf, '\n');
}

static void add_facts(struct buf *buf, const struct setting_row *row)
{
    buf_add_text(buf, KIND_WORDS[row->kind]);
    if (row->kind == SETTING_CHOICE) {
        buf_add_byte(buf, ' ');
        settings_add_choices(buf, row->choices, ", ");
    }
    if (row->kind == SETTING_COUNT || row->kind == SETTING_SPAN || row->kind == SETTING_SIZE) {
        buf_add_text(buf, " from ");
        settings_add_amount(buf, row->kind, row->low);
        buf_add_text(buf, " to ");
        settings_add_amount(buf, row->kind, row->high);
    }
    buf_addf(buf, "; default %s; %s\n", row->default_text,
             row->reloads ? "reloads" : "needs a restart");
}

/* What introduces the settings whose first part this is; NULL = nothing. */
static const struct setting_group *find_group(struct slice part)
{
    size_t count = 0;
    const struct setting_group *groups = settings_groups(&count);
    for (size_t i = 0; i < count; i++)
        if (slice_equal_text(part, groups[i].path))
            return &groups[i];
    return NULL;
}

static struct slice first_part(const char *path)
{
    struct slice whole = slice_of_text(path);
    return slice_sub(whole, 0, slice_find(whole, '.'));
}

/* The group that begins with row `at`; NULL = none does. */
static const struct setting_group *begins_group(const struct setting_row *rows, size_t at)
{
    struct slice part = first_part(rows[at].path);
    bool begins = at == 0 || !slice_equal(part, first_part(rows[at - 1].path));
    return begins ? find_group(part) : NULL;
}

void settings_add_reference(struct buf *buf)
{
    size_t count = 0;
    const struct setting_row *rows = settings_rows(&count);
    buf_add_text(buf, "SETTINGS OF bedrock-worker " BEDROCK_VERSION "\n\n");
    add_wrapped(buf, "  ", INTRODUCTION);
    for (size_t i = 0; i < count; i++) {
        const struct setting_group *group = begins_group(rows, i);
        if (group != NULL) {
            buf_addf(buf, "\n%s\n", group->path);
            add_wrapped(buf, "  ", group->description);
        }
        buf_addf(buf, "\n  %s\n    ", rows[i].path);
        add_facts(buf, &rows[i]);
        add_wrapped(buf, "    ", rows[i].description);
    }
}

void settings_add_manual(struct buf *buf)
{
    size_t count = 0;
    const struct setting_row *rows = settings_rows(&count);
    roff_add_heading(buf, "DESCRIPTION", false);
    roff_add_text(buf, slice_of_text(INTRODUCTION));
    roff_add_heading(buf, "SETTINGS", false);
    for (size_t i = 0; i < count; i++) {
        struct buf facts OWNED_BY(buf_done);
        const struct setting_group *group = begins_group(rows, i);
        if (group != NULL) {
            roff_add_heading(buf, group->path, true);
            roff_add_text(buf, slice_of_text(group->description));
        }
        buf_init(&facts, FACTS_MAX);
        add_facts(&facts, &rows[i]);
        roff_add_item(buf, rows[i].path, NULL);
        roff_add_text(buf, buf_slice(&facts));
        buf_add_text(buf, ".br\n");
        roff_add_text(buf, slice_of_text(rows[i].description));
    }
}
