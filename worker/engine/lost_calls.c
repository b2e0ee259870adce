#include "engine/lost_calls.h"

#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "engine/job_pool.h"
#include "engine/partition.h"
#include "engine/result.h"

/* If the topic is recreated, another request may have this offset, so the hash of the value
 * identifies the request. */
struct lost_call {
    int64_t offset;
    uint8_t begun;
    bool is_recorded;
    uint64_t batch; /* as in struct told */
    uint64_t value_hash;
};

/* The calls of one partition. */
struct page {
    struct link link;
    char topic[TOPIC_ROOM];
    int32_t number;
    struct lost_call *calls;
    size_t count, room;
    uint64_t unknown_batch; /* a batch of unknown outcome with this partition; 0 = none */
    int64_t unknown_offset; /* what it would have committed */
    struct buf unknown_map;
};

static struct page *page_find(const struct engine *engine, const struct partition *partition)
{
    for (struct link *link = engine->lost_calls.next; link != &engine->lost_calls;
         link = link->next) {
        struct page *page = LINK_OWNER(link, struct page, link);
        if (page->number == partition->number && slice_equal_text(partition->topic, page->topic))
            return page;
    }
    return NULL;
}

static void page_free(struct page *page)
{
    link_out(&page->link);
    buf_done(&page->unknown_map);
    memory_free(page->calls);
    memory_free(page);
}

void lost_calls_clear(struct engine *engine, const struct partition *partition)
{
    struct page *page = page_find(engine, partition);
    if (page != NULL)
        page_free(page);
}

/* Whether its record has not arrived yet and the map still names the same call. */
static bool is_expected(const struct ledger *ledger, const struct lost_call *call)
{
    const struct ledger_entry *entry = ledger_find(ledger, call->offset);
    return entry != NULL && entry->state == LEDGER_UNKNOWN && entry->was_running &&
           entry->deaths + 1 == call->begun;
}

/* Forgets the calls whose records the partition's ledger does not expect any more. */
static void prune(struct engine *engine, const struct partition *partition)
{
    struct page *page = page_find(engine, partition);
    if (page == NULL)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < page->count; i++)
        if (is_expected(&partition->ledger, &page->calls[i]))
            page->calls[kept++] = page->calls[i];
    page->count = kept;
    if (kept == 0)
        page_free(page);
}

uint64_t lost_calls_hash(const struct engine *engine, const struct record *record)
{
    return slice_hash(record->value, engine->hash_seed);
}

static uint64_t hash_of(const struct engine *engine, const struct ledger_entry *entry)
{
    return entry->job == LEDGER_NO_JOB
               ? entry->dropped_hash
               : lost_calls_hash(engine, &job_at(engine, entry->job)->record);
}

/* ---- the list ---- */

static struct page *page_get(struct engine *engine, const struct partition *partition)
{
    struct page *page = page_find(engine, partition);
    if (page != NULL)
        return page;
    page = memory_new(sizeof *page);
    CHECK(page != NULL && partition->topic.len < sizeof page->topic);
    memcpy(page->topic, partition->topic.ptr, partition->topic.len);
    page->number = partition->number;
    link_init(&page->link);
    buf_init(&page->unknown_map, LEDGER_MAP_BYTES_MAX);
    list_add_last(&engine->lost_calls, &page->link);
    return page;
}

static void add(struct engine *engine, const struct partition *partition,
                const struct lost_call *call)
{
    struct page *page = page_get(engine, partition);
    if (page->count == page->room) {
        page->room = page->room == 0 ? 8 : page->room * 2;
        page->calls = memory_resize(page->calls, page->room * sizeof *page->calls);
        CHECK(page->calls != NULL);
    }
    page->calls[page->count++] = *call;
}

void lost_calls_add(struct engine *engine, const struct partition *partition,
                    const struct result *result, uint64_t hash, bool is_recorded)
{
    struct lost_call call = {
        .offset = result->offset,
        .begun = result->told.begun,
        .is_recorded = is_recorded,
        .batch = result->told.batch,
        .value_hash = hash,
    };
    if (call.begun > 0 && !result->told.is_booked)
        add(engine, partition, &call);
}

