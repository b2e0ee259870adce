#include "world.h"

#include <string.h>

#include "wire/formats/offset_map.h"

static void lost_is_settled(struct world *world, struct fake_record *record, int log,
                            int64_t offset)
{
    record->is_lost_expected = false;
    for (int i = 0; i < world->worker_count; i++)
        world->workers[i].accounts[log][offset].is_lost = false;
}

/* ---- calls ---- */

/* The worker has the request again, whose call it had recorded itself. */
static void spend_unnamed(struct world *world, struct account *account, int log, int64_t offset)
{
    struct fake_record *record = kafka_record(world, log, offset);
    if (!account->is_unnamed)
        return;
    if (account->is_lost)
        lost_is_settled(world, record, log, offset);
    account->is_unnamed = false;
    account->has_spent = true;
    record->spent++;
}

void audit_call_began(struct world *world, struct worker *worker, int log, int64_t offset)
{
    struct account *account = &worker->accounts[log][offset];
    MUST(world, account->open == 0);
    spend_unnamed(world, account, log, offset);
    account->open++;
}

void audit_call_ended(struct world *world, struct worker *worker, int log, int64_t offset,
                      bool is_billable)
{
    struct account *account = &worker->accounts[log][offset];
    MUST(world, account->open == 1);
    account->open--;
    /* Its next owner cannot know that a call cost nothing. */
    if (!is_billable && account->is_known)
        kafka_record(world, log, offset)->died_may++;
    if (!is_billable)
        marks_call_cost_nothing(kafka_record(world, log, offset));
    if (is_billable && account->is_renounced)
        account->orphans++;
    else if (is_billable)
        account->owed++;
    account->is_renounced = false;
}

/* Usage that it still owes for this log is published without an offset. */
static void note_known(struct world *world, struct account *account, int log, int64_t offset)
{
    if (account->committed == 0 && account->cut == 0)
        return;
    if (account->open == 0 && account->owed == 0)
        kafka_record(world, log, offset)->died_may++;
    account->is_known = true;
    account->known_deaths = kafka_record(world, log, offset)->deaths;
}

void audit_tenure_over(struct world *world, struct worker *worker, int log)
{
    for (int64_t offset = 0; offset < RECORDS_MAX; offset++) {
        struct account *account = &worker->accounts[log][offset];
        note_known(world, account, log, offset);
        account->orphans = (uint8_t)(account->orphans + account->owed);
        account->owed = account->committed = account->cut = 0;
        account->is_renounced = account->open > 0;
        account->has_come = account->has_spent = false;
    }
}

/* ---- usage records ---- */

static bool is_known(const struct world *world, const char *id)
{
    for (uint64_t i = 0; i < world->usages; i++)
        if (memcmp(world->usage_ids[i].id.text, id, UUID_TEXT_LEN) == 0)
            return true;
    return false;
}

static const char *usage_id(struct world *world, const char *value)
{
    const char *id = strstr(value, "\"id\":\"");
    MUST(world, id != NULL && strlen(id) > 6 + UUID_TEXT_LEN);
    return id + 6;
}

static void note_usage(struct world *world, const char *id, const char *value, bool is_witnessed)
{
    if (world->usages == world->usage_room) {
        world->usage_room = world->usage_room == 0 ? 256 : world->usage_room * 2;
        world->usage_ids = realloc(world->usage_ids, world->usage_room * sizeof *world->usage_ids);
        if (world->usage_ids == NULL)
            abort();
    }
    world->usage_ids[world->usages].is_witnessed = is_witnessed;
    world->usage_ids[world->usages].worker = -1;
    world->usage_ids[world->usages].is_unknown = false;
    memcpy(world->usage_ids[world->usages].id.text, id, UUID_TEXT_LEN);
    const char *replaces = strstr(value, "\"replaces\":\"");
    memset(&world->usage_ids[world->usages].replaces, 0, sizeof(struct uuid));
    if (replaces != NULL)
        memcpy(world->usage_ids[world->usages].replaces.text, replaces + 12, UUID_TEXT_LEN);
    world->usage_ids[world->usages].is_lost = strstr(value, "\"worker_lost\"") != NULL;
    (void)broker_source(world, value, "\"source\":{", &world->usage_ids[world->usages].log,
                        &world->usage_ids[world->usages].offset);
    world->usages++;
}

