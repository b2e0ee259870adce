/* The ledger, exhaustively: every order in which few messages can be taken, begun, failed,
 * answered, cut, committed and aborted, with owners that die at any moment, their batch committed
 * or not. A model beside it knows the truth; every committed batch and the state that the next
 * owner finds are compared with it. */
#include "unit/unit.h"

#include <stdlib.h>

#include "base/check.h"
#include "engine/ledger.h"

#define MESSAGES_MAX 5
#define MAP_MAX      64
#define MAP_LIMIT    256
#define SEEN_SLOTS   (1U << 21)
#define STACK_MAX    100000

/* The true state of one message. */
struct message {
    bool is_taken, is_running, is_finished, is_in_batch;
    bool is_answered;         /* its answer is committed */
    bool is_lost;             /* a dead owner's call that is not recorded */
    uint8_t deaths;           /* dead owners' calls that are recorded */
    uint8_t unrecorded;       /* own calls that ended */
    uint8_t attempts;         /* of this owner */
    uint8_t recorded;         /* in the open batch: own calls */
    bool is_lost_recorded;    /* in the open batch: the dead owner's call */
    uint8_t committed_deaths; /* as the last commit has it */
    bool is_committed_running;
    uint8_t batch_deaths; /* as the open batch has it */
    bool is_batch_running;
};

struct map_text {
    int64_t offset;
    uint8_t len;
    char bytes[MAP_MAX];
};

/* The whole state, flat, so that states can be compared byte by byte. */
struct state {
    struct ledger_entry entries[MESSAGES_MAX];
    size_t count, cost;
    int64_t next, map_last;
    bool is_changed, is_batch_open;
    struct map_text committed, batch;
    struct message messages[MESSAGES_MAX];
    uint8_t position; /* of the next message to come */
    bool is_end_known;
    uint8_t crashes;
};

struct plan {
    const int64_t *offsets; /* of the messages, ascending */
    size_t count;
    int64_t end;     /* of the log; markers behind the last message */
    int crashes_max; /* 0: a successor takes every message and does no more */
    int attempts_max;
    bool may_fail;
};

static const struct plan *plan;
static struct ledger ledger;
static struct state *stack;
static size_t stack_count;
static uint64_t *seen;
static size_t seen_count;
static uint64_t commits, reopenings;

/* ---- states ---- */

static uint64_t hash_of(const struct state *state)
{
    struct slice bytes = slice_of((const char *)state, sizeof *state);
    return slice_hash(bytes, 1) | 1;
}

static bool is_new(const struct state *state)
{
    uint64_t hash = hash_of(state);
    size_t place = hash >> 20 & (SEEN_SLOTS - 1);
    while (seen[place] != 0) {
        if (seen[place] == hash)
            return false;
        place = (place + 1) & (SEEN_SLOTS - 1);
    }
    seen[place] = hash;
    assert_true(++seen_count < SEEN_SLOTS / 2);
    return true;
}

static void load(const struct state *state)
{
    memcpy(ledger.entries, state->entries, state->count * sizeof *ledger.entries);
    ledger.count = state->count;
    ledger.cost = state->cost;
    ledger.next = state->next;
    ledger.map_last = state->map_last;
    ledger.is_changed = state->is_changed;
    ledger.committed_offset = state->committed.offset;
    buf_reset(&ledger.committed_map);
    buf_add(&ledger.committed_map, slice_of(state->committed.bytes, state->committed.len));
}

/* Keeps the ledger's state if it is a new one. */
static void save(struct state *state)
{
    assert_true(ledger.count <= MESSAGES_MAX);
    memset(state->entries, 0, sizeof state->entries);
    for (size_t i = 0; i < ledger.count; i++) { /* member by member: no padding */
        state->entries[i].offset = ledger.entries[i].offset;
        state->entries[i].job = ledger.entries[i].job;
        state->entries[i].state = ledger.entries[i].state;
        state->entries[i].deaths = ledger.entries[i].deaths;
        state->entries[i].is_running = ledger.entries[i].is_running;
        state->entries[i].was_running = ledger.entries[i].was_running;
        state->entries[i].unrecorded = ledger.entries[i].unrecorded;
    }
    state->count = ledger.count;
    state->cost = ledger.cost;
    state->next = ledger.next;
    state->map_last = ledger.map_last;
    state->is_changed = ledger.is_changed;
    if (!is_new(state))
        return;
    CHECK(stack_count < STACK_MAX);
    stack[stack_count++] = *state;
}

