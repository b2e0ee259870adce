/* Between the files of the settings reader, each of which takes one kind of value from the file to
 * its member of struct settings. Not for others. */
#ifndef APP_SETTINGS_PARTS_H
#define APP_SETTINGS_PARTS_H

#include "app/settings/settings.h"

struct settings_reader {
    struct settings *settings;
    struct problems *problems;
    struct environment environment;
};

/* Fills the member of `row` from `node`; problems go to the list. */
void settings_take(struct settings_reader *reader, const struct setting_row *row,
                   const struct document_node *node);
/* A text with its `${…}` put in, copied to the arena. false: a problem was added. */
MUST_CHECK bool settings_take_text(struct settings_reader *reader, const struct document_node *node,
                                   struct slice path, struct slice *ret_text);
/* Of a map whose names are the user's: is it small enough, and is this member, at this path, the
 * first of its name and named well? Else a problem was added. */
MUST_CHECK bool settings_may_take(struct settings_reader *reader, const struct document_node *map,
                                  const struct document_node *member, struct slice path);
/* An amount with its unit. */
void settings_add_amount(struct buf *buf, enum setting_kind kind, int64_t amount);
/* Words that have | between them, with `between` instead. */
void settings_add_choices(struct buf *buf, const char *choices, const char *between);
/* Which of the choices the text is, from 0; -1: none, and a problem was added. */
int settings_find_choice(struct settings_reader *reader, const struct document_node *node,
                         struct slice path, const char *choices, struct slice text);
/* How many groups a path leads through: its dots. */
size_t settings_depth(struct slice path);

/* The maps whose names are the user's: properties.c, aliases.c, templates.c. */
void settings_take_properties(struct settings_reader *reader, const struct setting_row *row,
                              const struct document_node *node,
                              struct setting_properties *ret_value);
void settings_take_aliases(struct settings_reader *reader, const struct document_node *node,
                           struct setting_aliases *ret_value);
void settings_take_templates(struct settings_reader *reader, const struct document_node *node,
                             struct setting_templates *ret_value);

enum alias_kind { ALIAS_TEXT, ALIAS_MODEL, ALIAS_API, ALIAS_DEFAULTS };

/* A member of an alias; the model must be there. */
struct alias_member {
    const char *name;
    enum alias_kind kind;
    enum setting_form form; /* of all but the defaults */
    size_t value_at;        /* offset in struct model_alias */
};

/* The members that an alias may have. */
const struct alias_member *settings_alias_members(size_t *ret_count);
/* The words that `api` may be, with | between. */
void settings_add_apis(struct buf *buf);

#define APIS_BYTES_MAX 1024

/* librdkafka's words without this value, which may be a secret: `***` in its place, and in that of
 * a part, for they are clipped. */
void settings_add_words(struct buf *buf, struct slice words, struct slice value);

/* Are the settings of which the Kafka clients are made there, and good by themselves? */
bool settings_have_clients(const struct settings *settings);

/* Problems of settings that are good by themselves and contradict each other. */
void settings_check_relations(const struct settings *settings, struct problems *problems);

#endif
