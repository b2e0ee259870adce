#include <stdio.h>

#include "app/redrive/parts.h"
#include "base/memory.h"

#define TRANSACTION_MS 30000
#define TRIES          5
#define PAUSE_MS       200

/* The progress of a partition when the shipment is committed, with its text. False: standard error
 * says why not. */
static bool plan_part(struct run *run, int32_t partition, struct progress *planned,
                      struct buf *text)
{
    enum err err = progress_copy(&run->parts[partition].progress, planned);
    for (size_t i = 0; i < run->shipment->count && err == OK; i++)
        if (run->shipment->letters[i].partition == partition)
            err = progress_mark(planned, run->shipment->letters[i].offset);
    progress_add_text(planned, text);
    if (err == OK && text->failed == OK &&
        (int64_t)text->len <= run->settings->kafka_offset_metadata_max)
        return true;
    (void)fprintf(stderr,
                  "bedrock-worker redrive: %.*s-%d: too many dead letters lie between those that "
                  "are redriven; their list does not fit into an offset's metadata (%lld bytes). "
                  "The run ends here and has lost nothing. Redrive the letters from offset %lld on "
                  "without filters, or raise kafka.offset_metadata_max and the brokers' "
                  "offset.metadata.max.bytes\n",
                  SLICE_ARG(run->topic), (int)partition,
                  (long long)run->settings->kafka_offset_metadata_max, (long long)planned->front);
    return false;
}

static bool is_touched(const struct run *run, int32_t partition)
{
    bool is_shipped = false;
    for (size_t i = 0; i < run->shipment->count && !is_shipped; i++)
        is_shipped = run->shipment->letters[i].partition == partition;
    return is_shipped || run->parts[partition].is_changed;
}

struct plan {
    struct progress *planned; /* of each touched partition */
    struct buf *texts;
    struct client_offset *offsets;
    size_t count;
};

static bool plan_all(struct run *run, struct plan *plan)
{
    size_t room = (size_t)run->part_count;
    plan->planned = memory_new(room * sizeof *plan->planned);
    plan->texts = memory_new(room * sizeof *plan->texts);
    plan->offsets = memory_new(room * sizeof *plan->offsets);
    if (plan->planned == NULL || plan->texts == NULL || plan->offsets == NULL)
        return redrive_fail("cannot plan a transaction", "out of memory");
    for (int32_t i = 0; i < run->part_count; i++) {
        if (!is_touched(run, i))
            continue;
        struct buf *text = &plan->texts[plan->count];
        buf_init(text, (size_t)run->settings->kafka_offset_metadata_max * 4);
        bool fits = plan_part(run, i, &plan->planned[plan->count], text);
        plan->offsets[plan->count] = (struct client_offset){
            run->topic, i, plan->planned[plan->count].front, buf_slice(text)};
        plan->count++;
        if (!fits)
            return false;
    }
    return true;
}

static void plan_done(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        progress_done(&plan->planned[i]);
        buf_done(&plan->texts[i]);
    }
    memory_free(plan->planned);
    memory_free(plan->texts);
    memory_free(plan->offsets);
}

static void take_commit(struct run *run, struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct part *part = &run->parts[plan->offsets[i].partition];
        struct progress old = part->progress;
        part->progress = plan->planned[i];
        plan->planned[i] = old;
        part->is_changed = false;
    }
    for (size_t i = 0; i < run->shipment->count; i++) {
        const struct shipped *shipped = &run->shipment->letters[i];
        tally_add(run->tally, &shipped->letter, shipped->fate);
        run->sent += shipped->fate == FATE_SENT;
    }
    shipment_empty(run->shipment);
}

/* What a failed transaction leads to; true: try again. */
static bool goes_on(struct run *run, enum err err, size_t rejected, int *tries)
{
    if (err == ERR_TIMEOUT && ++*tries < TRIES && !redrive_is_interrupted(run)) {
        redrive_pause(PAUSE_MS * *tries);
        return true;
    }
    if (err != ERR_FENCED && err != ERR_UNSTABLE && err != ERR_TIMEOUT &&
        rejected < run->shipment->count) {
        const struct shipped *shipped = &run->shipment->letters[rejected];
        screen_printf(&run->screen, "left", STYLE_BAD, "%.*s-%d@%lld: %s", SLICE_ARG(run->topic),
                      (int)shipped->partition, (long long)shipped->offset,
                      client_reason(run->client));
        tally_add(run->tally, &shipped->letter, FATE_REJECTED);
        shipment_drop(run->shipment, rejected);
        return true;
    }
    if (err == ERR_FENCED)
        return redrive_fail("another redrive of the same group has begun and goes on from here",
                            client_reason(run->client));
    if (err == ERR_UNSTABLE)
        return redrive_fail(
            "the end of the last transaction is not known; run the command again, it goes "
            "on behind what was committed",
            client_reason(run->client));
    return redrive_fail("cannot send", client_reason(run->client));
}

static bool is_anything_to_commit(const struct run *run)
{
    bool is_any = run->shipment->count > 0;
    for (int32_t i = 0; i < run->part_count && !is_any; i++)
        is_any = run->parts[i].is_changed;
    return is_any;
}

bool redrive_commit(struct run *run)
{
    int tries = 0;
    while (is_anything_to_commit(run)) {
        struct plan plan = {.count = 0};
        size_t rejected = 0;
        enum err err = ERR_NO_MEMORY;
        if (plan_all(run, &plan)) {
            const struct client_batch batch = {run->shipment->records, run->shipment->count,
                                               plan.offsets, plan.count};
            err = client_transact(run->client, &batch, TRANSACTION_MS, &rejected);
            if (err == OK)
                take_commit(run, &plan);
        }
        bool was_planned = err != ERR_NO_MEMORY;
        plan_done(&plan);
        if (!was_planned || (err != OK && !goes_on(run, err, rejected, &tries)))
            return false;
    }
    return true;
}
