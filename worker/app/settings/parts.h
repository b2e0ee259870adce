/* Between the files of the settings reader: one value at a time. Not for others. */
#ifndef APP_SETTINGS_PARTS_H
#define APP_SETTINGS_PARTS_H

#include "app/settings/settings.h"
#include "wire/chat/request.h"

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
/* An amount with its unit. */
void settings_add_amount(struct buf *buf, enum setting_kind kind, int64_t amount);
/* Words that have | between them, with `between` instead. */
void settings_add_choices(struct buf *buf, const char *choices, const char *between);
/* Which of the choices the text is, from 0; -1: none, and a problem was added. */
int settings_find_choice(struct settings_reader *reader, const struct document_node *node,
                         struct slice path, const char *choices, struct slice text);
/* How many groups a path leads through: its dots. */
size_t settings_depth(struct slice path);

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

const struct alias_member *settings_alias_members(size_t *ret_count);
/* The words that `api` may be, with | between. */
void settings_add_apis(struct buf *buf);

#define APIS_BYTES_MAX 1024

/* A request that is read as a worker would read it, to find what would fail every request of its
 * kind. One trial, one request. */
struct trial {
    struct arena arena;
    struct buf value;
    struct request request; /* as it was read */
    struct why why;         /* or why not */
};

void trial_init(struct trial *trial);
void trial_done(struct trial *trial);
/* A request with this member (raw JSON). */
MUST_CHECK enum err trial_field(struct trial *trial, const char *name, struct slice json);
/* One that names no model. */
MUST_CHECK enum err trial_model(struct trial *trial, const struct catalog *catalog);
/* One with this message behind a user's; one with these messages alone. Braces stay as they are. */
MUST_CHECK enum err trial_message(struct trial *trial, const struct template_message *message);
MUST_CHECK enum err trial_template(struct trial *trial, const struct template_named *named);
/* What is wrong, after a failure; and which message is at fault, SIZE_MAX = none alone. */
const char *trial_words(const struct trial *trial);
size_t trial_index(const struct trial *trial);

/* librdkafka's words without this value, which may be a secret: `***` in its place, and in that of
 * a part, for they are clipped. */
void settings_add_words(struct buf *buf, struct slice words, struct slice value);

/* Is what the Kafka clients are made of there, and good value by value? */
bool settings_have_clients(const struct settings *settings);

/* Relations between settings. */
void settings_check_relations(const struct settings *settings, struct problems *problems);

#endif
