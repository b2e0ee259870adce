/* Reads prompt templates: lists of messages by name. */
#include "app/settings/parts.h"

#include "app/settings/trial.h"
#include "wire/chat/template.h"
#include "yaml/mistake.h"

#define PAIR "a role and a text such as [human, \"Hello {name}\"]"

static void take_message(struct settings_reader *reader, const struct document_node *node,
                         struct slice path, struct template_message *ret_message)
{
    size_t column = 0;
    const char *words = NULL;
    if (node->kind != DOCUMENT_LIST) {
        mistake_add_kind(reader->problems, node, path, PAIR);
        return;
    }
    if (node->count != 2) {
        problems_add(reader->problems, node->place, path,
                     "is a list of %zu; write " PAIR ", a text with commas in quotes", node->count);
        return;
    }
    const struct document_node *role = node->first, *text = node->last;
    if (!settings_take_text(reader, role, path, &ret_message->role) ||
        !settings_take_text(reader, text, path, &ret_message->text))
        return;
    struct trial trial OWNED_BY(trial_done);
    trial_init(&trial);
    if (trial_message(&trial, ret_message) != OK)
        problems_add(reader->problems, role->place, path,
                     "the role must be system, user (human) or assistant (ai)");
    if (template_check(ret_message->text, &column, &words) != OK)
        problems_add(reader->problems, text->place, path,
                     "is not a template: %s at its byte %zu; write {name} for a variable, {{ and "
                     "}} for braces",
                     words, column);
}

/* Checks the messages of a template together, after each one. */
static void try_template(struct settings_reader *reader, const struct document_node *node,
                         struct slice path, const struct template_named *named)
{
    struct trial trial OWNED_BY(trial_done);
    trial_init(&trial);
    if (trial_template(&trial, named) == OK)
        return;
    size_t index = trial_index(&trial);
    const struct document_node *fault = node;
    if (index < named->count) {
        fault = node->first;
        while (index-- > 0)
            fault = fault->next;
    }
    problems_add(reader->problems, fault->place, path, "%s", trial_reason(&trial));
}

void settings_take_templates(struct settings_reader *reader, const struct document_node *node,
                             struct setting_templates *ret_value)
{
    struct arena *arena = &reader->settings->arena;
    struct template_named *list = arena_new_array(arena, node->count, sizeof *list);
    size_t count = 0;
    if (list == NULL) {
        problems_add(reader->problems, node->place, SLICE("templates"), "out of memory");
        return;
    }
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct slice path = document_path(&reader->settings->arena, SLICE("templates"), item->key);
        if (!settings_may_take(reader, node, item, path))
            continue;
        struct template_message *messages = NULL;
        if (item->kind == DOCUMENT_LIST && item->count > 0)
            messages = arena_new_array(arena, item->count, sizeof *messages);
        if (messages == NULL) {
            problems_add(reader->problems, item->place, path,
                         "is not a list of messages; write [[human, \"Hello {name}\"]]");
            continue;
        }
        size_t index = 0, before = problems_found(reader->problems);
        for (const struct document_node *pair = item->first; pair != NULL; pair = pair->next)
            take_message(reader, pair, path, &messages[index++]);
        list[count] = (struct template_named){item->key, messages, index};
        if (problems_found(reader->problems) == before)
            try_template(reader, item, path, &list[count]);
        count++;
    }
    *ret_value = (struct setting_templates){list, count};
}
