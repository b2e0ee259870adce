#include "engine/ledger.h"

#include "base/check.h"
#include "base/memory.h"
#include "engine/ledger_parts.h"

#define ENTRIES_MIN 64

enum err ledger_init(struct ledger *ledger, size_t map_bytes_max)
{
    CHECK(map_bytes_max > OFFSET_MAP_HEAD_LEN + LEDGER_RECORD_COST_MAX + OFFSET_MAP_GAP_COST_MAX);
    *ledger = (struct ledger){
        .map_last = -1,
        .committed_offset = -1,
        .map_bytes_max = map_bytes_max,
        .entries = memory_new(ENTRIES_MIN * sizeof(struct ledger_entry)),
        .room = ENTRIES_MIN,
    };
    link_init(&ledger->link_changed);
    buf_init(&ledger->committed_map, LEDGER_MAP_BYTES_MAX);
    return ledger->entries == NULL ? ERR_NO_MEMORY : OK;
}

void ledger_change(struct ledger *ledger)
{
    ledger->is_changed = true;
    if (ledger->changes != NULL && link_alone(&ledger->link_changed))
        list_add_last(ledger->changes, &ledger->link_changed);
}

void ledger_done(struct ledger *ledger)
{
    if (ledger->changes != NULL)
        link_out(&ledger->link_changed);
    memory_free(ledger->entries);
    buf_done(&ledger->committed_map);
    ledger->entries = NULL;
}

static int64_t top(const struct ledger *ledger)
{
    return ledger->next - 1 > ledger->map_last ? ledger->next - 1 : ledger->map_last;
}

int64_t ledger_front(const struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->count; i++)
        if (ledger->entries[i].state != LEDGER_IN_BATCH)
            return ledger->entries[i].offset;
    return top(ledger) + 1;
}

int64_t ledger_backlog(const struct ledger *ledger, int64_t high)
{
    int64_t unseen = high - (top(ledger) + 1);
    return (int64_t)ledger->count + (unseen > 0 ? unseen : 0);
}

int64_t ledger_fill(const struct ledger *ledger)
{
    size_t bytes = ledger->count == 0 ? 0 : OFFSET_MAP_HEAD_LEN + ledger->cost;
    size_t thousandths = bytes * 1000 / ledger->map_bytes_max;
    return thousandths > 1000 ? 1000 : (int64_t)thousandths;
}

/* The gap behind the last entry. */
static size_t end_cost(const struct ledger *ledger)
{
    if (ledger->count == 0)
        return 0;
    return offset_map_gap_cost(ledger->entries[ledger->count - 1].offset, top(ledger) + 1);
}

static void count_cost(struct ledger *ledger)
{
    size_t cost = ledger->count;
    for (size_t i = 1; i < ledger->count; i++)
        cost += offset_map_gap_cost(ledger->entries[i - 1].offset, ledger->entries[i].offset);
    ledger->cost = cost + end_cost(ledger);
}

size_t ledger_map_bound(const struct ledger *ledger)
{
    return OFFSET_MAP_HEAD_LEN + ledger->cost;
}

static struct ledger_entry *entry_add(struct ledger *ledger, int64_t offset)
{
    if (ledger->count == ledger->room) {
        size_t room = ledger->room * 2;
        struct ledger_entry *entries =
            memory_resize(ledger->entries, room * sizeof(struct ledger_entry));
        CHECK(entries != NULL);
        ledger->entries = entries;
        ledger->room = room;
    }
    struct ledger_entry *entry = &ledger->entries[ledger->count++];
    *entry = (struct ledger_entry){.offset = offset, .job = LEDGER_NO_JOB};
    return entry;
}

/* Reads a map's open offsets; the caller frees *ret_open. Runs of a map may name many offsets:
 * reads again with more room if the map needs it and LEDGER_OPEN_MAX allows it. */
static enum err read_map(struct slice metadata, int64_t offset, struct offset_open **ret_open,
                         size_t *ret_count, int64_t *ret_last)
{
    size_t room = metadata.len + 1;
    *ret_open = memory_new(room * sizeof **ret_open);
    CHECK(*ret_open != NULL);
    enum err err = offset_map_read(metadata, offset, *ret_open, room, ret_count, ret_last);
    if (err != ERR_TOO_LARGE)
        return err;
    if (*ret_count > LEDGER_OPEN_MAX)
        return ERR_FORMAT;
    room = *ret_count;
    memory_free(*ret_open);
    *ret_open = memory_new(room * sizeof **ret_open);
    CHECK(*ret_open != NULL);
    return offset_map_read(metadata, offset, *ret_open, room, ret_count, ret_last);
}

