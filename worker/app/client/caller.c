#include "app/client/caller.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/instant.h"
#include "io/aws/sts_call.h"
#include "io/loop/clock.h"
#include "wire/aws/sts.h"

#define FORM_BYTES_MAX  1024
#define ARENA_BYTES_MAX ((size_t)64 * 1024)
#define WHAT            "asking AWS STS whose the keys are"

/* search_ports.pause: no second try, because a command waits for nothing that is not needed. */
static bool give_up(void *self, int64_t ms)
{
    (void)self;
    (void)ms;
    return false;
}

static bool read_answer(const struct search_answer *answer, char ret_words[CALLER_WORDS_MAX])
{
    struct arena arena OWNED_BY(arena_done);
    struct sts_caller caller;
    const char *why = "out of memory";
    arena_init(&arena, ARENA_BYTES_MAX);
    bool is_read = sts_read_caller(&arena, buf_slice(&answer->body), &caller, &why) == OK;
    if (is_read)
        (void)snprintf(ret_words, CALLER_WORDS_MAX, "account %.*s as %.*s",
                       SLICE_ARG(slice_sub(caller.account, 0, 32)),
                       SLICE_ARG(slice_sub(caller.arn, 0, 512)));
    else
        (void)snprintf(ret_words, CALLER_WORDS_MAX,
                       "not known: AWS STS answers what cannot be read: %s", why);
    return is_read;
}

bool caller_describe(struct search *search, const struct credentials *credentials,
                     char ret_words[CALLER_WORDS_MAX])
{
    struct search_ports ports = *search->ports;
    const struct search_ports *usual = search->ports;
    struct search_answer answer OWNED_BY(search_answer_done);
    struct buf form OWNED_BY(buf_done);
    int64_t skew_ms;
    ports.pause = give_up;
    search->ports = &ports;
    search->reason[0] = '\0';
    search_answer_init(&answer);
    buf_init(&form, FORM_BYTES_MAX);
    sts_add_get_caller_identity(&form);
    enum err err = form.failed;
    if (err == OK)
        err = sts_call(search, buf_slice(&form), credentials, WHAT, &answer, &skew_ms);
    search->ports = usual;
    if (err == OK)
        return read_answer(&answer, ret_words);
    const char *reason = search->reason[0] != '\0' ? search->reason : answer.reason;
    (void)snprintf(ret_words, CALLER_WORDS_MAX, "not known: %.900s",
                   reason[0] != '\0' ? reason : "AWS STS does not answer");
    return false;
}

void caller_describe_end(const struct credentials *credentials, char *ret_words, size_t room)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, room);
    if (credentials->expires_wall_ms != INT64_MAX) {
        buf_add_text(&text, "; they end at ");
        instant_add_rfc3339(&text, credentials->expires_wall_ms);
        int64_t left_s = (credentials->expires_wall_ms - clock_wall_ms()) / 1000;
        if (left_s < 0)
            buf_add_text(&text, ", which is past");
        else
            buf_addf(&text, ", in %lld min", (long long)left_s / 60);
    }
    (void)snprintf(ret_words, room, "%s", buf_text(&text));
}
