#include "app/settings/topics.h"

#define READ                 false
#define WRITE                true
#define NAMES_OF_LIST(value) (value)
#define NAMES_OF_TEXT(value) ((struct setting_list){&(value), 1})

const char *topic_path(enum topic topic)
{
    static const char *const PATHS[] = {
#define TOPIC(name, member, kind, path, text, right, words) path,
#include "app/settings/topics.def"
#undef TOPIC
    };
    return PATHS[topic];
}

bool topic_is_output(enum topic topic)
{
    static const bool IS_OUTPUT[] = {
#define TOPIC(name, member, kind, path, text, right, words) right,
#include "app/settings/topics.def"
#undef TOPIC
    };
    return IS_OUTPUT[topic];
}

bool topic_is_used(const struct settings *settings, enum topic topic)
{
    if (topic == TOPIC_BUDGETS)
        return tenant_longest_span(&settings->tenants.table) != BUDGET_NONE;
    return topic != TOPIC_DEAD_LETTERS || settings->delivery_dead_letters;
}

struct setting_list topic_names(const struct settings *settings, enum topic topic)
{
    const struct setting_list names[] = {
#define TOPIC(name, member, kind, path, text, right, words) NAMES_OF_##kind(settings->member),
#include "app/settings/topics.def"
#undef TOPIC
    };
    return names[topic];
}

struct place topic_place(const struct settings *settings, enum topic topic)
{
    const struct place places[] = {
#define TOPIC(name, member, kind, path, text, right, words) settings->at.member,
#include "app/settings/topics.def"
#undef TOPIC
    };
    return places[topic];
}
