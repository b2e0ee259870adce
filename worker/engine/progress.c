#include "engine/progress.h"

#include <string.h>

#include "engine/history.h"
#include "engine/log.h"
#include "engine/standing.h"

#define LINE_MAX 512

static bool has_code(const struct engine *engine, enum err err, const char *code)
{
    return engine->history.errors[err] > 0 && strcmp(err_code(err), code) == 0;
}

/* "throttled 3, timeout 1": errors of one code together. */
static void add_errors(const struct engine *engine, struct buf *text)
{
    for (enum err err = OK + 1; err < ERR_COUNT; err++) {
        const char *code = err_code(err);
        uint32_t count = 0;
        bool is_first = true;
        for (enum err other = OK + 1; other < ERR_COUNT; other++) {
            if (!has_code(engine, other, code))
                continue;
            is_first = is_first && other >= err;
            count += engine->history.errors[other];
        }
        if (count > 0 && is_first && engine->history.errors[err] > 0)
            buf_addf(text, "%s%s %u", text->len > 0 ? ", " : "", code, count);
    }
    if (text->len == 0)
        buf_add_text(text, "none");
}

static void add_waits(const struct standing *standing, struct buf *text)
{
    for (enum wait wait = 0; wait < WAIT_COUNT; wait++)
        if (standing_is_waiting(wait) && standing->counts[wait] > 0)
            buf_addf(text, "%s%u for %s", text->len > 0 ? ", " : "", standing->counts[wait],
                     wait_text(wait));
    if (text->len == 0)
        buf_add_text(text, "none");
}

static bool has_work(const struct minute *minute, const struct standing *standing)
{
    return standing->held > 0 || minute->taken + minute->answered + minute->failed > 0 ||
           minute->calls > 0;
}

static void log_minute(struct engine *engine, const struct minute *minute,
                       const struct standing *standing)
{
    struct buf errors OWNED_BY(buf_done), waits OWNED_BY(buf_done);
    buf_init(&errors, LINE_MAX);
    buf_init(&waits, LINE_MAX);
    add_errors(engine, &errors);
    add_waits(standing, &waits);
    ENGINE_LOG(engine, LOG_PROGRESS, FIELD_INT("answered", minute->answered),
               FIELD_INT("failed", minute->failed), FIELD_TEXT("errors", buf_slice(&errors)),
               FIELD_INT("calling", standing->counts[WAIT_ANSWER]),
               FIELD_INT("held", standing->held), FIELD_TEXT("waiting", buf_slice(&waits)),
               FIELD_INT("throttled", minute->throttled),
               FIELD_INT("tokens", (int64_t)(minute->input_tokens + minute->output_tokens)),
               FIELD_INT("oldest_s", standing->oldest_ms / 1000));
}

void progress_turn(struct engine *engine)
{
    if (history_is_minute_over(engine)) {
        struct standing standing;
        const struct minute *minute = history_minute(engine, 0);
        standing_read(engine, &standing);
        if (has_work(minute, &standing))
            log_minute(engine, minute, &standing);
    }
    history_turn(engine);
}
