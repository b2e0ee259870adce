#include "app/settings/settings.h"

#include <string.h>

#include "app/settings/parts.h"
#include "base/check.h"
#include "base/suggest.h"
#include "yaml/mistake.h"

#define WAITING_MAX (DOCUMENT_DEPTH_MAX * 8)
#define MEMBERS_MAX 1000
/* The most letters that may differ between a path and the one that the user means. */
#define PATH_CHANGES_MAX 2

#define RANGE(low_value, high_value) .low = (low_value), .high = (high_value)
#define WORDS_OF(list)               .choices = (list)
#define FORM(name)                   .form = FORM_##name
#define NEEDED(name)                 .form = FORM_##name, .is_needed = true
#define NO_LIMIT                     .low = 0
#define RELOADS(limits)              limits, .reloads = true

#define GROUP(group_path, group_description)
#define SETTING(member, kind_name, row_path, text, limits, row_description)                        \
    {.path = (row_path),                                                                           \
     .kind = SETTING_##kind_name,                                                                  \
     .default_text = (text),                                                                       \
     limits,                                                                                       \
     .description = (row_description),                                                             \
     .value_at = offsetof(struct settings, member),                                                \
     .place_at = offsetof(struct settings_places, member),                                         \
     .wrong_at = offsetof(struct settings_marks, member),                                          \
     .hash_at = offsetof(struct settings_hashes, member)},
static const struct setting_row ROWS[] = {
#include "app/settings/settings.def"
};
#undef SETTING
#undef GROUP

#define GROUP(group_path, group_description) {(group_path), (group_description)},
#define SETTING(member, kind_name, row_path, text, limits, row_description)
static const struct setting_group GROUPS[] = {
#include "app/settings/settings.def"
};
#undef SETTING
#undef GROUP

const struct setting_row *settings_rows(size_t *ret_count)
{
    *ret_count = COUNT_OF(ROWS);
    return ROWS;
}

const struct setting_group *settings_groups(size_t *ret_count)
{
    *ret_count = COUNT_OF(GROUPS);
    return GROUPS;
}

const struct setting_row *settings_row(struct slice path)
{
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        if (slice_equal_text(path, ROWS[i].path))
            return &ROWS[i];
    }
    return NULL;
}

static struct place *place_of(struct settings *settings, const struct setting_row *row)
{
    return (struct place *)(void *)((char *)&settings->at + row->place_at);
}

static void set_wrong(struct settings *settings, const struct setting_row *row, bool is_wrong)
{
    memcpy((char *)&settings->is_wrong + row->wrong_at, &is_wrong, sizeof is_wrong);
}

static void set_hash(struct settings *settings, const struct setting_row *row, uint64_t hash)
{
    memcpy((char *)&settings->hashes + row->hash_at, &hash, sizeof hash);
}

/* Is it a list or a map? */
static bool is_many(enum setting_kind kind)
{
    return kind == SETTING_LIST || kind == SETTING_PROPERTIES || kind == SETTING_ALIASES ||
           kind == SETTING_TAGS || kind == SETTING_TEMPLATES || kind == SETTING_QUOTAS ||
           kind == SETTING_TENANTS;
}

/* Takes a value, and keeps its place and whether it is invalid. */
static void take_row(struct settings_reader *reader, const struct setting_row *row,
                     const struct document_node *node)
{
    size_t before = problems_found(reader->problems);
    *place_of(reader->settings, row) = node->place;
    if (row->kind == SETTING_PRICES) {
        void *value = (char *)reader->settings + row->value_at;
        set_hash(reader->settings, row, settings_take_prices(reader, row, node, value));
    } else {
        settings_take(reader, row, node);
    }
    if (is_many(row->kind))
        set_hash(reader->settings, row, settings_node_hash(reader, node));
    set_wrong(reader->settings, row, problems_found(reader->problems) > before);
}

/* A map of settings, and its path. */
struct group {
    const struct document_node *map;
    struct slice path; /* "" = the root */
};

/* The path of the first setting of a group; NULL = there is no such group. */
static const char *first_of_group(struct slice path)
{
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct slice row = slice_of_text(ROWS[i].path);
        if (row.len > path.len && slice_starts(row, path) && row.ptr[path.len] == '.')
            return ROWS[i].path;
    }
    return NULL;
}

static bool is_group(struct slice path)
{
    return first_of_group(path) != NULL;
}

size_t settings_depth(struct slice path)
{
    size_t dots = 0;
    for (size_t i = 0; i < path.len; i++)
        dots += path.ptr[i] == '.';
    return dots;
}

