#include "app/redrive/redrive.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "app/exit_code.h"
#include "app/redrive/parts.h"
#include "base/memory.h"
#include "io/loop/clock.h"

#define CONNECT_MS       15000
#define FENCE_MS         60000
#define READ_MS          1000
#define SILENT_MS        60000 /* an unfinished transaction may hold a partition back so long */
#define PAUSE_MS         200
#define LABEL_COLUMNS    9
#define NAME_BYTES       512
#define LETTER_BYTES_MAX ((size_t)512 * 1024 * 1024)

/* ---- beginning ---- */

static bool connect(struct run *run)
{
    char name[NAME_BYTES], reason[CLIENT_REASON_MAX] = "";
    int brokers = 0;
    (void)snprintf(name, sizeof name, "%.*s-redrive", SLICE_ARG(run->settings->kafka_group_id));
    run->client = client_new_as(
        run->settings, &(struct client_role){.group_id = name, .transactional_id = name}, reason);
    if (run->client == NULL)
        return redrive_fail("Kafka", reason);
    if (client_brokers(run->client, CONNECT_MS, &brokers) != OK) {
        (void)fprintf(stderr, "bedrock-worker redrive: %s; check %s\n", client_reason(run->client),
                      client_suspects(run->client));
        return false;
    }
    if (run->options->sends && client_fence(run->client, FENCE_MS) != OK)
        return redrive_fail("cannot begin", client_reason(run->client));
    return true;
}

static bool read_progress(struct run *run, int32_t partition, const struct client_place *place)
{
    struct part *part = &run->parts[partition];
    int64_t front = place->committed >= 0 ? place->committed : place->low;
    enum err err = progress_read(&part->progress, front, buf_slice(place->metadata));
    if (err == OK && front < place->low) /* the broker has deleted the letters up to there */
        err = progress_mark_span(&part->progress, front, place->low);
    part->had_progress = place->committed >= 0;
    part->next = part->progress.front;
    part->end = place->high;
    if (err == OK)
        return true;
    (void)fprintf(
        stderr,
        "bedrock-worker redrive: the committed progress of %.*s-%d at offset %lld is %s. "
        "It says which dead letters were redriven, so this run sends nothing. Look at the "
        "offsets of the consumer group %.*s-redrive; deleting them begins anew, and "
        "--since leaves out the letters that were redriven\n",
        SLICE_ARG(run->topic), (int)partition, (long long)place->committed,
        err == ERR_LATER_VERSION ? "of a later version of this program" : "damaged",
        SLICE_ARG(run->settings->kafka_group_id));
    return false;
}

static bool look_up(struct run *run, int32_t partition)
{
    struct buf metadata OWNED_BY(buf_done);
    buf_init(&metadata, (size_t)4 * 1024 * 1024);
    struct client_place place = {.metadata = &metadata};
    if (client_look_up(run->client, run->topic, partition, CONNECT_MS, &place) != OK)
        return redrive_fail("cannot read the progress", client_reason(run->client));
    return read_progress(run, partition, &place);
}

static bool begin(struct run *run)
{
    int32_t count = 0;
    if (!connect(run))
        return false;
    if (client_topic(run->client, run->topic, CONNECT_MS, &count) != OK)
        return redrive_fail("the dead letters", client_reason(run->client));
    int64_t *offsets = memory_new((size_t)count * sizeof *offsets);
    run->parts = memory_new((size_t)count * sizeof *run->parts);
    bool is_good = offsets != NULL && run->parts != NULL;
    if (!is_good)
        (void)redrive_fail("cannot begin", "out of memory");
    for (int32_t i = 0; i < count && is_good; i++) {
        run->part_count = i + 1;
        is_good = look_up(run, i);
        offsets[i] = run->parts[i].next;
    }
    if (is_good && client_follow_from(run->client, run->topic, offsets, count, CONNECT_MS) != OK)
        is_good = redrive_fail("the dead letters", client_reason(run->client));
    memory_free(offsets);
    return is_good;
}

/* ---- the letters ---- */

/* Waits until the rate allows what the shipment holds. */
static void await_rate(struct run *run)
{
    int64_t rate = run->options->rate;
    int64_t done = run->sent + (int64_t)run->shipment->count;
    int64_t due_ms = rate > 0 ? run->began_ms + done * 1000 / rate : 0;
    while (clock_monotonic_ms() < due_ms && !redrive_is_interrupted(run)) {
        int64_t left_ms = due_ms - clock_monotonic_ms();
        redrive_pause(left_ms < PAUSE_MS ? left_ms : PAUSE_MS);
    }
}

