#include "engine/lost_calls.h"

#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "engine/job_pool.h"

/* A call that a committed map names. If the topic is recreated, another request may have this
 * offset, so the hash of the value identifies the request. */
struct lost_call {
    int64_t offset;
    uint8_t begun;
    uint64_t value_hash;
};

/* The calls of one partition. */
struct page {
    struct link link;
    char topic[TOPIC_ROOM];
    int32_t number;
    struct lost_call *calls;
    size_t count;
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

void lost_calls_prune(struct engine *engine, const struct partition *partition)
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

void lost_calls_add(struct engine *engine, const struct partition *partition,
                    const struct offset_open *calls, size_t count)
{
    struct page *page = page_find(engine, partition);
    if (count == 0)
        return;
    if (page == NULL) {
        page = memory_new(sizeof *page);
        CHECK(page != NULL && partition->topic.len < sizeof page->topic);
        memcpy(page->topic, partition->topic.ptr, partition->topic.len);
        page->number = partition->number;
        link_init(&page->link);
        list_add_last(&engine->lost_calls, &page->link);
    }
    page->calls = memory_resize(page->calls, (page->count + count) * sizeof *page->calls);
    CHECK(page->calls != NULL);
    for (size_t i = 0; i < count; i++) {
        const struct ledger_entry *entry = ledger_find(&partition->ledger, calls[i].offset);
        CHECK(entry != NULL);
        page->calls[page->count++] = (struct lost_call){
            .offset = calls[i].offset,
            .begun = calls[i].begun,
            .value_hash = hash_of(engine, entry),
        };
    }
}

bool lost_calls_forget(struct engine *engine, const struct partition *partition,
                       const struct record *record, uint8_t begun)
{
    struct page *page = page_find(engine, partition);
    for (size_t i = 0; page != NULL && i < page->count; i++) {
        const struct lost_call *call = &page->calls[i];
        if (call->offset != record->offset || call->begun != begun ||
            call->value_hash != lost_calls_hash(engine, record))
            continue;
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
