#include "engine/reservations.h"

#include <string.h>

#include "base/check.h"
#include "base/memory.h"

#define EVERY_MS  500
#define ALONE_MS  5000  /* from then on a worker goes on whom nobody seems to hear */
#define AGAIN_MS  10000 /* it is said again, also that nothing is reserved */
#define FORGET_MS 25000 /* other workers of which nothing is heard: at least two records, … */
#define BEHIND_MS                                                                                  \
    15000 /* … and so long behind their session, until their lost calls are recorded */
#define DEAF_MS  30000 /* none of its own records came back: the others may not hear it */
#define STALE_MS 5000  /* a record that was not read again until then is lost */

/* Another worker. */
struct peer {
    struct link link;
    struct uuid life;
    int64_t heard_ms;
    struct peer_row {
        struct spender *spender;
        int64_t amount;
    } * rows;
    size_t count;
};

void reservations_init(struct engine *engine, struct budgets *budgets)
{
    link_init(&budgets->peers);
    budgets->known_ms = -1;
    budgets->telling.sent_ms = budgets->telling.behind_ms = -1;
    budgets->telling.began_ms = INT64_MAX - ALONE_MS;
    uuid_new(&budgets->telling.life, engine->wall_ms, &engine->random);
}

/* ---- the others ---- */

static void forget_rows(struct budgets *budgets, struct peer *peer)
{
    for (size_t i = 0; i < peer->count; i++) {
        struct spender *spender = peer->rows[i].spender;
        budget_note_others(&spender->budget, -peer->rows[i].amount);
        spender->users--;
        spender_check_soon(budgets, spender);
    }
    memory_free(peer->rows);
    peer->rows = NULL;
    peer->count = 0;
}

static void forget(struct budgets *budgets, struct peer *peer)
{
    forget_rows(budgets, peer);
    link_out(&peer->link);
    budgets->peer_count--;
    memory_free(peer);
}

void reservations_free(struct budgets *budgets)
{
    while (!link_alone(&budgets->peers))
        forget(budgets, LINK_OWNER(budgets->peers.next, struct peer, link));
}

static struct peer *peer_of(struct budgets *budgets, struct slice life)
{
    for (struct link *link = budgets->peers.next; link != &budgets->peers; link = link->next) {
        struct peer *peer = LINK_OWNER(link, struct peer, link);
        if (slice_equal(uuid_slice(&peer->life), life))
            return peer;
    }
    struct peer *peer = memory_new(sizeof *peer);
    CHECK(peer != NULL);
    memcpy(peer->life.text, life.ptr, UUID_TEXT_LEN);
    list_add_last(&budgets->peers, &peer->link);
    budgets->peer_count++;
    return peer;
}

/* What they have reserved of budgets that this worker has, too. */
static void take_rows(struct engine *engine, struct peer *peer, const struct reserved *reserved)
{
    forget_rows(engine->budgets, peer);
    if (reserved->row_count == 0)
        return;
    peer->rows = memory_new(reserved->row_count * sizeof *peer->rows);
    CHECK(peer->rows != NULL);
    for (size_t i = 0; i < reserved->row_count; i++) {
        const struct sums_row *row = &reserved->rows[i];
        const struct budget_rules *rules = spender_rules_for(engine, row->tenant, &row->spent);
        if (rules == NULL)
            continue;
        struct spender *spender = spender_find_or_make(engine, row->tenant, rules);
        spender->users++;
        budget_note_others(&spender->budget, row->spent.value);
        peer->rows[peer->count++] = (struct peer_row){spender, row->spent.value};
    }
}

/* ---- this worker's own ---- */

/* Its record has come back: what it says is known to the others when the time has passed in which
 * anything that they reserved without knowing it has been heard of. */
static void note_read(struct engine *engine, const struct reserved *reserved)
{
    struct telling *telling = &engine->budgets->telling;
    if (reserved->number != telling->number || telling->sent_ms < 0)
        return;
    int64_t took_ms = engine->now_ms - telling->sent_ms;
    telling->points[telling->next_point] = (struct known_point){
        .sent_ms = telling->sent_ms, .known_ms = engine->now_ms + EVERY_MS + 2 * took_ms};
    telling->next_point = (telling->next_point + 1) % KNOWN_POINTS;
    telling->sent_ms = -1;
    telling->heard_ms = engine->now_ms;
}

void reservations_read(struct engine *engine, const struct reserved *reserved)
{
    struct budgets *budgets = engine->budgets;
    if (slice_equal(reserved->worker, uuid_slice(&budgets->telling.life))) {
        note_read(engine, reserved);
        return;
    }
    struct peer *peer = peer_of(budgets, reserved->worker);
    peer->heard_ms = engine->now_ms;
    take_rows(engine, peer, reserved);
}

