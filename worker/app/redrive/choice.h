/* Which dead letters `redrive` chooses, and what becomes of each. Pure decisions. */
#ifndef APP_REDRIVE_CHOICE_H
#define APP_REDRIVE_CHOICE_H

#include "app/redrive/dead_letter.h"

/* Values of a filter; a letter needs to equal one of them. None = all letters. Borrowed. */
struct choice_words {
    const char *const *list;
    size_t count;
};

struct choice_filter {
    struct choice_words codes, ids, keys, tenants;
    bool only_retryable;
    int64_t since_ms, until_ms; /* of the letter's own timestamp: since <= time < until */
};

struct choice_rules {
    const struct slice *topics; /* where requests may go back to */
    size_t topic_count;
    int64_t limit; /* redrives that one request may have */
    bool parks;    /* letters over the limit are moved elsewhere */
    int64_t wall_ms;
};

enum fate {
#define FATE(name, is_settled, words) FATE_##name,
#include "app/redrive/fates.def"
#undef FATE
    FATE_COUNT
};

/* Whether the filters choose a letter. */
bool choice_takes(const struct choice_filter *filter, const struct record *record,
                  const struct dead_letter *letter);
/* What becomes of a chosen letter: FATE_SENT, as far as only the letter decides, or another. */
enum fate choice_fate(const struct choice_rules *rules, const struct dead_letter *letter);
bool fate_is_settled(enum fate fate);
const char *fate_words(enum fate fate);

#endif
