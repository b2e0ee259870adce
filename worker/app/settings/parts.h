/* Private to the settings reader: shared by its files, each of which reads one kind of value from a
 * YAML node into its member of struct settings. Every fault becomes a problem in the reader's list.
 */
#ifndef APP_SETTINGS_PARTS_H
#define APP_SETTINGS_PARTS_H

#include "app/settings/settings.h"
#include "base/suggest.h"
#include "policy/tenants.h"

/* A reading in progress; everything is borrowed. */
struct settings_reader {
    struct settings *settings;
    struct problems *problems;
    struct environment environment;
    struct setting_identity *identities; /* of the aliases read so far */
    size_t identity_count;
};

/* Reads `node` into the member of `row`. */
void settings_take(struct settings_reader *reader, const struct setting_row *row,
                   const struct document_node *node);
/* The hash of a value as it was read, of whatever kind. */
uint64_t settings_node_hash(const struct settings_reader *reader, const struct document_node *node);
/* Replaces the `${…}` of a text and copies it to the arena. False: it added a problem. */
MUST_CHECK bool settings_take_text(struct settings_reader *reader, const struct document_node *node,
                                   struct slice path, struct slice *ret_text);
/* Rejects a secret that stands in the command line itself, where every user can read it. */
void settings_reject_shown(struct settings_reader *reader, const struct document_node *node,
                           struct slice path, struct slice secret);
/* Checks a map whose names the user chooses: it must not be too large, and `member`, at `path`,
 * must be the first of its name and have a valid name. False: it added a problem. */
MUST_CHECK bool settings_may_take(struct settings_reader *reader, const struct document_node *map,
                                  const struct document_node *member, struct slice path);
/* Does a number begin with 0? YAML readers disagree whether it is octal. */
bool settings_is_octal(struct slice number);
/* Appends an amount with its unit. */
void settings_add_amount(struct buf *buf, enum setting_kind kind, int64_t amount);
/* Appends the choices `a|b`, with `between` in place of each |. */
void settings_add_choices(struct buf *buf, const char *choices, const char *between);
/* The place of `text` among the choices, from 0; -1: it is none, and it added a problem. */
int settings_find_choice(struct settings_reader *reader, const struct document_node *node,
                         struct slice path, const char *choices, struct slice text);
/* The number of groups that a path leads through, which is that of its dots. */
size_t settings_depth(struct slice path);

/* Read the maps whose names the user chooses (properties.c, aliases.c, templates.c), and rows of
 * quotas (quotas.c), and tenants (tenants.c). */
void settings_take_properties(struct settings_reader *reader, const struct setting_row *row,
                              const struct document_node *node,
                              struct setting_properties *ret_value);
void settings_take_aliases(struct settings_reader *reader, const struct document_node *node,
                           struct setting_aliases *ret_value);
void settings_take_templates(struct settings_reader *reader, const struct document_node *node,
                             struct setting_templates *ret_value);
void settings_take_quotas(struct settings_reader *reader, const struct document_node *node,
                          struct setting_quotas *ret_value);
void settings_take_tenants(struct settings_reader *reader, const struct document_node *node,
                           struct setting_tenants *ret_value);

/* The budget of a tenant's row, and the schema of one (budgets.c). */
void settings_take_budget(struct settings_reader *reader, const struct document_node *node,
                          struct slice path, struct tenant_row *ret_row);
void settings_add_budget_schema(struct buf *buf);

/* Reads the price file that a text names (prices.c); the hash of its content. */
uint64_t settings_take_prices(struct settings_reader *reader, const struct setting_row *row,
                              const struct document_node *node, struct setting_prices *ret_value);

/* Session tags of a role, and the identity of an alias, which gets its number (identity.c). */
void settings_take_tags(struct settings_reader *reader, const struct document_node *node,
                        struct slice path, struct setting_tags *ret_value);
void settings_take_identity(struct settings_reader *reader, const struct document_node *node,
                            struct slice path, struct model_alias *ret_alias);