static void show_progress(struct run *run)
{
    char sent[SCREEN_COUNT_BYTES];
    struct buf line OWNED_BY(buf_done);
    buf_init(&line, 256);
    buf_addf(&line, "redriven %s", screen_count(run->sent, sent));
    if (run->options->rate > 0)
        buf_addf(&line, ", at most %lld a second (--rate)", (long long)run->options->rate);
    screen_show(&run->screen, buf_slice(&line));
}

static bool is_max_reached(const struct run *run)
{
    return run->options->max > 0 && run->sent + (int64_t)run->shipment->count >= run->options->max;
}

static bool commit_if_due(struct run *run)
{
    int64_t rate = run->options->rate;
    bool is_second = rate > 0 && (int64_t)run->shipment->count >= rate;
    if (!shipment_is_full(run->shipment) && !is_second && !is_max_reached(run))
        return true;
    await_rate(run);
    bool is_good = redrive_commit(run);
    show_progress(run);
    return is_good;
}

/* Finds what a cut letter lacks at the request's original offset. ERR_NOT_FOUND: it is gone. */
static enum err find_original(struct run *run, const struct record *record,
                              const struct dead_letter *letter, struct record *ret_original)
{
    enum err err = client_read_at(run->client, letter->topic, letter->partition, letter->offset,
                                  CONNECT_MS, ret_original);
    return err == OK && !dead_letter_is_of(record, letter, ret_original) ? ERR_NOT_FOUND : err;
}

/* Puts a letter into the shipment. */
static enum err ship(struct run *run, const struct record *record, const struct dead_letter *letter,
                     enum fate *fate)
{
    struct record original;
    const struct record *content = record;
    if (*fate == FATE_SENT && letter->is_cut) {
        enum err err = find_original(run, record, letter, &original);
        if (err == ERR_NOT_FOUND)
            *fate = FATE_GONE;
        if (err != OK)
            return err == ERR_NOT_FOUND ? OK : err;
        content = &original;
    }
    if (!run->options->sends)
        return OK;
    struct slice topic = *fate == FATE_PARKED ? slice_of_text(run->options->park) : SLICE_NULL;
    return shipment_add(run->shipment, record, content, *fate, topic);
}

/* Decides on a letter; its record lies in the arena. */
static bool take_letter(struct run *run, const struct record *record)
{
    struct dead_letter letter;
    struct part *part = &run->parts[record->partition];
    if (dead_letter_read(&run->arena, record, &letter) != OK)
        return redrive_fail("cannot read a dead letter", "out of memory");
    if (!choice_takes(&run->options->filter, record, &letter)) {
        run->tally->others++;
        return true;
    }
    run->rules.wall_ms = clock_wall_ms();
    enum fate fate = choice_fate(&run->rules, &letter);
    bool moves = fate == FATE_SENT || fate == FATE_PARKED;
    if (moves && ship(run, record, &letter, &fate) != OK)
        return redrive_fail("cannot read the request of a dead letter at its original offset",
                            client_reason(run->client));
    moves = fate == FATE_SENT || fate == FATE_PARKED;
    if (!moves || !run->options->sends)
        tally_add(run->tally, &letter, fate);
    if (!moves && fate_is_settled(fate) && run->options->sends) {
        part->is_changed = true;
        if (progress_mark(&part->progress, record->offset) != OK)
            return redrive_fail("cannot keep the progress",
                                "too many letters lie behind the first one");
    }
    return true;
}

static bool take(struct run *run, const struct record *read)
{
    struct part *part = &run->parts[read->partition];
    struct record record;
    arena_reset(&run->arena);
    if (read->offset >= part->end)
        return true;
    /* Between two letters are markers of transactions, or letters that the broker has deleted. */
    enum err err = progress_mark_span(&part->progress, part->next, read->offset);
    part->next = read->offset + 1;
    if (err != OK || !record_copy(&run->arena, read, &record))
        return redrive_fail("cannot read a dead letter",
                            err == ERR_TOO_LARGE ? err_words(err) : "out of memory");
    if (progress_has(&part->progress, record.offset)) {
        run->tally->before++;
        return true;
    }
    return take_letter(run, &record) && (!run->options->sends || commit_if_due(run));
}

