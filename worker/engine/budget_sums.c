#include "engine/budget_sums.h"

#include <string.h>

#include "base/check.h"
#include "base/memory.h"
#include "engine/log.h"
#include "engine/reservations.h"
#include "engine/spenders.h"
#include "wire/outputs/sums.h"

#define EVERY_MS       60000
#define SPREAD_MS      10000 /* of that, by chance: workers take turns */
#define SOON_MS        5000  /* likewise, where there are no sums yet */
#define PARTITIONS_END 100000
#define SECOND_MS      1000
#define LOST_AGE_MS    INT64_C(3600000) /* a lost call that is older is not replaced any more */

/* ---- partitions ---- */

/* NULL: more than any topic has. */
static struct usage_log *log_of(struct budgets *budgets, int32_t partition)
{
    size_t index = (size_t)partition;
    if (partition < 0 || partition >= PARTITIONS_END)
        return NULL;
    if (index >= budgets->log_count) {
        size_t count = index + 1;
        budgets->logs = memory_resize(budgets->logs, count * sizeof *budgets->logs);
        CHECK(budgets->logs != NULL);
        for (size_t i = budgets->log_count; i < count; i++)
            budgets->logs[i] = (struct usage_log){.next = -1, .written = -1};
        budgets->log_count = count;
    }
    return &budgets->logs[index];
}

static int64_t later(struct engine *engine, int64_t least_ms, int64_t spread_ms)
{
    return engine->now_ms + least_ms + (int64_t)random_below(&engine->random, (uint64_t)spread_ms);
}

void budget_sums_note(struct engine *engine, int32_t partition, int64_t offset)
{
    struct usage_log *log = log_of(engine->budgets, partition);
    if (log == NULL)
        return;
    if (log->next < 0)
        log->due_ms = later(engine, 0, SOON_MS);
    log->next = offset + 1;
}

void budget_sums_begin(struct engine *engine)
{
    struct budgets *budgets = engine->budgets;
    budgets->sums_ms = engine->now_ms;
    for (size_t i = 0; i < budgets->log_count; i++)
        budgets->logs[i].due_ms =
            later(engine, 0, budgets->logs[i].written < 0 ? SOON_MS : EVERY_MS);
}

/* ---- sums that are read ---- */

static void take_sums(struct engine *engine, const struct sums *sums)
{
    for (size_t i = 0; i < sums->row_count; i++) {
        const struct sums_row *row = &sums->rows[i];
        const struct budget_rules *rules = spender_rules_for(engine, row->tenant, &row->spent);
        if (rules != NULL)
            spender_count_entry(spender_find_or_make(engine, row->tenant, rules), sums->partition,
                                row->since_ms, row->spent.value);
    }
    for (size_t i = 0; i < sums->lost_count; i++) {
        const struct sums_lost *lost = &sums->lost[i];
        const struct budget_rules *rules = spender_rules_for(engine, lost->tenant, &lost->spent);
        if (rules != NULL)
            spender_keep_lost(
                engine->budgets,
                &(struct lost_record){lost->id, spender_find_or_make(engine, lost->tenant, rules),
                                      lost->at_ms, lost->spent.value, sums->partition});
    }
}

void engine_sums_read(struct engine *engine, struct slice value, bool counts)
{
    struct budgets *budgets = engine->budgets;
    struct sums sums;
    struct reserved reserved;
    const char *why;
    if (budgets == NULL)
        return;
    arena_reset(&budgets->arena);
    if (reserved_read(&budgets->arena, value, &reserved)) {
        if (reserved.rules == budgets->rules &&
            slice_equal(reserved.usage_topic, engine->config.output.usage_topic))
            reservations_read(engine, &reserved);
        return;
    }
    arena_reset(&budgets->arena);
    if (sums_read(&budgets->arena, value, &sums, &why) != SUMS_READ ||
        sums.rules != budgets->rules ||
        !slice_equal(sums.usage_topic, engine->config.output.usage_topic))
        return;
    struct usage_log *log = log_of(budgets, sums.partition);
    if (log == NULL)
        return;
    if (counts) {
        take_sums(engine, &sums);
        budgets->sums++;
        log->next = sums.offset;
    }
    if (sums.offset > log->written) {
        log->written = sums.offset;
        log->due_ms = later(engine, EVERY_MS, SPREAD_MS);
    }
}

/* ---- sums that are written ---- */

/* What of the tenants is summed up for one partition. */
struct summing {
    struct engine *engine;
    struct sums_row *rows;
    size_t row_count, row_room;
};