/* Adds a problem if parts of the identity need a role, and it has none. */
void settings_check_identity(struct problems *problems, struct place place, struct slice path,
                             const struct setting_identity *identity);

enum identity_kind { IDENTITY_TEXT, IDENTITY_TAGS };

/* A member that an identity may have. */
struct identity_member {
    const char *name;
    enum identity_kind kind;
    enum setting_form form; /* of texts */
    size_t value_at;        /* offset in struct setting_identity */
};

/* The rows of all members. */
const struct identity_member *settings_identity_members(size_t *ret_count);

/* An alias's defaults (defaults.c). */
void settings_take_defaults(struct settings_reader *reader, const struct document_node *node,
                            struct slice path, struct model_alias *ret_alias);
/* Members that a map may have: rows that begin with their name, a `const char *`. */
struct setting_members {
    const void *rows;
    size_t count, size; /* of a row, in bytes */
    const char *known;  /* for people: which there are */
};

/* The row of a map's member, and its path below `path`. NULL: it may not be taken, or is no member;
 * a problem was added, with the nearest name or else what is known. */
MUST_CHECK const void *settings_find_member(struct settings_reader *reader,
                                            const struct document_node *map,
                                            const struct document_node *item,
                                            const struct setting_members *members,
                                            struct slice path, struct slice *ret_path);
/* Adds a problem for an unknown member: the nearest of those suggested, else what is `known`. */
void settings_add_unknown(struct settings_reader *reader, const struct document_node *item,
                          struct slice path, const struct suggest *suggest, const char *known);

/* The aliases that an alias names as its fallbacks: checks them, and gives each alias its list
 * (fallbacks.c). `node` is the map of all aliases, `list` has them as far as they were taken. */
void settings_take_fallbacks(struct settings_reader *reader, const struct document_node *node,
                             struct model_alias *list, size_t count);

enum alias_kind {
    ALIAS_TEXT,
    ALIAS_MODEL,
    ALIAS_API,
    ALIAS_DEFAULTS,
    ALIAS_DROP,
    ALIAS_IDENTITY,
    ALIAS_FALLBACK,
    ALIAS_SPAN
};

#define FALLBACK_AFTER_MS     10000 /* the default of fallback_after */
#define FALLBACK_AFTER_MS_MIN 100
#define FALLBACK_AFTER_MS_MAX 86400000

/* A member that an alias may have; only the model is required. */
struct alias_member {
    const char *name;
    enum alias_kind kind;
    enum setting_form form; /* of texts */
    size_t value_at;        /* offset in struct model_alias */
};

/* The rows of all members. */
const struct alias_member *settings_alias_members(size_t *ret_count);
/* Appends the names of all apis, with | between. */
void settings_add_apis(struct buf *buf);

#define APIS_BYTES_MAX 1024

/* A member that a row of tenants may have: a whole number. */
struct tenant_member {
    const char *name;
    int64_t low, high;
    size_t value_at; /* offset in struct tenant_row, of a uint32_t */
};

/* The rows of all members. */
const struct tenant_member *settings_tenant_members(size_t *ret_count);

enum quota_member_kind { QUOTA_GLOB, QUOTA_REGION, QUOTA_AMOUNT, QUOTA_PART, QUOTA_BURST };

/* A member that a row of quotas may have; only the model is required. */
struct quota_member {
    const char *name;
    enum quota_member_kind kind;
    int64_t low, high; /* of amounts, and of the burst in ms */
    size_t value_at;   /* offset in struct quota_row */
};

/* The rows of all members. */
const struct quota_member *settings_quota_members(size_t *ret_count);

/* Appends librdkafka's text with `***` in place of `value`, which may be a secret. Hides a part of
 * the value as well, because librdkafka clips its texts. */
void settings_add_hidden(struct buf *buf, struct slice text, struct slice value);

/* Are the settings from which the Kafka clients are made present and valid? */
bool settings_have_clients(const struct settings *settings);

/* Adds problems for valid settings that contradict each other. */
void settings_check_relations(const struct settings *settings, struct problems *problems);

#endif
