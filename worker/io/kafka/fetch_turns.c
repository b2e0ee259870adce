#include "io/kafka/fetch_turns.h"

#include "base/check.h"

#define BACKLOG_PART(most) ((most) / 4 * 3) /* what those with a backlog may use of the limit */
#define RECORD_BYTES       1024             /* of records, until the first one is seen */
#define SMOOTHING          8
#define LIGHT_BYTES        16384 /* not worth keeping while the limit is exceeded */

void fetch_turns_init(struct fetch_turns *turns, uint64_t most)
{
    *turns = (struct fetch_turns){.most = most, .expected = FETCH_EXPECTED_MIN};
    link_init(&turns->few);
    link_init(&turns->behind);
}

void fetch_turn_init(struct fetch_turn *turn)
{
    *turn = (struct fetch_turn){.step = FETCH_OPEN};
    link_init(&turn->link);
}

static void set_weight(struct fetch_turns *turns, struct fetch_turn *turn, uint64_t weight)
{
    turns->weight = turns->weight - turn->weight + weight;
    turn->weight = weight;
}

static void set_awaited(struct fetch_turns *turns, struct fetch_turn *turn, uint64_t awaited)
{
    turns->awaited = turns->awaited - turn->awaited + awaited;
    turn->awaited = awaited;
}

void fetch_turn_reset(struct fetch_turns *turns, struct fetch_turn *turn)
{
    size_t record_bytes = turn->record_bytes;
    uint64_t heaviest = turn->heaviest;
    set_weight(turns, turn, 0);
    set_awaited(turns, turn, 0);
    if (turn->step != FETCH_OPEN)
        turns->closed--;
    link_out(&turn->link);
    fetch_turn_init(turn);
    turn->record_bytes = record_bytes;
    turn->heaviest = heaviest;
}

static size_t smooth(size_t before, size_t now)
{
    return before == 0 ? now : (before * (SMOOTHING - 1) + now) / SMOOTHING;
}

void fetch_turn_take(struct fetch_turns *turns, struct fetch_turn *turn, size_t bytes)
{
    set_awaited(turns, turn, 0);
    turn->taken++;
    turn->record_bytes = smooth(turn->record_bytes, bytes);
    turns->record_bytes = smooth(turns->record_bytes, bytes);
}

void fetch_turn_await_none(struct fetch_turns *turns, struct fetch_turn *turn)
{
    set_awaited(turns, turn, 0);
}

static void be_empty(struct fetch_turns *turns, struct fetch_turn *turn, int64_t now_ms)
{
    set_weight(turns, turn, 0);
    turn->records = 0;
    turn->taken = 0;
    if (now_ms - turn->since_ms >= FETCH_TURN_WAIT_MS)
        set_awaited(turns, turn, 0);
}

static size_t record_bytes(const struct fetch_turns *turns, const struct fetch_turn *turn)
{
    if (turn->record_bytes > 0)
        return turn->record_bytes;
    return turns->record_bytes > 0 ? turns->record_bytes : RECORD_BYTES;
}

void fetch_turn_weigh(struct fetch_turns *turns, struct fetch_turn *turn, size_t records,
                      int64_t now_ms)
{
    CHECK(turn->step == FETCH_OPEN);
    if (records == 0) {
        be_empty(turns, turn, now_ms);
        return;
    }
    bool was_empty = turn->records == 0;
    if (was_empty)
        turn->since_ms = now_ms;
    set_awaited(turns, turn, 0);
    if (records > turn->records)
        turn->records = records;
    set_weight(turns, turn, turn->records * (record_bytes(turns, turn) + FETCH_RECORD_BESIDE));
    if (was_empty)
        turns->expected = smooth(turns->expected, turn->weight);
    if (turn->weight > turn->heaviest)
        turn->heaviest = turn->weight;
}

bool fetch_turn_must_wait(const struct fetch_turns *turns, const struct fetch_turn *turn)
{
    bool is_light = turn->weight < LIGHT_BYTES;
    return turn->step == FETCH_OPEN && is_light && turns->weight > turns->most;
}

bool fetch_turn_is_over(const struct fetch_turns *turns, const struct fetch_turn *turn,
                        int64_t now_ms)
{
    bool is_urgent = turns->weight > turns->most || !link_alone(&turns->few);
    int64_t limit_ms = is_urgent ? FETCH_TURN_LEAST_MS : FETCH_TURN_MS;
    if (turn->step != FETCH_OPEN || turn->records == 0 || turns->closed == 0)
        return false;
    return turn->taken >= FETCH_TURN_RECORDS || now_ms - turn->since_ms >= limit_ms;
}

void fetch_turn_end(struct fetch_turns *turns, struct fetch_turn *turn, bool has_few)
{
    CHECK(turn->step == FETCH_OPEN);
    struct link *list = has_few ? &turns->few : &turns->behind;
    bool had_no_time = turn->records == 0 ? turn->awaited > 0 : turn->taken == 0;
    bool is_next = turn->weight < LIGHT_BYTES && had_no_time;
    fetch_turn_reset(turns, turn);
    turn->step = has_few ? FETCH_CLOSED_FEW : FETCH_CLOSED;
    if (is_next)
        list_add_first(list, &turn->link);
    else
        list_add_last(list, &turn->link);
    turns->closed++;
}

/* What a partition brings when it is opened: a batch at least. */
static uint64_t expected_of(const struct fetch_turns *turns, const struct fetch_turn *turn)
{
    uint64_t expected = turn->heaviest > 0 ? turn->heaviest : turns->expected;
    return expected > FETCH_EXPECTED_MIN ? expected : FETCH_EXPECTED_MIN;
}

struct fetch_turn *fetch_turns_next(struct fetch_turns *turns, int64_t now_ms)
{
    uint64_t used = turns->weight + turns->awaited, most = turns->most;
    struct link *next = list_first(&turns->few);
    if (next == NULL) {
        next = list_first(&turns->behind);
        most = BACKLOG_PART(most);
    }
    if (next == NULL)
        return NULL;
    struct fetch_turn *turn = LINK_OWNER(next, struct fetch_turn, link);
    uint64_t expected = expected_of(turns, turn);
    if (used > 0 && used + expected > most)
        return NULL;
    fetch_turn_reset(turns, turn);
    set_awaited(turns, turn, expected);
    turn->since_ms = now_ms;
    return turn;
}
