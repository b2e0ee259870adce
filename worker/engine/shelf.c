#include "engine/shelf.h"

#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "engine/current.h"
#include "engine/job_pool.h"
#include "engine/log.h"
#include "engine/result.h"
#include "engine/slots.h"

/* After the first assignment: the group gives other partitions back, too. */
#define GRACE_MS 10000

struct shelf_page {
    struct link link;
    uint64_t hash;           /* of topic and number */
    struct partition place;  /* its jobs lie in place.jobs, by offset */
    struct partition *owner; /* the tenure that has the partition now; NULL = it is not ours */
    struct link finished, running; /* the same jobs, by job->link: the oldest first */
    struct link *last_put;         /* where the last job was put: the next one is near; or NULL */
    uint32_t adopted, dropped;
    uint64_t unknown_batch; /* a batch of unknown outcome with this partition; 0 = none */
    int64_t unknown_offset; /* what it would have committed */
    struct buf unknown_map;
};

/* ---- pages ---- */

static struct shelf_page *page_next(const struct engine *engine, const struct shelf_page *page)
{
    struct link *next = page == NULL ? engine->shelf.pages.next : page->link.next;
    return next == &engine->shelf.pages ? NULL : LINK_OWNER(next, struct shelf_page, link);
}

static struct shelf_page *page_of(const struct job *job)
{
    CHECK(job->is_shelved);
    return LINK_OWNER(job->partition, struct shelf_page, place);
}

static uint64_t hash_of(const struct partition *partition)
{
    return slice_hash(partition->topic, (uint64_t)partition->number);
}

static bool is_same(const struct partition *a, const struct partition *b)
{
    return a->number == b->number && slice_equal(a->topic, b->topic);
}

static struct shelf_page *page_find(const struct engine *engine, const struct partition *partition)
{
    uint64_t hash = hash_of(partition);
    struct shelf_page *page = NULL;
    while ((page = page_next(engine, page)) != NULL)
        if (page->hash == hash && is_same(&page->place, partition))
            return page;
    return NULL;
}

static struct partition *tenure_of(const struct engine *engine, const struct partition *place)
{
    uint32_t cursor = 0;
    for (struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;)
        if (is_same(partition, place))
            return partition;
    return NULL;
}

static struct shelf_page *page_new(struct engine *engine, const struct partition *partition)
{
    struct shelf_page *page = memory_new(sizeof *page);
    CHECK(page != NULL);
    struct partition *place = &page->place;
    memcpy(place->topic_text, partition->topic_text, sizeof place->topic_text);
    place->topic = slice_of(place->topic_text, partition->topic.len);
    place->number = partition->number;
    place->topic_hash = partition->topic_hash;
    place->is_gone = true;
    link_init(&place->jobs);
    link_init(&place->parked);
    link_init(&place->link_due);
    link_init(&place->demand.link);
    link_init(&page->finished);
    link_init(&page->running);
    link_init(&page->link);
    buf_init(&page->unknown_map, LEDGER_MAP_BYTES_MAX);
    page->hash = hash_of(place);
    page->owner = tenure_of(engine, place);
    if (page->owner != NULL)
        page->owner->shelf = page;
    list_add_last(&engine->shelf.pages, &page->link);
    return page;
}

static void page_free(struct engine *engine, struct shelf_page *page)
{
    if (page->adopted + page->dropped > 0)
        ENGINE_LOG(engine, LOG_SHELF_CLEARED, PARTITION_FIELDS(&page->place),
                   FIELD_INT("adopted", page->adopted), FIELD_INT("dropped", page->dropped));
    if (page->owner != NULL)
        page->owner->shelf = NULL;
    current_drop_partition(&page->place);
    link_out(&page->link);
    buf_done(&page->unknown_map);
    memory_free(page);
}

static struct job *first_of(const struct shelf_page *page)
{
    return link_alone(&page->place.jobs)
               ? NULL
               : LINK_OWNER(page->place.jobs.next, struct job, link_partition);
}

void shelf_init(struct engine *engine)
{
    link_init(&engine->shelf.pages);
    engine->shelf.formed_ms = INT64_MIN / 2;
}

void shelf_free(struct engine *engine)
{
    for (struct shelf_page *page; (page = page_next(engine, NULL)) != NULL;) {
        page->adopted = page->dropped = 0;
        page_free(engine, page);
    }
}

bool shelf_takes(const struct engine *engine)
{
    return engine->config.keep_lost_ms > 0 && !engine->is_stopping;
}

/* ---- onto the shelf ---- */

/* Of what makes a record itself. The key of a job may be gone: a broker rejected the answer with
 * it. */
static uint64_t record_hash(const struct engine *engine, const struct job *job,
                            const struct record *record)
{
    uint64_t hash = slice_hash(record->value, engine->hash_seed);
    if (job->stripped != STRIPPED_KEY)
        hash = hash * 31 + slice_hash(record->key, engine->hash_seed);
    return hash * 31 + (uint64_t)result_timestamp(record);
}

static void put_in_order(struct shelf_page *page, struct job *job)
{
    struct link *jobs = &page->place.jobs;
    struct link *at = page->last_put != NULL ? page->last_put : jobs;
    while (at != jobs && LINK_OWNER(at, struct job, link_partition)->offset > job->offset)
        at = at->prev;
    while (at->next != jobs &&
           LINK_OWNER(at->next, struct job, link_partition)->offset < job->offset)
        at = at->next;
    list_add_first(at, &job->link_partition);
    page->last_put = &job->link_partition;
}