/* ---- told calls ---- */

/* What one map tells of this process's calls. */
struct marks {
    struct offset_open *list; /* one is taken when its begun count is 0 */
    size_t count;
    uint64_t batch; /* as in struct told */
};

static struct offset_open *mark_find(const struct marks *marks, int64_t offset)
{
    size_t low = 0, high = marks->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (marks->list[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_found = low < marks->count && marks->list[low].offset == offset;
    return is_found && marks->list[low].begun > 0 ? &marks->list[low] : NULL;
}

static void tell(const struct marks *marks, struct result *result)
{
    struct offset_open *mark = result->told.is_booked ? NULL : mark_find(marks, result->offset);
    if (mark == NULL)
        return;
    if (result->told.begun == 0)
        result->told = (struct told){.begun = mark->begun, .batch = marks->batch};
    mark->begun = 0;
}

static const struct ledger_entry *entry_at(const struct partition *partition, int64_t offset)
{
    const struct ledger_entry *entry = ledger_find(&partition->ledger, offset);
    CHECK(entry != NULL);
    return entry;
}

/* Adds a mark to the list: no call or answer of this tenure is what it tells. */
static void add_mark(struct engine *engine, const struct partition *partition,
                     const struct marks *marks, struct offset_open *mark)
{
    const struct ledger_entry *entry = entry_at(partition, mark->offset);
    /* Under at_least_once the ledger has maps that the broker may not have yet. */
    bool is_told = engine->config.exactly_once || entry->told_in <= partition->ledger.told_upto;
    struct lost_call call = {
        .offset = mark->offset,
        .begun = mark->begun,
        .batch = is_told ? marks->batch : entry->told_in,
        .is_recorded = ledger_has_spent(entry, mark->begun),
        .value_hash = hash_of(engine, entry),
    };
    add(engine, partition, &call);
    mark->begun = 0;
}

/* In their order: the oldest call of an offset comes first. */
static void tell_results(struct engine *engine, const struct partition *partition,
                         const struct marks *marks, enum result_place place)
{
    for (struct result *result = result_first(engine, place); result != NULL;
         result = result_next(engine, result)) {
        bool is_call = result->job != NULL || (result->has_usage && !result->is_dead_owners);
        bool was_told = result->told.begun > 0;
        if (result->partition != partition || !is_call)
            continue;
        tell(marks, result);
        if (result->job == NULL && !was_told)
            lost_calls_add(engine, partition, result,
                           hash_of(engine, entry_at(partition, result->offset)), true);
    }
}

static void tell_by(struct engine *engine, const struct partition *partition, int64_t offset,
                    struct slice map, uint64_t batch)
{
    struct marks marks = {.batch = batch};
    marks.count = ledger_committed_running(&partition->ledger, offset, map, &marks.list);
    /* A spent count was told in an earlier tenure. */
    for (size_t i = 0; i < marks.count; i++)
        if (ledger_has_spent(entry_at(partition, marks.list[i].offset), marks.list[i].begun))
            add_mark(engine, partition, &marks, &marks.list[i]);
    /* What is in the batch is not told by its map. */
    if (marks.count > 0 && batch == 0)
        tell_results(engine, partition, &marks, RESULT_BATCHED);
    if (marks.count > 0)
        tell_results(engine, partition, &marks, RESULT_QUEUED);
    for (struct link *link = partition->jobs.next; marks.count > 0 && link != &partition->jobs;
         link = link->next) {
        struct job *job = LINK_OWNER(link, struct job, link_partition);
        if (job->call != NULL)
            tell(&marks, &job->result);
    }
    for (size_t i = 0; i < marks.count; i++)
        if (marks.list[i].begun > 0)
            add_mark(engine, partition, &marks, &marks.list[i]);
    memory_free(marks.list);
}

void lost_calls_tell(struct engine *engine, const struct partition *partition)
{
    const struct ledger *ledger = &partition->ledger;
    if (!partition_has_ledger(partition))
        return;
    prune(engine, partition);
    tell_by(engine, partition, ledger->committed_offset, buf_slice(&ledger->committed_map), 0);
    if (!partition->is_in_batch)
        return;
    engine->shelf.told_in = engine->batch.id;
    tell_by(engine, partition, partition->batch_offset, buf_slice(&partition->batch_map),
            engine->batch.id);
}

/* ---- the end of a batch ---- */

static void settle(struct told *told, uint64_t batch, bool was_committed)
{
    if (told->begun == 0 || told->batch != batch)
        return;
    if (was_committed)
        told->batch = 0;
    else
        *told = (struct told){.begun = 0};
}

static void settle_page(struct page *page, uint64_t batch, bool was_committed)
{
    size_t kept = 0;
    for (size_t i = 0; i < page->count; i++) {
        struct lost_call *call = &page->calls[i];
        bool is_its = call->batch == batch;
        if (is_its && !was_committed)
            continue;
        page->calls[kept] = *call;
        page->calls[kept++].batch = is_its ? 0 : call->batch;
    }
    page->count = kept;
    if (kept == 0)
        page_free(page);
}

static void settle_results(struct engine *engine, uint64_t batch, bool was_committed)
{
    for (struct result *result = result_first(engine, RESULT_QUEUED); result != NULL;
         result = result_next(engine, result))
        settle(&result->told, batch, was_committed);
    for (uint32_t i = 0; i < engine->config.max_held; i++)
        settle(&engine->jobs.all[i].result.told, batch, was_committed);
}

void lost_calls_settle(struct engine *engine, uint64_t batch, bool was_committed)
{
    for (struct link *link = engine->lost_calls.next; link != &engine->lost_calls;) {
        struct page *page = LINK_OWNER(link, struct page, link);
        link = link->next;
        settle_page(page, batch, was_committed);
    }
    settle_results(engine, batch, was_committed);
}

void lost_calls_delivered(struct engine *engine, uint64_t batch)
{
    settle_results(engine, batch, true);
}

void lost_calls_note_unknown(struct engine *engine, const struct partition *partition,
                             uint64_t batch)
{
    struct page *page = page_find(engine, partition);
    if (page == NULL)
        return;
    page->unknown_batch = batch;
    page->unknown_offset = partition->batch_offset;
    buf_reset(&page->unknown_map);
    buf_add(&page->unknown_map, buf_slice(&partition->batch_map));
    CHECK(page->unknown_map.failed == OK);
}

uint64_t lost_calls_committed(const struct engine *engine, const struct partition *partition,
                              int64_t offset, struct slice metadata)
{
    const struct page *page = page_find(engine, partition);
    bool is_committed = page != NULL && page->unknown_batch != 0 &&
                        offset == page->unknown_offset &&
                        slice_equal(metadata, buf_slice(&page->unknown_map));
    return is_committed ? page->unknown_batch : 0;
}

bool lost_calls_forget(struct engine *engine, const struct partition *partition,
                       const struct record *record, uint8_t begun, bool *ret_is_recorded)
{
    struct page *page = page_find(engine, partition);
    for (size_t i = 0; page != NULL && i < page->count; i++) {
        const struct lost_call *call = &page->calls[i];
        /* One that only a batch of unknown outcome tells may be another owner's by now. */
        if (call->offset != record->offset || call->begun != begun || call->batch != 0 ||
            call->value_hash != lost_calls_hash(engine, record))
            continue;
        *ret_is_recorded = call->is_recorded;
        page->calls[i] = page->calls[--page->count];
        if (page->count == 0)
            page_free(page);
        return true;
    }
    return false;
}

void lost_calls_free(struct engine *engine)
{
    while (engine->lost_calls.next != NULL && !link_alone(&engine->lost_calls))
        page_free(LINK_OWNER(engine->lost_calls.next, struct page, link));
}