static bool is_all_read(const struct run *run)
{
    bool is_all = true;
    for (int32_t i = 0; i < run->part_count && is_all; i++)
        is_all = run->parts[i].next >= run->parts[i].end;
    return is_all;
}

static bool read_all(struct run *run)
{
    int64_t heard_ms = clock_monotonic_ms();
    while (!is_all_read(run) && !is_max_reached(run) && !redrive_is_interrupted(run)) {
        struct record record;
        enum err err = client_read(run->client, READ_MS, &record);
        if (err == OK && !take(run, &record))
            return false;
        if (err == ERR_NOT_FOUND) /* the end: only markers of transactions are left */
            run->parts[record.partition].next = run->parts[record.partition].end;
        if (err == OK || err == ERR_NOT_FOUND)
            heard_ms = clock_monotonic_ms();
        else if (clock_monotonic_ms() - heard_ms > SILENT_MS)
            return redrive_fail("no dead letter came for a minute",
                                err == ERR_TIMEOUT ? "the brokers are away"
                                                   : client_reason(run->client));
    }
    if (!run->options->sends)
        return true;
    await_rate(run);
    return redrive_commit(run);
}

/* ---- the end ---- */

static void print_notes(const struct run *run)
{
    if (run->is_interrupted)
        (void)printf("\nInterrupted: the letters behind were not looked at.\n");
    else if (run->options->sends && is_max_reached(run))
        (void)printf("\n--max is reached: the letters behind were not looked at.\n");
    bool had_progress = run->part_count == 0;
    for (int32_t i = 0; i < run->part_count; i++)
        had_progress |= run->parts[i].had_progress;
    if (run->options->sends)
        return;
    (void)printf("\nA dry run: --yes redrives them. A redriven request has a new timestamp, from\n"
                 "which ttl_ms counts again, and a new default id if it names none.\n");
    if (!had_progress)
        (void)printf("No run has committed progress, or the brokers have forgotten it (they keep\n"
                     "offsets for offsets.retention.minutes): letters that an older run redrove\n"
                     "would be redriven again; --since leaves them out.\n");
}

static void print_result(struct run *run)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 65536);
    tally_add_text(run->tally, !run->options->sends, &text);
    screen_clear(&run->screen);
    (void)fwrite(text.ptr, 1, text.len, stdout);
    print_notes(run);
    (void)fflush(stdout);
}

static void end(struct run *run)
{
    client_free(run->client);
    for (int32_t i = 0; i < run->part_count; i++)
        progress_done(&run->parts[i].progress);
    memory_free(run->parts);
    shipment_done(run->shipment);
    arena_done(&run->arena);
}

static int run_with(struct run *run)
{
    screen_init(&run->screen, stdout, LABEL_COLUMNS);
    run->screen.pipe_columns = SIZE_MAX;
    shipment_init(run->shipment);
    arena_init(&run->arena, LETTER_BYTES_MAX);
    run->rules = (struct choice_rules){.topics = run->settings->topics_requests.items,
                                       .topic_count = run->settings->topics_requests.count,
                                       .limit = run->options->limit,
                                       .parks = run->options->park != NULL};
    /* Before librdkafka starts its threads, so that they leave these signals to is_interrupted. */
    sigemptyset(&run->signals);
    sigaddset(&run->signals, SIGINT);
    sigaddset(&run->signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &run->signals, NULL);
    bool is_good = begin(run);
    if (is_good) {
        run->began_ms = clock_monotonic_ms();
        is_good = read_all(run);
        print_result(run);
    }
    end(run);
    return is_good && !run->is_interrupted ? EXIT_DONE : EXIT_FAILED;
}

int redrive_run(const struct settings *settings, const struct redrive_options *options)
{
    struct run run = {
        .settings = settings,
        .options = options,
        .topic =
            options->topic != NULL ? slice_of_text(options->topic) : settings->topics_dead_letters,
        .tally = memory_new(sizeof *run.tally),
        .shipment = memory_new(sizeof *run.shipment),
    };
    int code = EXIT_FAILED;
    if (run.tally == NULL || run.shipment == NULL)
        (void)redrive_fail("cannot begin", "out of memory");
    else
        code = run_with(&run);
    memory_free(run.tally);
    memory_free(run.shipment);
    return code;
}