enum err ledger_open(struct ledger *ledger, int64_t offset, struct slice metadata)
{
    ledger->count = 0;
    ledger->committed_offset = offset;
    ledger->next = offset < 0 ? 0 : offset;
    ledger->map_last = -1;
    ledger->last_record = ledger->next - 1;
    ledger->last_epoch = -1;
    ledger->is_changed = ledger->is_recreated = ledger->has_bw1 = false;
    ledger->stamp = (struct offset_map_stamp){.second = 0};
    buf_reset(&ledger->committed_map);
    buf_add(&ledger->committed_map, metadata);
    struct offset_open *open;
    size_t count;
    int64_t last;
    enum err err = read_map(metadata, offset, &open, &count, &last);
    if (err == OK) {
        struct offset_map_head head;
        CHECK(offset_map_read_head(metadata, &head) == OK);
        ledger->stamp = head.stamp;
        ledger->has_bw1 = head.number == 1;
        ledger->map_last = last;
        for (size_t i = 0; i < count; i++) {
            struct ledger_entry *entry = entry_add(ledger, open[i].offset);
            entry->was_running = open[i].is_under_way;
            entry->was_marked = open[i].is_marked;
            entry->deaths = (uint8_t)(open[i].begun - (open[i].is_under_way ? 1 : 0));
        }
    }
    memory_free(open);
    count_cost(ledger);
    return err == ERR_NOT_FOUND ? OK : err;
}

size_t ledger_committed_running(const struct ledger *ledger, int64_t offset, struct slice map,
                                struct offset_open **ret_open)
{
    size_t count, kept = 0;
    int64_t last;
    if (read_map(map, offset, ret_open, &count, &last) != OK)
        return 0;
    for (size_t i = 0; i < count; i++) {
        const struct offset_open *open = &(*ret_open)[i];
        const struct ledger_entry *entry = ledger_find(ledger, open->offset);
        if (!open->is_under_way || entry == NULL || entry->was_running)
            continue;
        if (open->begun == entry->deaths + 1 || ledger_has_spent(entry, open->begun))
            (*ret_open)[kept++] = *open;
    }
    return kept;
}

bool ledger_agrees(const struct ledger *ledger, int64_t offset, struct slice metadata)
{
    struct slice own = buf_slice(&ledger->committed_map);
    if (ledger->is_recreated && offset < 0 && metadata.len == 0)
        return true; /* the broker deletes the offsets of a deleted topic after some time */
    return offset == ledger->committed_offset &&
           (own.len == metadata.len && (own.len == 0 || slice_equal(own, metadata)));
}