/* ---- a commit must be true ---- */

static void check_map(const struct state *state)
{
    struct offset_open open[MESSAGES_MAX];
    size_t count = 0;
    int64_t last;
    const struct map_text *map = &state->committed;
    assert_int_equal(offset_map_read(slice_of(map->bytes, map->len), map->offset, open,
                                     MESSAGES_MAX, &count, &last),
                     OK);
    size_t next = 0;
    for (size_t i = 0; i < plan->count; i++) {
        int64_t offset = plan->offsets[i];
        const struct message *message = &state->messages[i];
        bool is_open = next < count && open[next].offset == offset;
        bool is_done = offset < map->offset || (offset <= last && !is_open);
        assert_int_equal(is_done, message->is_answered);
        uint8_t begun = is_open ? open[next].begun : 0;
        bool is_running = is_open && open[next].is_under_way;
        assert_int_equal(begun,
                         message->committed_deaths + (message->is_committed_running ? 1 : 0));
        assert_int_equal(is_running, message->is_committed_running);
        next += is_open;
    }
    assert_int_equal(next, count); /* every open offset is a message's */
    assert_true(map->offset <= plan->end);
}

/* ---- the moves ---- */

/* The next message comes with its history; never one that is answered. */
static void check_taken(struct state *state, size_t i)
{
    struct message *message = &state->messages[i];
    assert_true(ledger_room(&ledger) > 0 && ledger_fits(&ledger, plan->offsets[i]));
    struct ledger_taken taken = ledger_take(&ledger, plan->offsets[i], (uint32_t)i);
    assert_int_equal(taken.is_open, !message->is_answered);
    if (taken.is_open) {
        assert_int_equal(ledger_find(&ledger, plan->offsets[i])->state, LEDGER_HELD);
        assert_int_equal(taken.begun, message->deaths + message->is_lost);
        assert_int_equal(taken.was_running, message->is_lost);
        message->is_taken = true;
    }
    assert_false(ledger_take(&ledger, plan->offsets[i], 9).is_open); /* again: a repetition */
}

static void take(struct state state)
{
    size_t i = state.position++;
    load(&state);
    check_taken(&state, i);
    save(&state);
}

static void tell_end(struct state state)
{
    load(&state);
    ledger_end(&ledger, plan->end);
    state.is_end_known = true;
    save(&state);
}

static void begin(struct state state, size_t i)
{
    state.messages[i].is_running = true;
    state.messages[i].attempts++;
    load(&state);
    ledger_begin(&ledger, plan->offsets[i]);
    save(&state);
}

static void fail_call(struct state state, size_t i, bool has_usage)
{
    state.messages[i].is_running = false;
    state.messages[i].unrecorded = (uint8_t)(state.messages[i].unrecorded + has_usage);
    load(&state);
    ledger_call_ended(&ledger, plan->offsets[i], has_usage);
    save(&state);
}

static void answer(struct state state, size_t i)
{
    struct message *message = &state.messages[i];
    load(&state);
    if (message->is_running) {
        ledger_call_ended(&ledger, plan->offsets[i], true);
        message->unrecorded++;
    }
    ledger_finish(&ledger, plan->offsets[i]);
    message->is_running = false;
    message->is_finished = true;
    save(&state);
}

static void book(struct message *message, size_t i)
{
    for (; message->unrecorded > 0; message->unrecorded--, message->recorded++)
        ledger_record(&ledger, plan->offsets[i], false);
    if (message->is_lost) {
        ledger_record(&ledger, plan->offsets[i], true);
        message->is_lost = false;
        message->is_lost_recorded = true;
        message->deaths++;
    }
}

