/* The worker's settings: one table (settings.def) from which the struct, the reader, the checks,
 * the reference page and the JSON Schema are generated. A struct settings owns all its values in an
 * arena; texts and list items have a NUL behind them. engine_config and io_config borrow from it.
 *
 * It holds no AWS secret. librdkafka properties may be secret (sasl.password); new producers need
 * them as long as the worker runs. settings_free overwrites them, and no text ever quotes them. */
#ifndef APP_SETTINGS_SETTINGS_H
#define APP_SETTINGS_SETTINGS_H

#include "app/prices/price_file.h"
#include "base/arena.h"
#include "io/kafka/conf.h"
#include "policy/quota_row.h"
#include "policy/tenants.h"
#include "wire/aws/sts.h"
#include "wire/chat/catalog.h"
#include "yaml/document.h"
#include "yaml/problems.h"
#include "yaml/units.h"

enum kafka_start { KAFKA_START_AUTO, KAFKA_START_EARLIEST, KAFKA_START_LATEST };
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
    SETTING_TAGS,
    SETTING_TEMPLATES,
    SETTING_PRICES,
    SETTING_QUOTAS,
    SETTING_TENANTS
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
    FORM_LISTEN,
    FORM_FILE,
    FORM_MODEL,
    FORM_COLLECTOR,
    FORM_HEADERS,
    FORM_RATIO,
    FORM_ROLE,
    FORM_EXTERNAL_ID,
    FORM_SESSION,
    FORM_PASSWORD
};

/* Values of the kinds LIST, PROPERTIES, TAGS, ALIASES, TEMPLATES, QUOTAS and TENANTS; places are
 * those of the elements. */
struct setting_list {
    const struct slice *items;
    size_t count;
};

struct setting_properties {
    struct kafka_properties set;
    const struct place *places;
};

struct setting_tags {
    const struct sts_tag *list;
    size_t count;
};

/* As whom calls are signed; null slices = not set. */
struct setting_identity {
    struct slice profile, token_file, role_arn, external_id, session_name;
    struct setting_tags session_tags;
};

/* Most identities of aliases, each counted once. */
#define SETTING_IDENTITIES_MAX 63

struct setting_aliases {
    const struct model_alias *list; /* an alias's identity is 1 + its place in `identities` */
    const struct place *places;
    size_t count;
    const struct setting_identity *identities; /* each differs from the others */
    size_t identity_count;
};

struct setting_templates {
    const struct template_named *list;
    size_t count;
};

/* A price file and what it says. */
struct setting_prices {
    struct slice file; /* empty = none */
    struct price_table table;
};

/* Most rows of quotas: each is compared with all earlier ones. */
#define SETTING_QUOTAS_MAX 200

struct setting_quotas {
    struct quota_rows rows;
    const struct place *places;
};