static void leave(struct shelf_page *page, struct job *job)
{
    CHECK(job->is_shelved);
    if (page->last_put == &job->link_partition)
        page->last_put = NULL;
    link_out(&job->link);
    job->is_shelved = false;
}

void shelf_put(struct engine *engine, struct job *job)
{
    struct shelf_page *page = page_find(engine, job->partition);
    if (page == NULL)
        page = page_new(engine, job->partition);
    job_move(engine, job, &page->place);
    job->is_shelved = true;
    job->shelved_hash = record_hash(engine, job, &job->record);
    put_in_order(page, job);
    list_add_last(job->call != NULL ? &page->running : &page->finished, &job->link);
    timers_set(&engine->timers, &job->due, engine->now_ms + engine->config.keep_lost_ms);
}

void shelf_answered(struct job *job)
{
    struct shelf_page *page = page_of(job);
    link_out(&job->link);
    list_add_last(&page->finished, &job->link);
}

/* ---- off the shelf ---- */

void shelf_leave(struct job *job)
{
    page_of(job)->dropped++;
    leave(page_of(job), job);
}

void shelf_give(struct engine *engine, struct job *job)
{
    page_of(job)->adopted++;
    leave(page_of(job), job);
    timers_stop(&engine->timers, &job->due);
}

const struct partition *shelf_owner(struct partition *place)
{
    return LINK_OWNER(place, struct shelf_page, place)->owner;
}

struct job *shelf_first(const struct partition *partition)
{
    return partition->shelf == NULL ? NULL : first_of(partition->shelf);
}

bool shelf_is_record(const struct engine *engine, const struct job *job,
                     const struct record *record)
{
    return job->offset == record->offset && job->shelved_hash == record_hash(engine, job, record);
}

/* ---- tenures ---- */

void shelf_attach(struct engine *engine, struct partition *partition)
{
    struct shelf_page *page = page_find(engine, partition);
    if (slots_used(engine) <= 1)
        engine->shelf.formed_ms = engine->now_ms;
    if (page == NULL)
        return;
    page->owner = partition;
    partition->shelf = page;
}

void shelf_detach(struct partition *partition)
{
    if (partition->shelf != NULL)
        partition->shelf->owner = NULL;
    partition->shelf = NULL;
}

void shelf_note_unknown(struct engine *engine, const struct partition *partition, uint64_t batch)
{
    struct shelf_page *page = page_find(engine, partition);
    if (page == NULL)
        return;
    page->unknown_batch = batch;
    page->unknown_offset = partition->batch_offset;
    buf_reset(&page->unknown_map);
    buf_add(&page->unknown_map, buf_slice(&partition->batch_map));
    CHECK(page->unknown_map.failed == OK);
}

/* Whether the ledger shows an offset as open that the batch had answered. */
static bool shows_abort(const struct shelf_page *page, const struct ledger *ledger)
{
    const struct link *jobs = &page->place.jobs;
    for (struct link *link = jobs->next; link != jobs; link = link->next) {
        const struct job *job = LINK_OWNER(link, struct job, link_partition);
        if (job->unknown_batch == page->unknown_batch && ledger_is_open(ledger, job->offset))
            return true;
    }
    return false;
}

uint64_t shelf_settle_unknown(struct partition *partition, int64_t offset, struct slice metadata,
                              bool *ret_was_committed)
{
    struct shelf_page *page = partition->shelf;
    uint64_t batch = page == NULL ? 0 : page->unknown_batch;
    if (batch == 0)
        return 0;
    bool was_committed =
        offset == page->unknown_offset && slice_equal(metadata, buf_slice(&page->unknown_map));
    bool is_known = was_committed || shows_abort(page, &partition->ledger);
    page->unknown_batch = 0; /* what others committed since hides it */
    *ret_was_committed = was_committed;
    return is_known ? batch : 0;
}

/* ---- room ---- */

static bool is_older(const struct link *list, const struct job *than)
{
    return !link_alone(list) &&
           (than == NULL || LINK_OWNER(list->next, struct job, link)->step_ms < than->step_ms);
}

struct job *shelf_oldest(const struct engine *engine, bool is_finished, bool is_any)
{
    struct job *found = NULL;
    for (struct shelf_page *page = NULL; (page = page_next(engine, page)) != NULL;) {
        struct link *list = is_finished ? &page->finished : &page->running;
        if ((is_any || page->owner == NULL) && is_older(list, found))
            found = LINK_OWNER(list->next, struct job, link);
    }
    return found;
}

bool shelf_is_forming(const struct engine *engine)
{
    return engine->now_ms < engine->shelf.formed_ms + GRACE_MS;
}

void shelf_turn(struct engine *engine)
{
    for (struct shelf_page *page = page_next(engine, NULL); page != NULL;) {
        struct shelf_page *next = page_next(engine, page);
        if (page->place.held == 0)
            page_free(engine, page);
        page = next;
    }
}

/* ---- questions ---- */

uint32_t shelf_count(const struct engine *engine)
{
    uint32_t count = 0;
    for (const struct shelf_page *page = NULL; (page = page_next(engine, page)) != NULL;)
        count += page->place.held;
    return count;
}

uint64_t shelf_bytes(const struct engine *engine)
{
    uint64_t bytes = 0;
    for (const struct shelf_page *page = NULL; (page = page_next(engine, page)) != NULL;)
        bytes += page->place.held_bytes;
    return bytes;
}

struct partition *shelf_next(const struct engine *engine, struct partition *place)
{
    struct shelf_page *page = place == NULL ? NULL : LINK_OWNER(place, struct shelf_page, place);
    page = page_next(engine, page);
    return page == NULL ? NULL : &page->place;
}