/* The answers of `mask` are published, with usage for these or for all. */
static void cut(struct state state, unsigned mask, bool books_all)
{
    load(&state);
    for (size_t i = 0; i < plan->count; i++) {
        struct message *message = &state.messages[i];
        bool goes = mask >> i & 1;
        if (message->is_taken && (goes || books_all))
            book(message, i);
        if (goes) {
            ledger_put_in_batch(&ledger, plan->offsets[i]);
            message->is_in_batch = true;
        }
        message->is_batch_running =
            !goes && !message->is_answered &&
            (message->is_running || message->is_lost || message->unrecorded > 0);
        message->batch_deaths = goes || message->is_answered ? 0 : message->deaths;
    }
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, MAP_MAX);
    assert_int_equal(ledger_add_map(&ledger, &(struct offset_map_stamp){.nonce = 0}, &map), OK);
    state.is_batch_open = true;
    state.batch.offset = ledger_front(&ledger);
    state.batch.len = (uint8_t)map.len;
    memset(state.batch.bytes, 0, sizeof state.batch.bytes);
    memcpy(state.batch.bytes, map.ptr, map.len);
    ledger.is_changed = false;
    save(&state);
}

/* The broker has the batch. */
static void make(struct state *state)
{
    commits++;
    state->committed = state->batch;
    memset(&state->batch, 0, sizeof state->batch);
    state->is_batch_open = false;
    for (size_t i = 0; i < plan->count; i++) {
        struct message *message = &state->messages[i];
        message->is_answered = message->is_answered || message->is_in_batch;
        message->committed_deaths = message->batch_deaths;
        message->is_committed_running = message->is_batch_running;
        message->batch_deaths = 0;
        message->is_batch_running = false;
        message->recorded = 0;
        message->is_lost_recorded = false;
        if (message->is_answered)
            *message = (struct message){.is_answered = true};
    }
    check_map(state);
}

static void commit(struct state state)
{
    load(&state);
    struct slice map = slice_of(state.batch.bytes, state.batch.len);
    ledger_commit(&ledger, state.batch.offset, map);
    assert_true(ledger_agrees(&ledger, state.batch.offset, map));
    make(&state);
    save(&state);
}

static void abort_batch(struct state state)
{
    load(&state);
    ledger_abort(&ledger);
    for (size_t i = 0; i < plan->count; i++) {
        struct message *message = &state.messages[i];
        message->is_in_batch = false;
        for (; message->recorded > 0; message->recorded--, message->unrecorded++)
            ledger_unrecord(&ledger, plan->offsets[i], false);
        if (message->is_lost_recorded) {
            ledger_unrecord(&ledger, plan->offsets[i], true);
            message->is_lost_recorded = false;
            message->is_lost = true;
            message->deaths--;
        }
        message->batch_deaths = 0;
        message->is_batch_running = false;
    }
    memset(&state.batch, 0, sizeof state.batch);
    state.is_batch_open = false;
    assert_true(ledger.is_changed);
    save(&state);
}

/* The owner dies; the next one knows what the broker has. */
static void crash(struct state state, bool makes_batch)
{
    if (makes_batch)
        make(&state);
    reopenings++;
    state.crashes++;
    memset(&state.batch, 0, sizeof state.batch);
    state.is_batch_open = false;
    for (size_t i = 0; i < plan->count; i++) {
        struct message *message = &state.messages[i];
        *message = (struct message){.is_answered = message->is_answered,
                                    .deaths = message->committed_deaths,
                                    .is_lost = message->is_committed_running,
                                    .committed_deaths = message->committed_deaths,
                                    .is_committed_running = message->is_committed_running};
    }
    struct map_text *map = &state.committed;
    assert_int_equal(ledger_open(&ledger, map->offset, slice_of(map->bytes, map->len)), OK);
    assert_true(ledger_agrees(&ledger, map->offset, slice_of(map->bytes, map->len)));
    assert_true(ledger_front(&ledger) >= map->offset);
    state.is_end_known = false;
    state.position = 0;
    while (state.position < plan->count && plan->offsets[state.position] < map->offset) {
        assert_true(state.messages[state.position].is_answered);
        state.position++;
    }
    if (plan->crashes_max > 0) {
        save(&state);
        return;
    }
    for (size_t i = state.position; i < plan->count; i++)
        check_taken(&state, i);
}

/* ---- every order ---- */