/* What was reserved before a point whose time has come is known. */
static void advance_known(struct engine *engine)
{
    struct budgets *budgets = engine->budgets;
    int64_t known_ms = budgets->known_ms;
    for (size_t i = 0; i < KNOWN_POINTS; i++) {
        const struct known_point *point = &budgets->telling.points[i];
        if (point->known_ms > 0 && point->known_ms <= engine->now_ms && point->sent_ms > known_ms)
            known_ms = point->sent_ms;
    }
    if (budgets->telling.sent_ms >= 0 && engine->now_ms - budgets->telling.heard_ms > DEAF_MS) {
        memset(budgets->telling.points, 0, sizeof budgets->telling.points);
        known_ms = -1;
    }
    if (known_ms == budgets->known_ms)
        return;
    budgets->known_ms = known_ms;
    for (struct link *link = budgets->held.next; link != &budgets->held; link = link->next)
        spender_check_soon(budgets, LINK_OWNER(link, struct spender, link_held));
}

/* All that is reserved; the caller frees it. *ret_hash 0 = nothing is. */
static struct sums_row *list_all(const struct budgets *budgets, size_t *ret_count,
                                 uint64_t *ret_hash)
{
    struct sums_row *rows = memory_new((budgets->spender_count + 1) * sizeof *rows);
    CHECK(rows != NULL);
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct link *link = budgets->spenders[i].next; link != &budgets->spenders[i];
             link = link->next) {
            const struct spender *spender = LINK_OWNER(link, struct spender, link_hash);
            int64_t amount = spender->budget.reserved;
            if (amount == 0)
                continue;
            rows[(*ret_count)++] = (struct sums_row){
                .tenant = slice_of(spender->name, spender->name_len),
                .spent = spender_said(&spender->rules, amount),
            };
            *ret_hash = slice_hash(slice_of(&amount, sizeof amount), *ret_hash ^ spender->hash) | 1;
        }
    return rows;
}

static void tell(struct engine *engine, const struct sums_row *rows, size_t count)
{
    struct telling *telling = &engine->budgets->telling;
    const struct reserved reserved = {
        .usage_topic = engine->config.output.usage_topic,
        .rules = engine->budgets->rules,
        .worker = uuid_slice(&telling->life),
        .number = ++telling->number,
        .wall_ms = engine->wall_ms,
        .rows = rows,
        .row_count = count,
    };
    struct output *output = NULL;
    telling->sent_ms = telling->behind_ms = engine->now_ms;
    telling->again_ms = engine->now_ms + AGAIN_MS;
    if (output_reserved(&engine->config.output, &reserved, engine->config.transactional_id,
                        &output) == OK)
        engine->ports.sums_send(engine->ports.self, output);
}

static void tell_changes(struct engine *engine)
{
    struct telling *telling = &engine->budgets->telling;
    bool was_sent = telling->sent_ms >= 0;
    if (engine->now_ms < telling->due_ms ||
        (was_sent && engine->now_ms < telling->sent_ms + STALE_MS))
        return;
    size_t count = 0;
    uint64_t hash = 0;
    struct sums_row *rows = list_all(engine->budgets, &count, &hash);
    telling->due_ms = engine->now_ms + EVERY_MS;
    if (hash != telling->said || was_sent || engine->now_ms >= telling->again_ms) {
        tell(engine, rows, count);
        telling->said = hash;
    }
    memory_free(rows);
}

void reservations_turn(struct engine *engine)
{
    struct budgets *budgets = engine->budgets;
    if (budgets->telling.number == 0)
        budgets->telling.began_ms = engine->now_ms;
    int64_t forget_ms = 2 * engine->config.stall_ms + BEHIND_MS; /* half of a session is a stall */
    forget_ms = forget_ms > FORGET_MS ? forget_ms : FORGET_MS;
    for (struct link *link = budgets->peers.next; link != &budgets->peers;) {
        struct peer *peer = LINK_OWNER(link, struct peer, link);
        link = link->next;
        if (engine->now_ms - peer->heard_ms > forget_ms)
            forget(budgets, peer);
    }
    advance_known(engine);
    tell_changes(engine);
}

bool reservations_are_shared(const struct engine *engine)
{
    const struct budgets *budgets = engine->budgets;
    return engine->config.output.budgets_topic.ptr == NULL || budgets->known_ms >= 0 ||
           engine->now_ms >= budgets->telling.began_ms + ALONE_MS;
}