void audit_call_lost(struct world *world, struct fake_record *record, int log, int64_t offset)
{
    int owner = world->logs[log].owner;
    if (!record->is_lost_expected && owner >= 0)
        world->workers[owner].accounts[log][offset].is_lost = true;
    record->is_lost_expected = true;
}

static bool is_replaced(const struct world *world, const struct uuid *id)
{
    for (uint64_t i = 0; i < world->usages; i++)
        if (memcmp(&world->usage_ids[i].replaces, id, sizeof *id) == 0)
            return true;
    return false;
}

/* Under at_least_once a call's usage may be in the producer's hands when its worker loses the
 * partition, and the map is never committed that knows of it. */
static bool is_unnamed(const struct world *world, const struct account *account, const char *value)
{
    return !world->config.exactly_once && account->is_lost && account->orphans > 0 &&
           strstr(value, "\"replaces\"") == NULL;
}

/* The call is a death by this record: it was no other. */
static void note_lost_record(struct world *world, struct worker *worker, int log, int64_t offset)
{
    struct fake_record *record = kafka_record(world, log, offset);
    record->spent -= worker->accounts[log][offset].has_spent;
    worker->accounts[log][offset].has_spent = false;
    for (int i = 0; i < world->worker_count; i++)
        world->workers[i].accounts[log][offset].is_unnamed = false;
    lost_is_settled(world, record, log, offset);
    record->deaths++;
    world->lost_usages++;
}

/* Whether the record counts beside those that are there: readers leave out what another replaces.
 */
static bool counts(const struct world *world, const char *id, const char *value)
{
    struct uuid own;
    memcpy(own.text, id, UUID_TEXT_LEN);
    const char *replaces = strstr(value, "\"replaces\":\"");
    return !is_replaced(world, &own) && (replaces == NULL || !is_known(world, replaces + 12));
}

void audit_usage(struct world *world, struct worker *worker, const char *value, bool is_witnessed)
{
    int log;
    int64_t offset;
    struct fake_record *record = broker_source(world, value, "\"source\":{", &log, &offset);
    struct account *account = &worker->accounts[log][offset];
    const char *id = usage_id(world, value);
    bool was_known = is_known(world, id);
    /* Each call is recorded once. (A worker that lost its partitions cannot learn the outcome of
     * its last transaction: it publishes again under the same id.) */
    for (uint64_t i = 0; world->config.exactly_once && i < world->usages; i++)
        MUST(world, !world->usage_ids[i].is_witnessed ||
                        memcmp(world->usage_ids[i].id.text, id, UUID_TEXT_LEN) != 0);
    MUST(world, !was_known || world->config.exactly_once || world->is_shaken);
    MUST(world, !record->is_count);
    note_usage(world, id, value, is_witnessed);
    if (was_known)
        return;
    if (counts(world, id, value))
        marks_usage(record);
    /* Not lost: the worker that made the call has recorded it, in place of its next owner. */
    if (!world->config.exactly_once && account->is_lost && strstr(value, "\"replaces\"") != NULL)
        lost_is_settled(world, record, log, offset);
    if (strstr(value, "\"worker_lost\"") != NULL) {
        MUST(world, record->is_lost_expected || record->is_gone ||
                        (!world->config.exactly_once && world->is_shaken));
        /* No worker takes its own call for a dead worker's. */
        MUST(world, !world->config.exactly_once || !account->is_lost);
        note_lost_record(world, worker, log, offset);
        return;
    }
    account->is_unnamed = account->is_unnamed || is_unnamed(world, account, value);
    MUST(world, account->owed > 0 || account->orphans > 0); /* that call was billed */
    if (account->orphans > 0)
        account->orphans--;
    else
        account->owed--;
}

static bool is_replaced_before(const struct world *world, uint64_t usage)
{
    const struct uuid *replaces = &world->usage_ids[usage].replaces;
    for (uint64_t i = 0; i < usage; i++)
        if (memcmp(&world->usage_ids[i].replaces, replaces, sizeof *replaces) == 0)
            return true;
    return false;
}