static void add_row(struct summing *summing, const struct spender *spender,
                    const struct budget_spent *spent)
{
    if (summing->row_count == summing->row_room) {
        summing->row_room = summing->row_room == 0 ? 64 : 2 * summing->row_room;
        summing->rows = memory_resize(summing->rows, summing->row_room * sizeof *summing->rows);
        CHECK(summing->rows != NULL);
    }
    summing->rows[summing->row_count++] = (struct sums_row){
        .tenant = slice_of(spender->name, spender->name_len),
        .since_ms = spent->start_ms,
        .spent = spender_said(&spender->rules, spent->spent),
    };
}

/* The running span, the one before it, for workers whose clocks are behind, and later ones. */
static void add_spans(struct summing *summing, const struct spender *spender,
                      const struct portion *portion)
{
    enum budget_per per = spender->rules.per;
    int64_t running_ms = budget_start_ms(per, summing->engine->wall_ms);
    int64_t first_ms = budget_start_ms(per, running_ms - 1);
    for (size_t i = 0; i < COUNT_OF(portion->budget.spans); i++) {
        const struct budget_spent *spent = &portion->budget.spans[i];
        if (spent->spent > 0 && spent->start_ms >= first_ms)
            add_row(summing, spender, spent);
    }
}

static void add_all(struct summing *summing, int32_t partition)
{
    struct budgets *budgets = summing->engine->budgets;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct link *link = budgets->spenders[i].next; link != &budgets->spenders[i];
             link = link->next) {
            struct spender *spender = LINK_OWNER(link, struct spender, link_hash);
            const struct portion *portion = spender_portion(spender, partition);
            if (portion != NULL)
                add_spans(summing, spender, portion);
        }
}

static size_t add_lost(const struct summing *summing, int32_t partition, struct sums_lost *lost)
{
    const struct budgets *budgets = summing->engine->budgets;
    size_t count = 0;
    for (size_t i = 0; i < LOST_MAX; i++) {
        const struct lost_record *record = &budgets->lost[i];
        if (record->spender == NULL || record->partition != partition ||
            record->at_ms < summing->engine->wall_ms - LOST_AGE_MS)
            continue;
        lost[count++] = (struct sums_lost){
            .id = record->id,
            .tenant = slice_of(record->spender->name, record->spender->name_len),
            .at_ms = record->at_ms,
            .spent = spender_said(&record->spender->rules, record->amount),
        };
    }
    return count;
}

static void log_too_large(struct engine *engine, int32_t partition, struct usage_log *log)
{
    if (log->is_too_large)
        return;
    log->is_too_large = true;
    ENGINE_LOG(engine, LOG_BUDGETS_NOT_KEPT, FIELD_INT("partition", partition),
               FIELD_TEXT("topic", engine->config.output.usage_topic));
}

static void write_sums(struct engine *engine, int32_t partition, struct usage_log *log)
{
    struct summing summing = {.engine = engine};
    struct sums_lost *lost = memory_new(LOST_MAX * sizeof *lost);
    CHECK(lost != NULL);
    add_all(&summing, partition);
    struct sums sums = {
        .usage_topic = engine->config.output.usage_topic,
        .partition = partition,
        .offset = log->next,
        .rules = engine->budgets->rules,
        .wall_ms = engine->wall_ms,
        .rows = summing.rows,
        .row_count = summing.row_count,
        .lost = lost,
        .lost_count = add_lost(&summing, partition, lost),
    };
    struct output *output = NULL;
    enum err err = output_sums(&engine->config.output, &sums, &output);
    if (err == OK)
        engine->ports.sums_send(engine->ports.self, output);
    else if (err == ERR_TOO_LARGE)
        log_too_large(engine, partition, log);
    log->due_ms = later(engine, EVERY_MS, SPREAD_MS);
    memory_free(summing.rows);
    memory_free(lost);
}

/* Sums that were begun under other budgets lack what these count since. */
static bool are_sums_whole(const struct engine *engine)
{
    const struct budgets *budgets = engine->budgets;
    return tenant_budgets_hash(&engine->terms.all[engine->terms.now].tenants) == budgets->rules;
}

void budget_sums_turn(struct engine *engine)
{
    struct budgets *budgets = engine->budgets;
    if (budgets == NULL || engine->config.output.budgets_topic.ptr == NULL ||
        !budgets->is_caught_up)
        return;
    reservations_turn(engine);
    if (engine->now_ms < budgets->sums_ms || !are_sums_whole(engine))
        return;
    budgets->sums_ms = engine->now_ms + SECOND_MS;
    for (size_t i = 0; i < budgets->log_count; i++) {
        struct usage_log *log = &budgets->logs[i];
        if (log->next > log->written && engine->now_ms >= log->due_ms)
            write_sums(engine, (int32_t)i, log);
    }
}