/* Index of the first entry at or above `offset`. */
static size_t place_of(const struct ledger *ledger, int64_t offset)
{
    size_t low = 0;
    size_t high = ledger->count;
    if (high == 0 || ledger->entries[high - 1].offset < offset)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ledger->entries[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Removes the unknown entries below `offset`: the log does not have their records any more. Those
 * below `next` are known. */
static void drop_unknown_below(struct ledger *ledger, int64_t offset)
{
    size_t kept = place_of(ledger, ledger->next);
    for (size_t i = kept; i < ledger->count; i++) {
        struct ledger_entry *entry = &ledger->entries[i];
        if (entry->offset >= offset && kept == i)
            return;
        if (entry->offset < offset && entry->state == LEDGER_UNKNOWN)
            continue;
        ledger->entries[kept++] = *entry;
    }
    if (kept != ledger->count)
        ledger_change(ledger);
    ledger->count = kept;
}

int64_t ledger_truncate(struct ledger *ledger, int64_t low)
{
    int64_t lost = 0;
    int64_t from = ledger->next;
    for (size_t i = 0; i < ledger->count; i++)
        if (ledger->entries[i].state == LEDGER_UNKNOWN && ledger->entries[i].offset < low)
            lost++;
    int64_t unknown_from = ledger->map_last + 1 > from ? ledger->map_last + 1 : from;
    if (low > unknown_from)
        lost += low - unknown_from;
    drop_unknown_below(ledger, low);
    if (low > ledger->next) {
        ledger->next = low;
        ledger_change(ledger);
    }
    count_cost(ledger);
    return lost;
}

void ledger_set_epoch(struct ledger *ledger, int32_t epoch)
{
    ledger->last_epoch = epoch;
}

void ledger_see(struct ledger *ledger, int64_t offset, int32_t epoch)
{
    if (offset <= ledger->last_record)
        return;
    ledger->last_record = offset;
    if (epoch < 0 || epoch > ledger->last_epoch)
        ledger->last_epoch = epoch;
}

int32_t ledger_epoch(const struct ledger *ledger, int64_t front)
{
    return front <= ledger->last_record + 1 ? ledger->last_epoch : -1;
}

bool ledger_is_cut_at(const struct ledger *ledger, int64_t offset, int32_t epoch)
{
    return offset <= ledger->map_last && ledger->last_epoch >= 0 && epoch > ledger->last_epoch;
}

int64_t ledger_cut(struct ledger *ledger, int64_t end)
{
    int64_t covered = top(ledger) + 1 - end;
    if (covered <= 0)
        return 0;
    while (ledger->count > 0 && ledger->entries[ledger->count - 1].offset >= end)
        CHECK(ledger->entries[--ledger->count].state == LEDGER_UNKNOWN);
    if (ledger->next > end)
        ledger->next = end;
    if (ledger->map_last >= end)
        ledger->map_last = end - 1;
    ledger->last_record = end - 1;
    ledger->last_epoch = -1; /* until a record shows the present one */
    count_cost(ledger);
    ledger_change(ledger);
    return covered;
}

void ledger_restart(struct ledger *ledger, int64_t low)
{
    for (size_t i = 0; i < ledger->count; i++)
        CHECK(ledger->entries[i].state == LEDGER_UNKNOWN);
    ledger->count = 0;
    ledger->next = low;
    ledger->last_record = low - 1;
    ledger->last_epoch = -1;
    ledger->map_last = -1;
    ledger->is_recreated = true;
    ledger_change(ledger);
    count_cost(ledger);
}

/* How many records fit above the highest known offset. */
static size_t room_above(const struct ledger *ledger)
{
    size_t most = ledger->map_bytes_max - OFFSET_MAP_HEAD_LEN;
    /* Markers may end the log anywhere: that gap counts at its longest. */
    size_t cost = ledger->cost - end_cost(ledger) + OFFSET_MAP_GAP_COST_MAX;
    return cost >= most ? 0 : (most - cost) / LEDGER_RECORD_COST_MAX;
}

size_t ledger_room(const struct ledger *ledger)
{
    size_t room = room_above(ledger);
    return room == 0 && ledger->next <= ledger->map_last ? 1 : room;
}

bool ledger_fits(const struct ledger *ledger, int64_t offset)
{
    /* An offset that the map covers has its entry or is done: it adds nothing. */
    return offset <= ledger->map_last || offset < ledger->next || room_above(ledger) > 0;
}

const struct ledger_entry *ledger_find(const struct ledger *ledger, int64_t offset)
{
    size_t place = place_of(ledger, offset);
    if (place == ledger->count || ledger->entries[place].offset != offset)
        return NULL;
    return &ledger->entries[place];
}

/* The entry of an open offset. */
struct ledger_entry *ledger_entry_of(struct ledger *ledger, int64_t offset)
{
    if (ledger->found >= ledger->count || ledger->entries[ledger->found].offset != offset)
        ledger->found = place_of(ledger, offset);
    CHECK(ledger->found < ledger->count && ledger->entries[ledger->found].offset == offset);
    return &ledger->entries[ledger->found];
}

/* A new entry above all others. */
static void add_above(struct ledger *ledger, int64_t offset, int64_t old_top)
{
    if (ledger->count == 0) {
        ledger->cost = 0;
    } else { /* the gap behind the last entry now ends at this one */
        int64_t last = ledger->entries[ledger->count - 1].offset;
        ledger->cost -= offset_map_gap_cost(last, old_top + 1);
        ledger->cost += offset_map_gap_cost(last, offset);
    }
    ledger->cost++;
    (void)entry_add(ledger, offset);
    CHECK(ledger->cost <= ledger->map_bytes_max - OFFSET_MAP_HEAD_LEN);
}

struct ledger_taken ledger_take(struct ledger *ledger, int64_t offset, uint32_t job)
{
    struct ledger_taken none = {.is_open = false};
    if (offset < ledger->next)
        return none;
    int64_t old_top = top(ledger);
    drop_unknown_below(ledger, offset);
    ledger->next = offset + 1;
    bool is_new = ledger_find(ledger, offset) == NULL;
    if (is_new && offset <= ledger->map_last)
        return none;
    if (is_new)
        add_above(ledger, offset, old_top);
    struct ledger_entry *entry = ledger_entry_of(ledger, offset);
    CHECK(entry->state == LEDGER_UNKNOWN);
    entry->state = LEDGER_HELD;
    entry->job = job;
    if (entry->was_running)
        entry->unrecorded++;
    return (struct ledger_taken){
        .is_open = true,
        .begun = (uint8_t)(entry->deaths + (entry->was_running ? 1 : 0)),
        .was_running = entry->was_running,
        .was_marked = entry->was_running && entry->was_marked,
    };
}

void ledger_forget_call(struct ledger *ledger, int64_t offset)
{
    struct ledger_entry *entry = ledger_entry_of(ledger, offset);
    CHECK(entry->was_running && entry->unrecorded > 0);
    entry->was_running = false;
    entry->unrecorded--;
    entry->told_in = 0; /* the mark was that call's */
    ledger_change(ledger);
}

void ledger_spend_call(struct ledger *ledger, int64_t offset)
{
    ledger_forget_call(ledger, offset);
    struct ledger_entry *entry = ledger_entry_of(ledger, offset);
    entry->deaths++;
    entry->is_spent = true;
}

bool ledger_has_spent(const struct ledger_entry *entry, uint8_t begun)
{
    return entry->is_spent && entry->deaths == begun;
}

bool ledger_is_open(const struct ledger *ledger, int64_t offset)
{
    bool is_above = offset >= ledger->next && offset > ledger->map_last;
    return is_above || ledger_find(ledger, offset) != NULL;
}

void ledger_end(struct ledger *ledger, int64_t position)
{
    if (position <= ledger->next)
        return;
    int64_t front = ledger_front(ledger);
    size_t count = ledger->count;
    ledger->cost -= end_cost(ledger);
    drop_unknown_below(ledger, position);
    ledger->next = position;
    if (ledger->count == count)
        ledger->cost += end_cost(ledger);
    else
        count_cost(ledger);
    if (ledger_front(ledger) != front)
        ledger_change(ledger);
}

/* ---- calls ---- */

void ledger_begin(struct ledger *ledger, int64_t offset)
{
    struct ledger_entry *entry = ledger_entry_of(ledger, offset);
    CHECK(entry->state == LEDGER_HELD && !entry->is_running);
    if (ledger_entry_may_begin(ledger, entry))
        ledger->is_stale = true; /* the map has the mark */
    else
        ledger_change(ledger);
    entry->is_running = true;
    entry->is_marked = false;
}

void ledger_call_ended(struct ledger *ledger, int64_t offset, bool has_usage)
{
    struct ledger_entry *entry = ledger_entry_of(ledger, offset);
    CHECK(entry->is_running);
    entry->is_running = false;
    if (has_usage)
        entry->unrecorded++;
    if (!has_usage && entry->told_in != 0)
        ledger->is_stale = true; /* the mark serves the next attempt */
    else
        ledger_change(ledger);
}

void ledger_finish(struct ledger *ledger, int64_t offset)
{
    struct ledger_entry *entry = ledger_entry_of(ledger, offset);
    CHECK(entry->state == LEDGER_HELD && !entry->is_running);
    entry->state = LEDGER_FINISHED;
    entry->is_marked = false;
    ledger_change(ledger);
}

void ledger_drop(struct ledger *ledger, int64_t offset, uint64_t hash)
{
    struct ledger_entry *entry = ledger_entry_of(ledger, offset);
    entry->job = LEDGER_NO_JOB;
    entry->dropped_hash = hash;
    entry->is_marked = false;
    if (entry->told_in != 0)
        ledger_change(ledger); /* the next owner would take its mark for a call */
}

void ledger_record(struct ledger *ledger, int64_t offset, bool is_dead_owners)
{
    struct ledger_entry *entry = ledger_entry_of(ledger, offset);
    CHECK(entry->unrecorded > 0);
    entry->unrecorded--;
    entry->told_in = 0; /* the mark was that call's */
    if (is_dead_owners) {
        CHECK(entry->was_running);
        entry->was_running = entry->is_spent = false;
        entry->deaths++;
    }
    ledger_change(ledger);
}

void ledger_unrecord(struct ledger *ledger, int64_t offset, bool is_dead_owners)
{
    struct ledger_entry *entry = ledger_entry_of(ledger, offset);
    entry->unrecorded++;
    if (is_dead_owners) {
        CHECK(!entry->was_running && entry->deaths > 0);
        entry->was_running = true;
        entry->deaths--;
    }
    ledger_change(ledger);
}

void ledger_put_in_batch(struct ledger *ledger, int64_t offset)
{
    struct ledger_entry *entry = ledger_entry_of(ledger, offset);
    CHECK(entry->state == LEDGER_FINISHED && entry->unrecorded == 0);
    entry->state = LEDGER_IN_BATCH;
    ledger_change(ledger);
}

/* How the map names an entry. A call that ended and is not recorded yet counts as running: if this
 * process dies now, no other one knows of it. */
static struct offset_open open_of(const struct ledger_entry *entry)
{
    bool running =
        entry->is_running || entry->was_running || entry->unrecorded > 0 || entry->is_marked;
    bool has_mark_only = entry->was_running ? entry->was_marked : entry->unrecorded == 0;
    int begun = entry->deaths + (running ? 1 : 0);
    return (struct offset_open){
        .offset = entry->offset,
        .begun = (uint8_t)(begun > OFFSET_MAP_BEGUN_MAX ? OFFSET_MAP_BEGUN_MAX : begun),
        .is_under_way = running,
        .is_marked = running && !entry->is_running && has_mark_only,
    };
}

void ledger_tell(struct ledger *ledger, uint32_t batch)
{
    for (size_t i = 0; i < ledger->count; i++) {
        struct ledger_entry *entry = &ledger->entries[i];
        bool is_told = entry->state != LEDGER_IN_BATCH && open_of(entry).is_under_way;
        if (!is_told)
            entry->told_in = 0;
        else if (entry->told_in == 0)
            entry->told_in = batch;
    }
    ledger->is_stale = false;
}

enum err ledger_add_map(const struct ledger *ledger, const struct offset_map_stamp *stamp,
                        struct buf *ret_map)
{
    struct offset_open *open = memory_new((ledger->count + 1) * sizeof(struct offset_open));
    if (open == NULL)
        return ERR_NO_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < ledger->count; i++)
        if (ledger->entries[i].state != LEDGER_IN_BATCH)
            open[count++] = open_of(&ledger->entries[i]);
    int64_t front = ledger_front(ledger);
    int64_t last = top(ledger);
    /* The map omits open offsets at its end that were never begun: the next owner takes them as
     * new.
     */
    while (count > 0 && open[count - 1].offset == last && open[count - 1].begun == 0) {
        count--;
        last--;
    }
    if (last < front)
        last = front - 1;
    size_t before = ret_map->len;
    bool is_bw1 = ledger->has_bw1 && ledger_map_bound(ledger) > ledger->map_bytes_max;
    if (is_bw1)
        offset_map_add_bw1(ret_map, front, last, open, count, stamp->nonce);
    else
        offset_map_add(ret_map, front, last, open, count, stamp);
    memory_free(open);
    CHECK(is_bw1 || ret_map->len - before <= ledger_map_bound(ledger));
    return ret_map->failed;
}

void ledger_commit(struct ledger *ledger, int64_t offset, struct slice map)
{
    size_t kept = 0;
    for (size_t i = 0; i < ledger->count; i++)
        if (ledger->entries[i].state != LEDGER_IN_BATCH)
            ledger->entries[kept++] = ledger->entries[i];
    ledger->count = kept;
    ledger->committed_offset = offset;
    ledger->is_recreated = false;
    buf_reset(&ledger->committed_map);
    buf_add(&ledger->committed_map, map);
    CHECK(ledger->committed_map.failed == OK);
    count_cost(ledger);
}

void ledger_abort(struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->count; i++)
        if (ledger->entries[i].state == LEDGER_IN_BATCH)
            ledger->entries[i].state = LEDGER_FINISHED;
    ledger_change(ledger);
}