int audit_count_spent(const struct world *world, const struct worker *worker, int log,
                      int64_t offset)
{
    static const struct uuid NONE;
    int count = world->logs[log].records[offset].spent + worker->accounts[log][offset].is_unnamed;
    for (uint64_t i = 0; i < world->usages; i++)
        count += world->usage_ids[i].log == log && world->usage_ids[i].offset == offset &&
                 memcmp(&world->usage_ids[i].replaces, &NONE, sizeof NONE) != 0 &&
                 !is_known(world, world->usage_ids[i].replaces.text) &&
                 !is_replaced_before(world, i);
    return count;
}

/* ---- what the map must say ---- */

/* Usage records in the batch that are about this request. */
static void count_in_batch(struct world *world, const struct batch *batch, int log, int64_t offset,
                           int *ret_own, int *ret_lost)
{
    *ret_own = *ret_lost = 0;
    for (size_t i = 0; i < batch->output_count; i++) {
        const struct output *output = batch->outputs[i];
        if (output->kind != OUTPUT_USAGE)
            continue;
        char value[4096];
        MUST(world, output->value.len < sizeof value);
        memcpy(value, output->value.ptr, output->value.len);
        value[output->value.len] = '\0';
        int source_log;
        int64_t source_offset;
        (void)broker_source(world, value, "\"source\":{", &source_log, &source_offset);
        if (source_log != log || source_offset != offset || is_known(world, usage_id(world, value)))
            continue;
        if (strstr(value, "\"worker_lost\"") != NULL)
            (*ret_lost)++;
        else
            (*ret_own)++;
    }
}

/* A dead owner's call that counted tokens is settled without a record: only the map shows it. A
 * worker that knows the call for its own need not count it as a death. */
static bool is_count_settled(const struct fake_record *record, const struct account *account,
                             const struct offset_open *open)
{
    bool is_own = account->is_known && account->known_deaths == record->deaths;
    int begun = record->deaths + (account->open > 0 ? 1 : 0);
    bool is_new_mark = open != NULL && open->is_marked && open->begun > record->deaths + 1;
    if (account->open == 0 && open != NULL && open->is_under_way && !is_new_mark)
        return false;
    return !is_own || (open != NULL && open->begun > begun);
}

/* The map of an open request says how many owners died over it, and whether a call is running or
 * not recorded. */
static void check_begun(struct world *world, struct worker *worker, int log, int64_t offset,
                        const struct offset_open *open)
{
    const struct fake_record *record = kafka_record(world, log, offset);
    struct account *account = &worker->accounts[log][offset];
    int own, lost;
    count_in_batch(world, &worker->batch, log, offset, &own, &lost);
    if (record->is_count && record->is_lost_expected)
        lost = is_count_settled(record, account, open);
    account->is_settling = record->is_count && lost > 0;
    /* Usage in the batch may be that of an orphan, never that of the running call. */
    account->cut = (uint8_t)(account->open + (account->owed > own ? account->owed - own : 0));
    bool is_owed_by_dead = record->is_lost_expected && lost == 0;
    /* What a lost tenure left is adopted when its record comes again: this one may end before. */
    bool has_come = offset < worker->positions[log];
    bool is_own = is_owed_by_dead && account->is_known && account->known_deaths == record->deaths;
    /* A call that this worker recorded as lost by itself counts as a death. */
    int ended = open == NULL ? 0 : open->begun - open->is_under_way;
    account->is_spent = is_own && ended > record->deaths + lost;
    account->is_forgiven = is_own && has_come &&
                           (account->is_spent || open == NULL || !open->is_under_way ||
                            account->open + account->owed > 0);
    /* An adopted answer is the map's running call until it is committed. */
    if (account->orphans > 0 && open != NULL && open->is_under_way &&
        (!is_owed_by_dead || account->is_known))
        account->cut = 1;
    /* A call of a lost tenure that another owner recorded is in no map, adopted or not. */
    if (account->is_renounced && (open == NULL || !open->is_under_way))
        account->cut = 0;
    if (account->orphans > 0 || account->is_renounced || record->is_gone)
        return; /* which of them is in the batch, or adopted, is unknown */
    if (account->is_forgiven)
        is_owed_by_dead = false;
    MUST(world, account->cut + is_owed_by_dead <= 1);
    bool is_running = account->cut > 0 || is_owed_by_dead;
    MUST(world, account->cut == 0 || open == NULL || !open->is_marked);
    int begun = record->deaths + lost + (is_running ? 1 : 0);
    /* A request that is marked has no call yet. */
    if (world->config.write_ahead && !is_running && open != NULL && open->is_marked) {
        is_running = true;
        begun++;
        account->cut = 1; /* its next owner takes it for a call */
    }
    MUST(world, (open != NULL && open->is_under_way) == is_running);
    int told = open == NULL ? 0 : open->begun;
    begun += account->is_spent;
    MUST(world, told == (begun > OFFSET_MAP_BEGUN_MAX ? OFFSET_MAP_BEGUN_MAX : begun));
}

