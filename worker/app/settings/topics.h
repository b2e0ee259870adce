/* The topics of a worker as its settings name them: one list, topics.def. */
#ifndef APP_SETTINGS_TOPICS_H
#define APP_SETTINGS_TOPICS_H

#include "app/settings/settings.h"

enum topic {
#define TOPIC(name, member, kind, path, text, right, words) TOPIC_##name,
#include "app/settings/topics.def"
#undef TOPIC
    TOPIC_COUNT
};

/* The path of its setting. */
const char *topic_path(enum topic topic);
/* Does the worker write to it? Else it reads from it. */
bool topic_is_output(enum topic topic);
/* Does it, with these settings? Dead letters may be switched off. */
bool topic_is_used(const struct settings *settings, enum topic topic);
/* Its names: one, but there may be several topics of requests. A name that was rejected is the null
 * slice. Borrowed from the settings. */
struct setting_list topic_names(const struct settings *settings, enum topic topic);
/* Where they were said. */
struct place topic_place(const struct settings *settings, enum topic topic);

#endif
