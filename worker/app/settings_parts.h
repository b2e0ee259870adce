/* Between the files of the settings reader: one value at a time. Not for others. */
#ifndef APP_SETTINGS_PARTS_H
#define APP_SETTINGS_PARTS_H

#include "app/settings.h"

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
/* Does the text have this form? NULL when it has, else what is wrong and what to do. */
const char *settings_form_fault(enum setting_form form, struct slice text);

void settings_take_properties(struct settings_reader *reader, const struct setting_row *row,
                              const struct document_node *node,
                              struct setting_properties *ret_value);
void settings_take_aliases(struct settings_reader *reader, const struct document_node *node,
                           struct setting_aliases *ret_value);
void settings_take_templates(struct settings_reader *reader, const struct document_node *node,
                             struct setting_templates *ret_value);

/* What no single value can tell: relations between settings. */
void settings_check_relations(const struct settings *settings, struct problems *problems);

#endif