static void check_cut(struct world *world, struct worker *worker, const struct batch_offset *cut)
{
    static struct offset_open open[4096];
    size_t count, next = 0;
    int64_t last;
    int log = cut->partition;
    MUST(world,
         offset_map_read(cut->metadata, cut->offset, open, COUNT_OF(open), &count, &last) == OK);
    for (int64_t offset = 0; offset < world->logs[log].end; offset++) {
        worker->accounts[log][offset].cut = 0;
        while (next < count && open[next].offset < offset)
            next++;
        bool is_open = next < count && open[next].offset == offset;
        if (offset >= cut->offset && (is_open || offset > last) &&
            world->logs[log].records[offset].kind != REQUEST_GAP)
            check_begun(world, worker, log, offset, is_open ? &open[next] : NULL);
    }
}

void audit_cut(struct world *world, struct worker *worker)
{
    /* A member that the group has removed does not know it yet, and cannot commit. */
    bool counts = world->config.exactly_once && worker->is_member;
    for (size_t i = 0; counts && i < worker->batch.offset_count; i++) {
        const struct batch_offset *cut = &worker->batch.offsets[i];
        const struct fake_log *log = &world->logs[cut->partition];
        if (!log->is_recreated && kafka_cut_below(log, cut->offset, cut->leader_epoch) < 0)
            check_cut(world, worker, cut);
    }
}

void audit_committed(struct world *world, struct worker *worker)
{
    for (size_t i = 0; i < worker->batch.offset_count; i++) {
        int log = worker->batch.offsets[i].partition;
        struct account *accounts = worker->accounts[log];
        for (int64_t offset = 0; offset < RECORDS_MAX; offset++) {
            struct fake_record *record = kafka_record(world, log, offset);
            bool is_answered = record->is_done && accounts[offset].is_known &&
                               accounts[offset].known_deaths == record->deaths;
            bool is_counted = record->is_count && (accounts[offset].is_settling || record->is_done);
            if (is_counted && record->is_lost_expected) {
                lost_is_settled(world, record, log, offset);
                record->deaths++;
            }
            accounts[offset].is_settling = false;
            if (accounts[offset].is_spent)
                record->deaths++;
            accounts[offset].is_spent = false;
            if (accounts[offset].is_forgiven || is_answered) {
                lost_is_settled(world, record, log, offset);
                accounts[offset].is_known = accounts[offset].is_forgiven = false;
            }
            accounts[offset].committed = accounts[offset].cut;
            accounts[offset].cut = 0;
        }
    }
}

void audit_unknown(struct world *world, const struct worker *worker)
{
    for (size_t i = 0; i < worker->batch.offset_count; i++) {
        int log = worker->batch.offsets[i].partition;
        for (int64_t offset = 0; offset < RECORDS_MAX; offset++) {
            const struct account *account = &worker->accounts[log][offset];
            if (account->cut + account->open + account->owed > 0)
                kafka_record(world, log, offset)->is_doubtful = true;
        }
    }
}

/* Whether the committed map has running calls of this worker. */
bool audit_is_open(const struct worker *worker, int log)
{
    for (int64_t offset = 0; offset < RECORDS_MAX; offset++)
        /* What a lost tenure left, and no later one adopted, names a record to replace. */
        if (worker->accounts[log][offset].committed > 0 && !worker->accounts[log][offset].is_known)
            return true;
    return false;
}

