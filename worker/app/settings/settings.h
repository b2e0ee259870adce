/* The settings: one table (settings.def) from which the struct, the reader, the checks, the
 * reference page and the JSON Schema are made. A struct settings owns all of its values (one
 * arena); texts and list items are NUL-terminated behind. It holds no AWS secret; librdkafka
 * properties may hold one (sasl.password), which new producers need for as long as a worker lives:
 * settings_free wipes it, and no text ever quotes it. Borrowed slices in engine_config and
 * io_config live as long as the settings. */
#ifndef APP_SETTINGS_SETTINGS_H
#define APP_SETTINGS_SETTINGS_H

#include "base/arena.h"
#include "io/kafka/conf.h"
#include "wire/chat/catalog.h"
#include "yaml/document.h"
#include "yaml/problems.h"
#include "yaml/units.h"

enum guarantee { GUARANTEE_EXACTLY_ONCE, GUARANTEE_AT_LEAST_ONCE };

enum setting_kind {
    SETTING_TEXT,
    SETTING_FLAG,
    SETTING_COUNT,
    SETTING_SPAN,
    SETTING_SIZE,
    SETTING_CHOICE,
    SETTING_LIST,
    SETTING_PROPERTIES,
    SETTING_ALIASES,
    SETTING_TEMPLATES
};

enum setting_form {
    FORM_ANY,
    FORM_SERVERS,
    FORM_TOPIC,
    FORM_GLOB,
    FORM_NAME,
    FORM_GROUP_NAME,
    FORM_REGION,
    FORM_URL,
    FORM_PROXY,
    FORM_FILE,
    FORM_MODEL
};

struct setting_list {
    const struct slice *items;
    size_t count;
};

struct setting_properties {
    struct kafka_properties set;
    const struct place *places; /* one per property */
};

struct setting_aliases {
    const struct model_alias *list;
    const struct place *places;
    size_t count;
};

struct setting_templates {
    const struct template_named *list;
    size_t count;
};

#define SETTING_MEMBER_TEXT       struct slice
#define SETTING_MEMBER_FLAG       bool
#define SETTING_MEMBER_COUNT      int64_t
#define SETTING_MEMBER_SPAN       int64_t
#define SETTING_MEMBER_SIZE       int64_t
#define SETTING_MEMBER_CHOICE     int
#define SETTING_MEMBER_LIST       struct setting_list
#define SETTING_MEMBER_PROPERTIES struct setting_properties
#define SETTING_MEMBER_ALIASES    struct setting_aliases
#define SETTING_MEMBER_TEMPLATES  struct setting_templates

/* Where each value was said; line 0 = its default. */
struct settings_places {
#define GROUP(path, words)
#define SETTING(member, kind, path, text, limits, words) struct place member;
#include "app/settings/settings.def"
#undef SETTING
};

/* Which values were rejected by themselves; their members do not hold what was meant. */
struct settings_marks {
#define SETTING(member, kind, path, text, limits, words) bool member;
#include "app/settings/settings.def"
#undef SETTING
};

struct settings {
#define SETTING(member, kind, path, text, limits, words) SETTING_MEMBER_##kind member;
#include "app/settings/settings.def"
#undef SETTING
#undef GROUP
    struct settings_places at;
    struct settings_marks is_wrong;
    struct arena arena;
};

/* A row of settings.def. */
struct setting_row {
    const char *path;
    enum setting_kind kind;
    const char *default_text; /* as YAML */
    int64_t low, high;        /* COUNT, SPAN (ms), SIZE (bytes) */
    const char *choices;      /* CHOICE: words with | between */
    enum setting_form form;   /* TEXT, LIST */
    bool is_needed;           /* TEXT, LIST: must not be empty */
    const char *words;
    size_t value_at; /* offset in struct settings, */
    size_t place_at; /* in struct settings_places, */
    size_t wrong_at; /* and in struct settings_marks */
};

/* Settings that a path leads to together; the words introduce them on the reference page. */
struct setting_group {
    const char *path;
    const char *words;
};

/* The rows of settings.def and its groups, in their order. */
const struct setting_row *settings_rows(size_t *ret_count);
const struct setting_group *settings_groups(size_t *ret_count);
/* The row of a path, or NULL. */
const struct setting_row *settings_row(struct slice path);

/* Where settings come from. */
struct settings_source {
    struct slice text;            /* of the file; empty = all defaults */
    const char *file;             /* its name in messages */
    const char *const *overrides; /* `path=value` of the command line */
    size_t override_count;
    struct environment environment;
};

/* Reads and checks all; every problem is in `problems`, sorted. true: no problem, and the settings
 * serve. In either case settings_free. `settings` and `problems` are big: give them static or heap
 * storage. */
MUST_CHECK bool settings_read(struct settings *settings, const struct settings_source *source,
                              struct problems *problems);
/* The same from a file (NULL = only defaults, "-" = standard input) and the process's environment.
 */
MUST_CHECK bool settings_load(struct settings *settings, const char *file,
                              const char *const *overrides, size_t override_count,
                              struct problems *problems);
/* Does librdkafka create the Kafka clients with these properties? Creates the three of a worker and
 * connects none; to be asked once, after reading, whether or not that found problems. */
MUST_CHECK bool settings_try_clients(const struct settings *settings, struct problems *problems);
/* The configuration of the Kafka clients, borrowed from the settings. `transactional_id` is
 * borrowed, too. */
void settings_kafka_config(const struct settings *settings, struct slice transactional_id,
                           struct kafka_config *ret_config);
/* Does the text have this form? NULL when it has, else what is wrong and what to do. */
const char *settings_form_fault(enum setting_form form, struct slice text);
/* Wipes secrets and frees all values. */
void settings_free(struct settings *settings);
/* Wipes librdkafka properties whose names say that they are secret. */
void settings_forget_secrets(struct settings *settings);
/* Does the name of this librdkafka property say so? */
bool settings_property_is_secret(struct slice name);

/* The reference page (Markdown-like text for people), and the JSON Schema (2020-12) of the file. */
void settings_add_reference(struct buf *buf);
void settings_add_schema(struct buf *buf);

#endif
