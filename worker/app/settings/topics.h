/* The topics of a worker, as its settings name them: one list, topics.def. Texts are borrowed from
 * the settings. */
#ifndef APP_SETTINGS_TOPICS_H
#define APP_SETTINGS_TOPICS_H

#include "app/settings/settings.h"

enum topic {
#define TOPIC(name, member, kind, path, text, right, words) TOPIC_##name,
#include "app/settings/topics.def"
#undef TOPIC
    TOPIC_COUNT
};

/* The path of the topic's setting. */
const char *topic_path(enum topic topic);
/* Does the worker write to the topic? If not, it reads from it. */
bool topic_is_output(enum topic topic);
/* Does the worker use the topic with these settings? Dead letters may be off, and
 * budgets need tenants that have one. */
bool topic_is_used(const struct settings *settings, enum topic topic);
/* The topic's names: one; of the requests' topics one or more. An invalid name is the null slice.
 */
struct setting_list topic_names(const struct settings *settings, enum topic topic);
/* The place of the setting. */
struct place topic_place(const struct settings *settings, enum topic topic);

#endif