/* ---- the end of a worker ---- */

/* Its successors take over what its maps say. */
void audit_removed(struct world *world, struct worker *worker)
{
    for (int log = 0; log < world->log_count; log++)
        for (int64_t offset = 0; offset < RECORDS_MAX; offset++) {
            note_known(world, &worker->accounts[log][offset], log, offset);
            worker->accounts[log][offset].committed = 0;
        }
}

/* What a committed map tells of a worker that is no more, its successor records as lost. */
static void note_death(struct fake_record *record, const struct account *account)
{
    bool is_told = account->committed > 0;
    record->died_may += is_told || account->is_known;
    record->died_must += is_told && account->open + account->owed > 0 && account->orphans == 0 &&
                         !account->is_known && !record->is_done && !record->is_gone &&
                         !record->is_count;
}

/* Killed: its successor records the calls in its map, the rest is lost. */
void audit_worker_died(struct world *world, struct worker *worker)
{
    for (int log = 0; world->config.exactly_once && log < world->log_count; log++)
        for (int64_t offset = 0; offset < RECORDS_MAX; offset++) {
            const struct account *account = &worker->accounts[log][offset];
            struct fake_record *record = kafka_record(world, log, offset);
            note_death(record, account);
            if (account->committed > 0 && account->orphans == 0 && !record->is_done &&
                !record->is_gone)
                MUST(world, record->is_lost_expected);
        }
    memset(worker->accounts, 0, sizeof worker->accounts);
}

/* It ended by itself: with exit code 0 every billed call is recorded. */
void audit_worker_ended(struct world *world, struct worker *worker)
{
    for (int log = 0; log < world->log_count; log++)
        for (int64_t offset = 0; offset < RECORDS_MAX; offset++) {
            const struct account *account = &worker->accounts[log][offset];
            if (worker->exit_code != 0)
                kafka_record(world, log, offset)->died_may +=
                    account->committed > 0 || account->is_known;
            if (worker->exit_code == 0)
                MUST(world, account->open == 0 && account->owed == 0 && account->orphans == 0);
        }
    memset(worker->accounts, 0, sizeof worker->accounts);
}

bool audit_is_quiet(const struct world *world, int log)
{
    for (int i = 0; i < world->worker_count; i++)
        for (int64_t offset = 0; offset < RECORDS_MAX; offset++) {
            const struct account *account = &world->workers[i].accounts[log][offset];
            if (account->open > 0 || account->owed > 0 || account->orphans > 0)
                return false;
        }
    return true;
}

static bool came_before(const struct world *world, uint64_t usage)
{
    for (uint64_t i = 0; i < usage; i++)
        if (memcmp(&world->usage_ids[i].id, &world->usage_ids[usage].id, sizeof(struct uuid)) == 0)
            return true;
    return false;
}

/* Records of lost calls of this request that no other record replaces. */
static int count_lost(const struct world *world, int log, int64_t offset)
{
    int count = 0;
    for (uint64_t i = 0; i < world->usages; i++)
        count += world->usage_ids[i].is_lost && world->usage_ids[i].log == log &&
                 world->usage_ids[i].offset == offset && !came_before(world, i) &&
                 !is_replaced(world, &world->usage_ids[i].id);
    return count;
}

void audit_check_log(struct world *world, int log)
{
    for (int64_t offset = 0; offset < world->logs[log].end; offset++) {
        const struct fake_record *record = kafka_record(world, log, offset);
        if (record->is_gone || record->kind == REQUEST_GAP || !world->config.exactly_once)
            continue;
        int lost = count_lost(world, log, offset);
        /* Usage of a call that may have been told names the record that it may have got; another
         * owner's call that was lost may then have that count. */
        MUST(world, lost >= record->died_must || record->is_doubtful);
        MUST(world, lost <= record->died_may);
        if (world->pin == PIN_OUTAGES)
            MUST(world, record->paid <= 1 && lost == 0); /* nothing is paid twice */
    }
    for (uint64_t i = 0; i < world->usages; i++)
        if (world->usage_ids[i].log == log)
            world->usage_ids[i].log = -1;
}