/* The front of a row's path, with as many dots as `path` has: a group or a setting. */
static struct slice front_of(struct slice row, size_t dots)
{
    for (size_t i = 0; i < row.len; i++) {
        if (row.ptr[i] == '.' && dots-- == 0)
            return slice_sub(row, 0, i);
    }
    return row;
}

/* The only front that begins with `path`, such as `kafka.bootstrap_servers` for `kafka.bootstrap`;
 * null when there are none or several. */
static struct slice only_longer(struct slice path)
{
    struct slice found = SLICE_NULL;
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct slice front = front_of(slice_of_text(ROWS[i].path), settings_depth(path));
        if (!slice_starts(front, path) || (found.ptr != NULL && slice_equal(front, found)))
            continue;
        if (found.ptr != NULL)
            return SLICE_NULL;
        found = front;
    }
    return found;
}

/* What the user most likely means by an unknown path: the nearest name in the same group; or else
 * the setting of another group with this name, the nearest of all paths, or the path that begins
 * with it. Null = no guess. */
static struct slice find_meant(struct slice path, struct slice key)
{
    struct slice group = slice_sub(path, 0, path.len - key.len), moved = SLICE_NULL;
    struct suggest beside, anywhere;
    suggest_init(&beside, key);
    suggest_init(&anywhere, path);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        struct slice row = slice_of_text(ROWS[i].path);
        struct slice front = front_of(row, settings_depth(path));
        if (slice_starts(front, group))
            suggest_offer(&beside, slice_sub(front, group.len, front.len));
        if (slice_ends(row, key) && row.len > key.len && row.ptr[row.len - key.len - 1] == '.')
            moved = row;
        suggest_offer(&anywhere, front);
    }
    if (beside.nearest.ptr != NULL)
        return slice_of(beside.nearest.ptr - group.len, group.len + beside.nearest.len);
    if (moved.ptr != NULL)
        return moved;
    return anywhere.distance <= PATH_CHANGES_MAX ? anywhere.nearest : only_longer(path);
}

static void reject_unknown(struct settings_reader *reader, struct place place, struct slice path,
                           struct slice key)
{
    struct slice meant = find_meant(path, key);
    if (meant.ptr != NULL)
        problems_add(reader->problems, place, path, "unknown setting; did you mean %.*s?",
                     SLICE_ARG(meant));
    else
        problems_add(reader->problems, place, path,
                     "unknown setting; `bedrock-worker reference` lists all");
}

/* Takes a member of a group: a setting, or a mistake. True: it is a group, to read later. */
static bool take_member(struct settings_reader *reader, const struct document_node *node,
                        struct slice path)
{
    const struct setting_row *row = settings_row(path);
    if (row != NULL) {
        take_row(reader, row, node);
        return false;
    }
    if (!is_group(path)) {
        reject_unknown(reader, node->key_place, path, node->key);
        return false;
    }
    if (node->kind == DOCUMENT_MAP)
        return true;
    if (!document_is_null(node))
        problems_add(reader->problems, node->place, path,
                     "holds settings, not a value; write its settings below it, indented");
    return false;
}

static size_t take_group(struct settings_reader *reader, struct group group, struct group *waiting,
                         size_t count)
{
    if (group.map->count > MEMBERS_MAX) {
        problems_add(reader->problems, group.map->place, group.path,
                     "has more than %d members; remove those that are not settings", MEMBERS_MAX);
        return count;
    }
    for (const struct document_node *node = group.map->first; node != NULL; node = node->next) {
        struct slice path = document_path(&reader->settings->arena, group.path, node->key);
        if (document_is_repeated(group.map, node)) {
            problems_add(reader->problems, node->key_place, path,
                         "is there twice; keep one of them");
            continue;
        }
        if (take_member(reader, node, path) && count < WAITING_MAX)
            waiting[count++] = (struct group){node, path};
    }
    return count;
}

static void take_root(struct settings_reader *reader, const struct document_node *root)
{
    if (root == NULL || document_is_null(root))
        return;
    if (root->kind != DOCUMENT_MAP) {
        mistake_add_kind(reader->problems, root, SLICE(""), "`name: value` lines");
        return;
    }
    struct group waiting[WAITING_MAX] = {{root, SLICE("")}};
    size_t count = 1;
    while (count > 0) {
        struct group group = waiting[--count];
        count = take_group(reader, group, waiting, count);
    }
}