static void cuts_of(const struct state *state)
{
    unsigned finished = 0;
    for (size_t i = 0; i < plan->count; i++)
        if (state->messages[i].is_finished)
            finished |= 1U << i;
    cut(*state, finished, true);
    if (finished == 0)
        return;
    cut(*state, finished & -finished, false);
}

static void moves_of(const struct state *state)
{
    if (state->position < plan->count)
        take(*state);
    else if (!state->is_end_known)
        tell_end(*state);
    for (size_t i = 0; i < plan->count; i++) {
        const struct message *message = &state->messages[i];
        if (!message->is_taken || message->is_finished)
            continue;
        if (message->is_running || message->attempts == 0)
            answer(*state, i);
        if (!message->is_running && message->attempts < plan->attempts_max)
            begin(*state, i);
        if (message->is_running && plan->may_fail) {
            fail_call(*state, i, false);
            fail_call(*state, i, true);
        }
    }
    if (state->is_batch_open) {
        commit(*state);
        abort_batch(*state);
    } else if (state->is_changed) {
        cuts_of(state);
    }
    if (state->crashes < plan->crashes_max || plan->crashes_max == 0) {
        crash(*state, false);
        if (state->is_batch_open)
            crash(*state, true);
    }
}

/* With nothing left to do everything is committed, to the end of the log. */
static void check_end(const struct state *state)
{
    for (size_t i = 0; i < plan->count; i++)
        if (!state->messages[i].is_answered)
            return;
    if (!state->is_end_known || state->is_batch_open || state->is_changed)
        return;
    assert_true(state->committed.offset == plan->end);
    assert_int_equal(state->count, 0);
}

static void explore(const struct plan *of)
{
    plan = of;
    stack = calloc(STACK_MAX, sizeof *stack);
    seen = calloc(SEEN_SLOTS, sizeof *seen);
    assert_non_null(stack);
    assert_non_null(seen);
    stack_count = seen_count = 0;
    commits = reopenings = 0;
    assert_int_equal(ledger_init(&ledger, MAP_LIMIT), OK);
    struct state *first = calloc(1, sizeof *first);
    assert_non_null(first);
    first->committed.offset = -1;
    assert_int_equal(ledger_open(&ledger, -1, SLICE_NULL), OK);
    save(first);
    while (stack_count > 0) {
        *first = stack[--stack_count];
        moves_of(first);
        check_end(first);
    }
    print_message("%zu states, %llu commits, %llu reopenings\n", seen_count,
                  (unsigned long long)commits, (unsigned long long)reopenings);
    assert_true(commits > 1000 && reopenings > 1000);
    free(first);
    free(stack);
    free(seen);
    ledger_done(&ledger);
}

static void five_messages_survive_a_crash_anywhere_in_any_order(void **state)
{
    (void)state;
    static const int64_t OFFSETS[] = {0, 1, 2, 3, 4};
    explore(&(struct plan){OFFSETS, 5, 5, 0, 1, false});
}

static void four_messages_with_gaps_and_end_markers_survive_a_crash(void **state)
{
    (void)state;
    static const int64_t OFFSETS[] = {3, 4, 60, 5000};
    explore(&(struct plan){OFFSETS, 4, 5003, 0, 1, false});
}

static void maps_stay_true_through_three_owners(void **state)
{
    (void)state;
    static const int64_t OFFSETS[] = {0, 1, 3};
    explore(&(struct plan){OFFSETS, 3, 4, 1, 1, false});
    explore(&(struct plan){OFFSETS, 2, 4, 3, 1, false});
}

static void maps_stay_true_through_failed_calls_and_repeated_deaths(void **state)
{
    (void)state;
    static const int64_t OFFSETS[] = {0, 2};
    explore(&(struct plan){OFFSETS, 2, 4, 1, 2, true});
    explore(&(struct plan){OFFSETS, 1, 4, 4, 2, true});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_messages_survive_a_crash_anywhere_in_any_order),
        cmocka_unit_test(four_messages_with_gaps_and_end_markers_survive_a_crash),
        cmocka_unit_test(maps_stay_true_through_three_owners),
        cmocka_unit_test(maps_stay_true_through_failed_calls_and_repeated_deaths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
