#include "app/redrive/choice.h"

static bool is_named(struct choice_words words, struct slice value)
{
    bool is_one = words.count == 0;
    for (size_t i = 0; i < words.count && !is_one; i++)
        is_one = slice_equal_text(value, words.list[i]);
    return is_one;
}

bool choice_takes(const struct choice_filter *filter, const struct record *record,
                  const struct dead_letter *letter)
{
    return is_named(filter->codes, letter->code) && is_named(filter->ids, letter->id) &&
           is_named(filter->keys, record->key) && is_named(filter->tenants, letter->tenant) &&
           (letter->is_retryable || !filter->only_retryable) &&
           record->timestamp_ms >= filter->since_ms && record->timestamp_ms < filter->until_ms;
}

static bool is_request_topic(const struct choice_rules *rules, struct slice topic)
{
    for (size_t i = 0; i < rules->topic_count; i++)
        if (slice_equal(rules->topics[i], topic))
            return true;
    return false;
}

enum fate choice_fate(const struct choice_rules *rules, const struct dead_letter *letter)
{
    if (letter->topic.ptr == NULL)
        return FATE_NOT_A_LETTER;
    if (!is_request_topic(rules, letter->topic))
        return FATE_FOREIGN_TOPIC;
    if (letter->expires_ms <= rules->wall_ms)
        return FATE_EXPIRED;
    if (letter->redrives >= rules->limit)
        return rules->parks ? FATE_PARKED : FATE_OVER_LIMIT;
    return FATE_SENT;
}

bool fate_is_settled(enum fate fate)
{
    static const bool SETTLED[] = {
#define FATE(name, is_settled, words) is_settled,
#include "app/redrive/fates.def"
#undef FATE
    };
    return SETTLED[fate];
}

const char *fate_words(enum fate fate)
{
    static const char *const WORDS[] = {
#define FATE(name, is_settled, words) words,
#include "app/redrive/fates.def"
#undef FATE
    };
    return WORDS[fate];
}
