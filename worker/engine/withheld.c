#include "engine/withheld.h"

#include "base/check.h"
#include "engine/log.h"
#include "engine/partition.h"
#include "engine/slots.h"

#define GATHER_MS   2000 /* before the first line, so that it names all partitions of a topic */
#define NUMBERS_MAX 256  /* bytes of partition numbers in a line */

void withheld_init(struct engine *engine)
{
    engine->withheld.count = 0;
    engine->withheld.look_ms = INT64_MAX;
}

void partition_withhold(struct engine *engine, struct partition *partition, enum withheld why,
                        int64_t records, int64_t age_ms)
{
    CHECK(partition->held == 0 && link_alone(&partition->jobs));
    partition->step = PARTITION_WITHHELD;
    partition->is_verified = false;
    partition->withheld = why;
    partition->withheld_records = records;
    partition->withheld_age_ms = age_ms;
    partition_read_at(engine, partition, engine->now_ms + WITHHELD_AGAIN_MS);
    engine->ports.partition_pause(engine->ports.self, partition->tenure);
    if (engine->withheld.look_ms > engine->now_ms + GATHER_MS)
        engine->withheld.look_ms = engine->now_ms + GATHER_MS;
}

/* ---- lines ---- */

static uint64_t hash_of(const struct partition *partition)
{
    return slice_hash(partition->topic, 0x77686f6c64U ^ (uint64_t)partition->withheld);
}

/* When the line about this topic and reason is due; 0 = there was none. */
static int64_t *due_of(struct engine *engine, uint64_t hash)
{
    struct withheld_lines *own = &engine->withheld;
    for (uint32_t i = 0; i < own->count; i++)
        if (own->lines[i].hash == hash)
            return &own->lines[i].due_ms;
    uint32_t place = own->count;
    if (own->count < WITHHELD_LINES_MAX)
        own->count++;
    else /* more topics than places: the one whose line is due first is logged again sooner */
        for (uint32_t i = place = 0; i < own->count; i++)
            if (own->lines[i].due_ms < own->lines[place].due_ms)
                place = i;
    own->lines[place].hash = hash;
    own->lines[place].due_ms = 0;
    return &own->lines[place].due_ms;
}

/* What a line says about the partitions of one topic and reason. */
struct gathered {
    int64_t partitions, records, age_ms;
    struct buf numbers;
};

static void gather(struct gathered *all, const struct partition *partition)
{
    if (all->partitions++ > 0)
        buf_add_byte(&all->numbers, ',');
    buf_add_int(&all->numbers, partition->number);
    if (partition->withheld_records > 0)
        all->records += partition->withheld_records;
    if (partition->withheld_age_ms > all->age_ms)
        all->age_ms = partition->withheld_age_ms;
}

/* Their numbers, and what waits there as far as it is known. */
static void add_which(const struct gathered *all, struct buf *ret_text)
{
    buf_add(ret_text, buf_slice(&all->numbers));
    if (all->records > 0)
        buf_addf(ret_text, "; %lld records", (long long)all->records);
    if (all->age_ms >= 0)
        buf_addf(ret_text, ", the oldest %lld h old", (long long)(all->age_ms / 3600000));
}

static void log_line(struct engine *engine, const struct partition *first)
{
    char numbers[NUMBERS_MAX], text[NUMBERS_MAX + 128];
    struct buf which = {.ptr = text, .room = sizeof text, .limit = sizeof text};
    struct gathered all = {
        .age_ms = -1, .numbers = {.ptr = numbers, .room = sizeof numbers, .limit = sizeof numbers}};
    uint32_t cursor = 0;
    for (const struct partition *partition; (partition = slots_next(engine, &cursor)) != NULL;)
        if (partition->step == PARTITION_WITHHELD && partition->withheld == first->withheld &&
            slice_equal(partition->topic, first->topic))
            gather(&all, partition);
    add_which(&all, &which);
    ENGINE_LOG(engine, LOG_PARTITIONS_WITHHELD, FIELD_TEXT("topic", first->topic),
               FIELD_TEXT("group", engine->config.output.group_id),
               FIELD_INT("partitions", all.partitions), FIELD_TEXT("which", buf_slice(&which)),
               FIELD_INT("records", all.records),
               FIELD_INT("age_h", all.age_ms < 0 ? -1 : all.age_ms / 3600000),
               FIELD_TEXT("why", slice_of_text(withheld_label(first->withheld))),
               FIELD_TEXT("reason", slice_of_text(withheld_reason(first->withheld))),
               FIELD_TEXT("remedy", slice_of_text(withheld_remedy(first->withheld))));
}

void withheld_turn(struct engine *engine, int64_t *ret_next_ms)
{
    struct withheld_lines *own = &engine->withheld;
    uint32_t cursor = 0;
    if (engine->now_ms >= own->look_ms) {
        own->look_ms = INT64_MAX;
        for (const struct partition *partition;
             (partition = slots_next(engine, &cursor)) != NULL;) {
            if (partition->step != PARTITION_WITHHELD)
                continue;
            int64_t *due_ms = due_of(engine, hash_of(partition));
            if (*due_ms <= engine->now_ms) {
                log_line(engine, partition);
                *due_ms = engine->now_ms + WITHHELD_AGAIN_MS;
            }
            if (*due_ms < own->look_ms)
                own->look_ms = *due_ms;
        }
    }
    if (own->look_ms < *ret_next_ms)
        *ret_next_ms = own->look_ms;
}
