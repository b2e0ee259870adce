#include "telemetry/trace/spans.h"

#include "base/memory.h"

#define SCRATCH_MAX  ((size_t)1024 * 1024)
#define SCRATCH_KEPT ((size_t)64 * 1024)

struct spans {
    struct spans_config config;
    struct arena scratch;
    struct otlp_span ring[SPANS_MAX];
    size_t first, count;
    size_t bytes;
    uint64_t counts[SPANS_OUTCOME_COUNT];
};

struct spans *spans_new(const struct spans_config *config)
{
    struct spans *spans = memory_new(sizeof *spans);
    if (spans == NULL)
        return NULL;
    spans->config = *config;
    arena_init(&spans->scratch, SCRATCH_MAX);
    return spans;
}

/* Frees the oldest spans. */
static void forget(struct spans *spans, size_t count)
{
    for (; count > 0; count--) {
        struct otlp_span *span = &spans->ring[spans->first];
        spans->bytes -= span->len;
        memory_free(span->bytes);
        spans->first = (spans->first + 1) % SPANS_MAX;
        spans->count--;
    }
}

void spans_free(struct spans *spans)
{
    if (spans == NULL)
        return;
    forget(spans, spans->count);
    arena_done(&spans->scratch);
    memory_free(spans);
}

const struct spans_config *spans_config(const struct spans *spans)
{
    return &spans->config;
}

void spans_add(struct spans *spans, const struct span *span)
{
    struct otlp_span written = {NULL, 0};
    bool is_kept = spans->count < SPANS_MAX && spans->bytes < SPANS_BYTES_MAX &&
                   otlp_write_span(&spans->scratch, span, &written);
    arena_rewind(&spans->scratch, SCRATCH_KEPT);
    if (!is_kept) {
        spans_end(spans, SPANS_DROPPED, 1);
        return;
    }
    spans->ring[(spans->first + spans->count++) % SPANS_MAX] = written;
    spans->bytes += written.len;
}

size_t spans_waiting(const struct spans *spans)
{
    return spans->count;
}

/* How many of the oldest spans lie in one piece of the ring and fit into a batch. */
static size_t next_batch(const struct spans *spans)
{
    size_t bytes = 0, count = 0;
    while (count < spans->count && count < SPANS_BATCH_MAX && spans->first + count < SPANS_MAX) {
        bytes += spans->ring[spans->first + count].len;
        if (count > 0 && bytes > SPANS_BATCH_BYTES_MAX)
            break;
        count++;
    }
    return count;
}

size_t spans_take(struct spans *spans, struct buf *ret_body)
{
    size_t count = next_batch(spans);
    if (count == 0)
        return 0;
    otlp_add_request(&spans->scratch, &spans->config.resource, &spans->ring[spans->first], count,
                     ret_body);
    arena_rewind(&spans->scratch, SCRATCH_KEPT);
    forget(spans, count);
    if (ret_body->failed == OK)
        return count;
    spans_end(spans, SPANS_DROPPED, count);
    return 0;
}

void spans_end(struct spans *spans, enum spans_outcome outcome, size_t count)
{
    spans->counts[outcome] += count;
}

uint64_t spans_count(const struct spans *spans, enum spans_outcome outcome)
{
    return spans->counts[outcome];
}

const char *spans_outcome_word(enum spans_outcome outcome)
{
    static const char *const WORDS[] = {
        [SPANS_SENT] = "sent",
        [SPANS_DROPPED] = "dropped",
        [SPANS_REJECTED] = "rejected",
        [SPANS_LOST] = "lost",
    };
    return WORDS[outcome];
}