/* Adds a problem for a path on the command line that is no setting's. */
static void reject_path(struct settings_reader *reader, struct place place, struct slice path)
{
    size_t dot = path.len;
    if (is_group(path)) {
        problems_add(reader->problems, place, path,
                     "is a group of settings; set its members one by one, e.g. --set %s=VALUE",
                     first_of_group(path));
        return;
    }
    while (dot > 0 && path.ptr[dot - 1] != '.')
        dot--;
    reject_unknown(reader, place, path, slice_sub(path, dot, path.len));
}

/* Takes `path=value`; the value is YAML, as in the file. */
static void take_override(struct settings_reader *reader, const char *text, size_t number)
{
    struct slice whole = slice_of_text(text);
    size_t equals = slice_find(whole, '=');
    struct slice path = slice_trim(slice_sub(whole, 0, equals));
    struct place place = {"--set", (uint32_t)number, 1};
    if (equals == whole.len) {
        problems_add(reader->problems, place, SLICE(""), "write --set path=value");
        return;
    }
    const struct setting_row *row = settings_row(path);
    if (row == NULL) {
        reject_path(reader, place, path);
        return;
    }
    struct document_node empty = {.kind = DOCUMENT_TEXT, .text = SLICE("")};
    struct document_node *node = NULL;
    size_t before = problems_found(reader->problems);
    document_read(&reader->settings->arena, slice_sub(whole, equals + 1, whole.len), "--set",
                  reader->problems, &node);
    if (problems_found(reader->problems) > before) {
        set_wrong(reader->settings, row, true);
        return;
    }
    if (node == NULL)
        node = &empty;
    node->place = (struct place){"--set", (uint32_t)number, (uint32_t)equals + 2};
    take_row(reader, row, node);
}

/* Takes a simple default without the YAML reader, whose start is slow. */
static bool is_simple(struct slice text, struct document_node *ret_node)
{
    static const struct {
        const char *text;
        enum document_kind kind;
    } EMPTY[] = {{"''", DOCUMENT_TEXT}, {"[]", DOCUMENT_LIST}, {"{}", DOCUMENT_MAP}};
    for (size_t i = 0; i < COUNT_OF(EMPTY); i++) {
        if (slice_equal_text(text, EMPTY[i].text)) {
            *ret_node = (struct document_node){.kind = EMPTY[i].kind, .text = SLICE("")};
            return true;
        }
    }
    *ret_node = (struct document_node){.kind = DOCUMENT_TEXT, .is_plain = true, .text = text};
    return strchr("[{'\"", text.ptr[0]) == NULL;
}

static void take_default(struct settings_reader *reader, const struct setting_row *row)
{
    struct slice text = slice_of_text(row->default_text);
    struct document_node simple;
    struct document_node *node = &simple;
    struct place place = {"default", 0, 0};
    if (!is_simple(text, &simple))
        document_read(&reader->settings->arena, text, "default", reader->problems, &node);
    if (node == NULL)
        return;
    node->place = place;
    take_row(reader, row, node);
}

bool settings_read(struct settings *settings, const struct settings_source *source,
                   struct problems *problems)
{
    memset(settings, 0, sizeof *settings);
    arena_init(&settings->arena, DOCUMENT_ARENA_BYTES);
    settings->file_hash = settings_text_hash(source->text);
    problems_init(problems);
    struct settings_reader reader = {
        .settings = settings, .problems = problems, .environment = source->environment};
    struct document_node *root = NULL;
    document_read(&settings->arena, source->text, source->file, problems, &root);
    take_root(&reader, root);
    for (size_t i = 0; i < source->override_count; i++)
        take_override(&reader, source->overrides[i], i + 1);
    for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
        if (place_of(settings, &ROWS[i])->line == 0)
            take_default(&reader, &ROWS[i]);
    }
    settings_check_relations(settings, problems);
    problems_sort(problems);
    return problems->count == 0;
}

bool settings_load(struct settings *settings, const char *file, const char *const *overrides,
                   size_t override_count, struct problems *problems)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, DOCUMENT_BYTES_MAX + 4096);
    problems_init(problems);
    memset(settings, 0, sizeof *settings);
    if (file != NULL && !settings_read_file(file, &text, problems))
        return false;
    struct settings_source source = {.text = buf_slice(&text),
                                     .file = file != NULL ? file : "default",
                                     .overrides = overrides,
                                     .override_count = override_count,
                                     .environment = settings_environment()};
    return settings_read(settings, &source, problems);
}

void settings_free(struct settings *settings)
{
    settings_forget_secrets(settings);
    arena_done(&settings->arena);
    memset(settings, 0, sizeof *settings);
}