struct setting_tenants {
    struct tenant_table table;
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
#define SETTING_MEMBER_TAGS       struct setting_tags
#define SETTING_MEMBER_TEMPLATES  struct setting_templates
#define SETTING_MEMBER_PRICES     struct setting_prices
#define SETTING_MEMBER_QUOTAS     struct setting_quotas
#define SETTING_MEMBER_TENANTS    struct setting_tenants

/* The place of each value; line 0 = its default. */
struct settings_places {
#define GROUP(path, words)
#define SETTING(member, kind, path, text, limits, words) struct place member;
#include "app/settings/settings.def"
#undef SETTING
};

/* Which values are invalid; their members of struct settings mean nothing. */
struct settings_marks {
#define SETTING(member, kind, path, text, limits, words) bool member;
#include "app/settings/settings.def"
#undef SETTING
};

/* Hashes of what was read for lists, maps and files, to compare two readings. */
struct settings_hashes {
#define SETTING(member, kind, path, text, limits, words) uint64_t member;
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
    struct settings_hashes hashes;
    uint64_t file_hash; /* settings_text_hash of the file */
    struct arena arena;
};

/* A row of settings.def. */
struct setting_row {
    const char *path;
    enum setting_kind kind;
    const char *default_text; /* as YAML */
    int64_t low, high;        /* COUNT, SPAN (ms), SIZE (bytes) */
    const char *choices;      /* CHOICE: `a|b` */
    enum setting_form form;   /* TEXT, LIST */
    bool is_needed;           /* TEXT, LIST: must not be empty */
    bool reloads;             /* a change holds without a restart */
    const char *description;
    size_t value_at; /* offset in struct settings, */
    size_t place_at; /* struct settings_places, */
    size_t wrong_at; /* struct settings_marks, */
    size_t hash_at;  /* and struct settings_hashes */
};

/* The settings below a path, and the text that introduces them on the reference page. */
struct setting_group {
    const char *path;
    const char *description;
};

/* The rows and the groups of settings.def, in their order. */
const struct setting_row *settings_rows(size_t *ret_count);
const struct setting_group *settings_groups(size_t *ret_count);
/* The row of a path; NULL = there is none. */
const struct setting_row *settings_row(struct slice path);

/* The sources of settings. */
struct settings_source {
    struct slice text;            /* of the file; empty = all defaults */
    const char *file;             /* its name in messages */
    const char *const *overrides; /* `path=value` of the command line; they win over the file */
    size_t override_count;
    struct environment environment;
};

/* Reads and checks all settings; `problems` gets every problem, sorted. True: there is none. Call
 * settings_free in any case. `settings` and `problems` are large: use static or heap storage. */
MUST_CHECK bool settings_read(struct settings *settings, const struct settings_source *source,
                              struct problems *problems);
/* As settings_read, from a file (NULL = only defaults, "-" = standard input) and the environment of
 * the process. */
MUST_CHECK bool settings_load(struct settings *settings, const char *file,
                              const char *const *overrides, size_t override_count,
                              struct problems *problems);
/* Reads a whole file ("-" = standard input); the buf needs room for DOCUMENT_BYTES_MAX. False: it
 * added a problem. */
MUST_CHECK bool settings_read_file(const char *file, struct buf *ret_text,
                                   struct problems *problems);
/* Reads a regular file, with the limit of the buf; NULL, or why not: a static text. */
MUST_CHECK const char *settings_read_regular(const char *file, struct buf *ret_text);
/* Is it something that can be read once only, such as standard input? */
MUST_CHECK bool settings_file_is_pipe(const char *file);
/* The environment of the process. */
struct environment settings_environment(void);
/* environment.add_file: the file's content without its last newline. */
enum err settings_add_file(void *self, const char *file, struct buf *buf);
/* A hash of a file's content, to see whether it has changed. */
uint64_t settings_text_hash(struct slice text);
/* Does the value of this row differ? */
MUST_CHECK bool settings_differ(const struct settings *a, const struct settings *b,
                                const struct setting_row *row);
/* Appends the paths of the rows that differ, with commas between them, either of those that reload
 * or of those that need a restart; returns their number. Both readings must be without problems. */
size_t settings_add_changes(const struct settings *from, const struct settings *to, bool reloads,
                            struct buf *buf);
/* Makes the three Kafka clients of a worker and ends them at once, without connecting, to find the
 * properties that librdkafka rejects only then. Call it once after reading, even if reading found
 * problems. False: it added problems. */
MUST_CHECK bool settings_try_clients(const struct settings *settings, struct problems *problems);
/* How the Kafka clients log in, by kafka.auth or by the mechanism that the properties name. */
enum kafka_auth settings_kafka_auth(const struct settings *settings);
/* As whom they log in to MSK; it borrows from the settings. */
struct setting_identity settings_kafka_identity(const struct settings *settings);
/* The region of the MSK cluster: of the settings, of a broker's name, or else `otherwise`. */
struct slice settings_kafka_region(const struct settings *settings, struct slice otherwise);
/* Fills in the configuration of the Kafka clients (but for auth_region and tokens), which borrows
 * from the settings and from `transactional_id`. */
void settings_kafka_config(const struct settings *settings, struct slice transactional_id,
                           struct kafka_config *ret_config);
/* The default identity; it borrows from the settings. */
struct setting_identity settings_default_identity(const struct settings *settings);
/* Do the aliases have the same identities, under the same numbers? */
bool settings_identities_equal(const struct settings *a, const struct settings *b);
/* Checks the form of a text. NULL: it is right; otherwise what is wrong and what to do. */
const char *settings_form_fault(enum setting_form form, struct slice text);
/* Overwrites secrets and frees all values. */
void settings_free(struct settings *settings);
/* Overwrites the values of secret librdkafka properties. */
void settings_forget_secrets(struct settings *settings);
/* Is a librdkafka property secret, by its name? */
bool settings_property_is_secret(struct slice name);

/* Append the reference page (text for people, similar to Markdown), its sections of a manual page,
 * and the file's JSON Schema (2020-12). */
void settings_add_reference(struct buf *buf);
void settings_add_manual(struct buf *buf);
void settings_add_schema(struct buf *buf);

#endif
