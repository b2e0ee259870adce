/* An engine driven by a test: a table of ports that notes every request of the engine, and short
 * functions for the events of io. Nothing happens by itself: the test decides when time passes,
 * what is read, how calls and batches end. */
#ifndef UNIT_ENGINE_KIT_H
#define UNIT_ENGINE_KIT_H

#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "engine/state.h"

#define KIT_WALL_MS    1795000000000LL
#define KIT_CALLS      4096
#define KIT_TEXTS      4096
#define KIT_NOTES      256
#define KIT_PARTITIONS 4096
#define KIT_STAMPS     64
#define KIT_TOPIC      SLICE("requests")
#define KIT_ANSWER                                                                                 \
    "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"text\":\"hello\"}]}},"       \
    "\"stopReason\":\"end_turn\",\"usage\":{\"inputTokens\":7,\"outputTokens\":3,"                 \
    "\"totalTokens\":10},\"metrics\":{\"latencyMs\":5}}"

struct kit_call {
    struct call_ref ref;
    bool is_open, was_cancelled;
    int64_t at_ms;
    int64_t offset;                     /* of its request, from its text */
    char sdk[64];                       /* its header amz-sdk-request */
    const struct http_request *request; /* while it is open */
};

struct kit_text {
    enum output_kind kind;
    char *topic, *value;
    int32_t partition;
};

struct kit_note {
    struct tenure tenure;
    uint32_t ticket;
    int64_t offset;
    char topic[64];
};

struct kit_notes {
    struct kit_note list[KIT_NOTES];
    size_t count;
};

struct kit {
    struct engine_config config;
    struct engine *engine;
    int64_t live_before;
    int64_t now_ms;
    int64_t next_ms; /* of the last turn */
    uint32_t epoch;
    struct tenure tenures[KIT_PARTITIONS];
    struct kit_call calls[KIT_CALLS];
    size_t call_count;
    bool calls_stay_unsent; /* cancelled calls were not sent */
    size_t refreshes;       /* how often new credentials were asked for */
    struct kit_notes reads, siblings, watermarks, starts, pauses, releases, look_ups;
    int32_t start_epoch;  /* of the last start */
    int32_t epoch_now;    /* of records and of what is committed */
    const char *topic_id; /* 16 bytes; NULL = unknown */
    bool may_go_back;     /* a log was cut: committed offsets may, too */
    bool has_batch;
    struct batch batch; /* as it was handed over */
    size_t batch_count;
    struct kit_text outputs[KIT_TEXTS]; /* committed */
    size_t output_count;
    struct kit_text chunks[KIT_TEXTS];
    size_t chunk_count;
    bool has_no_room_for_chunks;       /* but for last ones */
    int64_t committed[KIT_PARTITIONS]; /* by partition, 0 at first; -1 = none */
    int32_t epochs[KIT_PARTITIONS];    /* committed */
    char *maps[KIT_PARTITIONS];
    int64_t stamps[KIT_PARTITIONS][KIT_STAMPS]; /* of records, by partition and offset */
    char membership[64];
    size_t logged[LOG_EVENT_COUNT];
    char words[LOG_EVENT_COUNT][512];  /* the last line of each */
    char lines[LOG_EVENT_COUNT][1024]; /* the same as JSON: all of its fields */
    bool has_ended;
    int exit_code;
};

/* ---- the ports ---- */

static inline void kit_note(struct kit_notes *notes, struct tenure tenure, uint32_t ticket,
                            int64_t offset, struct slice topic)
{
    assert_true(notes->count < KIT_NOTES);
    struct kit_note *note = &notes->list[notes->count++];
    *note = (struct kit_note){.tenure = tenure, .ticket = ticket, .offset = offset};
    (void)snprintf(note->topic, sizeof note->topic, "%.*s", SLICE_ARG(topic));
}

static inline void kit_on_call_start(void *self, struct call_ref ref,
                                     const struct http_request *request)
{
    struct kit *kit = self;
    assert_true(kit->call_count < KIT_CALLS);
    for (size_t i = 0; i < kit->call_count; i++)
        assert_false(kit->calls[i].is_open && kit->calls[i].ref.index == ref.index);
    const char *marker = memmem(request->body.ptr, request->body.len, "[[", 2);
    assert_non_null(marker);
    kit->calls[kit->call_count++] = (struct kit_call){
        .ref = ref,
        .is_open = true,
        .at_ms = kit->now_ms,
        .offset = strtoll(marker + 2, NULL, 10),
        .request = request,
    };
    struct slice sdk = http_header(request->headers, "amz-sdk-request");
    struct kit_call *call = &kit->calls[kit->call_count - 1];
    (void)snprintf(call->sdk, sizeof call->sdk, "%.*s", SLICE_ARG(sdk));
}

static inline bool kit_on_call_cancel(void *self, struct call_ref ref)
{
    struct kit *kit = self;
    for (size_t i = 0; i < kit->call_count; i++) {
        struct kit_call *call = &kit->calls[i];
        if (!call->is_open || call->ref.index != ref.index ||
            call->ref.generation != ref.generation)
            continue;
        call->is_open = false;
        call->was_cancelled = true;
        return !kit->calls_stay_unsent;
    }
    fail_msg("a call is cancelled that is not open");
    return true;
}

static inline void kit_on_refresh(void *self, uint32_t identity)
{
    (void)identity;
    ((struct kit *)self)->refreshes++;
}

static inline void kit_on_offsets_read(void *self, struct tenure tenure, uint32_t ticket)
{
    kit_note(&((struct kit *)self)->reads, tenure, ticket, 0, SLICE(""));
}

static inline void kit_on_siblings_read(void *self, struct tenure tenure, uint32_t ticket)
{
    kit_note(&((struct kit *)self)->siblings, tenure, ticket, 0, SLICE(""));
}

static inline void kit_on_watermarks_read(void *self, struct tenure tenure)
{
    kit_note(&((struct kit *)self)->watermarks, tenure, 0, 0, SLICE(""));
}

static inline void kit_on_start(void *self, struct tenure tenure, int64_t offset,
                                int32_t leader_epoch)
{
    ((struct kit *)self)->start_epoch = leader_epoch;
    kit_note(&((struct kit *)self)->starts, tenure, 0, offset, SLICE(""));
}

static inline void kit_on_pause(void *self, struct tenure tenure)
{
    kit_note(&((struct kit *)self)->pauses, tenure, 0, 0, SLICE(""));
}

static inline void kit_on_release(void *self, struct tenure tenure)
{
    kit_note(&((struct kit *)self)->releases, tenure, 0, 0, SLICE(""));
}

static inline void kit_on_membership(void *self, struct buf *ret)
{
    buf_add_text(ret, ((struct kit *)self)->membership);
}

static inline void kit_on_commit(void *self, const struct batch *batch)
{
    struct kit *kit = self;
    assert_false(kit->has_batch);
    kit->has_batch = true;
    kit->batch = *batch;
    kit->batch_count++;
}

static inline void kit_on_look_up(void *self, struct slice topic, uint32_t ticket)
{
    struct kit *kit = self;
    if (!slice_equal(topic, kit->config.output.chunks_topic))
        kit_note(&kit->look_ups, (struct tenure){0, 0}, ticket, 0, topic);
}

static inline char *kit_copy(struct slice text)
{
    char *copy = malloc(text.len + 1);
    assert_non_null(copy);
    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return copy;
}

static inline void kit_keep(struct kit_text *texts, size_t *count, const struct output *output)
{
    assert_true(*count < KIT_TEXTS);
    texts[(*count)++] = (struct kit_text){.kind = output->kind,
                                          .topic = kit_copy(output->topic),
                                          .value = kit_copy(output->value),
                                          .partition = output->partition};
}

#include "engine_kit_chunks.h"

static inline void kit_on_log(void *self, enum log_event event, const struct log_field *fields,
                              size_t count)
{
    struct kit *kit = self;
    struct buf line OWNED_BY(buf_done);
    buf_init(&line, 65536);
    log_add_text(&line, KIT_WALL_MS + kit->now_ms, event, fields, count);
    kit->logged[event]++;
    (void)snprintf(kit->words[event], sizeof kit->words[event], "%s", buf_text(&line));
    assert_null(strchr(kit->words[event], '{')); /* every name of the sentence has its field */
    buf_reset(&line);
    log_add_json(&line, KIT_WALL_MS + kit->now_ms, event, fields, count);
    (void)snprintf(kit->lines[event], sizeof kit->lines[event], "%s", buf_text(&line));
}

static inline void kit_on_ended(void *self, int exit_code)
{
    struct kit *kit = self;
    assert_false(kit->has_ended);
    kit->has_ended = true;
    kit->exit_code = exit_code;
}

/* ---- start and end ---- */

static inline struct engine_config kit_config(void)
{
    static const struct slice ALLOWED[] = {{"reply.*", 7}};
    return (struct engine_config){
        .output = {.source = SLICE("/bedrock-worker/kit"),
                   .group_id = SLICE("kit"),
                   .responses_topic = SLICE("responses"),
                   .chunks_topic = SLICE("chunks"),
                   .usage_topic = SLICE("usage"),
                   .dead_letters_topic = SLICE("letters"),
                   .budgets_topic = SLICE("budgets"),
                   .output_bytes_max = 1 << 20},
        .reply_allowed = ALLOWED,
        .reply_allowed_count = COUNT_OF(ALLOWED),
        .region = SLICE("us-east-1"),
        .endpoint_url = SLICE("http://127.0.0.1:1"),
        .user_agent = SLICE("bedrock-worker/kit"),
        .transactional_id = SLICE("kit-1"),
        .ordering = ORDERING_KEY,
        .exactly_once = true,
        .send_dead_letters = true,
        .send_error_responses = true,
        .max_in_flight = 16,
        .max_held = 64,
        .max_held_bytes = 64 << 20,
        .max_request_bytes = 4096,
        .max_answer_bytes = 1 << 16,
        .max_begun = 3,
        .batch_results_max = 100,
        .batch_bytes_max = 1 << 20,
        .commit_interval_ms = 100,
        .drain_timeout_ms = 10000,
        .stall_ms = 5000,
        .heartbeat_ms = 3000,
        .offset_map_bytes_max = 4096,
        .retry.max_attempts = 3,
        .retry.max_elapsed_ms = 60000,
        .retry.transient_base_ms = 200,
        .retry.throttle_base_ms = 1000,
        .retry.max_delay_ms = 20000,
        .seed = 1,
    };
}

static inline struct ports kit_ports(struct kit *kit)
{
    return (struct ports){
        .self = kit,
        .call_start = kit_on_call_start,
        .call_cancel = kit_on_call_cancel,
        .credentials_refresh = kit_on_refresh,
        .offsets_read = kit_on_offsets_read,
        .siblings_read = kit_on_siblings_read,
        .watermarks_read = kit_on_watermarks_read,
        .partition_start = kit_on_start,
        .partition_pause = kit_on_pause,
        .partition_release = kit_on_release,
        .membership = kit_on_membership,
        .batch_commit = kit_on_commit,
        .topic_look_up = kit_on_look_up,
        .chunk_send = kit_on_chunk,
        .sums_send = kit_on_sums,
        .log = kit_on_log,
        .ended = kit_on_ended,
    };
}

static inline void kit_begin(struct kit *kit)
{
    struct ports ports = kit_ports(kit);
    struct credentials credentials = {.access_key_id = SLICE("AKID"),
                                      .secret_access_key = SLICE("secret"),
                                      .expires_wall_ms = INT64_MAX};
    kit->engine = engine_new(&kit->config, &ports, kit->now_ms, KIT_WALL_MS + kit->now_ms);
    assert_non_null(kit->engine);
    engine_credentials(kit->engine, 0, &credentials, SLICE(""));
}

/* `config` NULL = kit_config(). */
static inline struct kit *kit_new(const struct engine_config *config)
{
    struct kit *kit = calloc(1, sizeof *kit);
    assert_non_null(kit);
    kit->config = config == NULL ? kit_config() : *config;
    kit->now_ms = 1000;
    kit->live_before = memory_live();
    (void)snprintf(kit->membership, sizeof kit->membership, "generation 1");
    for (size_t i = 0; i < COUNT_OF(kit->committed); i++)
        kit->committed[i] = 0;
    kit_begin(kit);
    return kit;
}

/* The process dies and another one takes its place; only committed state remains. */
static inline void kit_die(struct kit *kit)
{
    engine_free(kit->engine);
    for (size_t i = 0; i < kit->call_count; i++)
        kit->calls[i].is_open = false;
    kit->has_batch = false;
    kit->reads.count = 0;
    kit->config.seed++;
    kit_begin(kit);
}

static inline void kit_forget(struct kit_text *texts, size_t *count)
{
    for (size_t i = 0; i < *count; i++) {
        free(texts[i].topic);
        free(texts[i].value);
    }
    *count = 0;
}

static inline void kit_free(struct kit *kit)
{
    engine_free(kit->engine);
    metrics_free(kit->config.metrics);
    assert_int_equal(memory_live(), kit->live_before);
    kit_forget(kit->outputs, &kit->output_count);
    kit_forget(kit->chunks, &kit->chunk_count);
    for (size_t i = 0; i < COUNT_OF(kit->maps); i++)
        free(kit->maps[i]);
    free(kit);
}

/* ---- time ---- */

static inline void kit_time(struct kit *kit, int64_t ms)
{
    kit->now_ms += ms;
    engine_time(kit->engine, kit->now_ms, KIT_WALL_MS + kit->now_ms);
}

static inline void kit_turn(struct kit *kit)
{
    kit->next_ms = engine_turn(kit->engine);
    assert_true(kit->next_ms <= kit->now_ms + 1000);
}

/* Time passes, with a turn whenever the engine wants one. */
static inline void kit_wait(struct kit *kit, int64_t ms)
{
    int64_t until_ms = kit->now_ms + ms;
    kit_turn(kit);
    while (kit->now_ms < until_ms) {
        int64_t next_ms = kit->next_ms > kit->now_ms ? kit->next_ms : kit->now_ms + 1;
        kit_time(kit, (next_ms < until_ms ? next_ms : until_ms) - kit->now_ms);
        kit_turn(kit);
    }
}

/* ---- partitions ---- */

/* Answers every pending read with the committed offsets. */
static inline void kit_read(struct kit *kit)
{
    for (size_t i = 0; i < kit->reads.count; i++) {
        struct kit_note read = kit->reads.list[i];
        const char *map = kit->maps[read.tenure.slot];
        struct committed committed = {
            .offset = kit->committed[read.tenure.slot],
            .leader_epoch = kit->epochs[read.tenure.slot],
            .topic_id = kit->topic_id == NULL ? SLICE_NULL : slice_of(kit->topic_id, 16),
            .metadata = map == NULL ? SLICE_NULL : slice_of_text(map),
        };
        engine_offsets_read(kit->engine, read.tenure, read.ticket, OK, &committed);
    }
    kit->reads.count = 0;
}

static inline void kit_assign(struct kit *kit, uint32_t slot)
{
    kit->tenures[slot] = (struct tenure){slot, ++kit->epoch};
    engine_partition_assigned(kit->engine, kit->tenures[slot], KIT_TOPIC, (int32_t)slot);
    kit_read(kit);
}

/* With partition 0. */
static inline struct kit *kit_started(const struct engine_config *config)
{
    struct kit *kit = kit_new(config);
    kit_assign(kit, 0);
    return kit;
}

/* A record has the time at which it came first. */
static inline int64_t kit_stamp(struct kit *kit, uint32_t slot, int64_t offset)
{
    int64_t *stamp = &kit->stamps[slot][offset % KIT_STAMPS];
    return *stamp != 0 ? *stamp : (*stamp = KIT_WALL_MS + kit->now_ms);
}

static inline void kit_record(struct kit *kit, uint32_t slot, int64_t offset, const char *key,
                              const char *value)
{
    assert_true(engine_room(kit->engine, kit->tenures[slot]) > 0);
    struct record record = {
        .topic = KIT_TOPIC,
        .partition = (int32_t)slot,
        .offset = offset,
        .leader_epoch = kit->epoch_now,
        .timestamp_ms = kit_stamp(kit, slot, offset),
        .timestamp_type = TIMESTAMP_CREATE,
        .key = key == NULL ? SLICE_NULL : slice_of_text(key),
        .value = slice_of_text(value),
    };
    engine_record(kit->engine, kit->tenures[slot], &record);
}

/* A request with further members, such as ",\"stream\":true". */
static inline void kit_request(struct kit *kit, uint32_t slot, int64_t offset, const char *key,
                               const char *more)
{
    char value[2048];
    const char *model = strstr(more, "\"model\"") == NULL ? "\"model\":\"m.1\"," : "";
    (void)snprintf(value, sizeof value, "{%s\"messages\":[[\"human\",\"[[%lld]] hi\"]]%s}", model,
                   (long long)offset, more);
    kit_record(kit, slot, offset, key, value);
}

/* ---- calls ---- */

static inline size_t kit_open_calls(const struct kit *kit)
{
    size_t open = 0;
    for (size_t i = 0; i < kit->call_count; i++)
        open += kit->calls[i].is_open;
    return open;
}

static inline size_t kit_calls_of(const struct kit *kit, int64_t offset)
{
    size_t calls = 0;
    for (size_t i = 0; i < kit->call_count; i++)
        calls += kit->calls[i].offset == offset;
    return calls;
}

/* The open call for this offset. */
static inline struct kit_call *kit_call(struct kit *kit, int64_t offset)
{
    for (size_t i = 0; i < kit->call_count; i++)
        if (kit->calls[i].is_open && kit->calls[i].offset == offset)
            return &kit->calls[i];
    fail_msg("no call is open for offset %lld", (long long)offset);
    return &kit->calls[0];
}

static inline void kit_call_ends(struct kit *kit, struct kit_call *call, enum err err,
                                 bool was_sent)
{
    struct call_end end = {.err = err, .was_sent = was_sent, .words = SLICE("said by the kit")};
    if (!call->is_open)
        return;
    call->is_open = false;
    engine_call_ended(kit->engine, call->ref, &end);
}

static inline void kit_answer_with(struct kit *kit, int64_t offset, int status, const char *headers,
                                   const char *body)
{
    struct kit_call *call = kit_call(kit, offset);
    char head[512];
    (void)snprintf(head, sizeof head, "HTTP/1.1 %d x\r\n%s\r\n", status, headers);
    engine_call_head(kit->engine, call->ref, status, slice_of_text(head));
    engine_call_body(kit->engine, call->ref, slice_of_text(body));
    kit_call_ends(kit, call, OK, true);
}

static inline void kit_answer(struct kit *kit, int64_t offset)
{
    kit_answer_with(kit, offset, 200, "content-type: application/json\r\n", KIT_ANSWER);
}

static inline void kit_throttle(struct kit *kit, int64_t offset)
{
    kit_answer_with(kit, offset, 429, "x-amzn-errortype: ThrottlingException\r\n",
                    "{\"message\":\"slow down\"}");
}

static inline void kit_fail(struct kit *kit, int64_t offset)
{
    kit_answer_with(kit, offset, 500, "x-amzn-errortype: InternalServerException\r\n", "{}");
}

/* ---- batches ---- */

static inline void kit_batch_ends(struct kit *kit, enum batch_outcome outcome)
{
    assert_true(kit->has_batch);
    struct batch_end end = {
        .id = kit->batch.id, .outcome = outcome, .reason = SLICE("said by the kit")};
    kit->has_batch = false;
    engine_batch_ended(kit->engine, &end);
}

/* The broker commits the open batch, whether the engine hears of it or not. */
static inline void kit_make(struct kit *kit)
{
    assert_true(kit->has_batch);
    for (size_t i = 0; i < kit->batch.output_count; i++)
        kit_keep(kit->outputs, &kit->output_count, kit->batch.outputs[i]);
    for (size_t i = 0; i < kit->batch.offset_count; i++) {
        const struct batch_offset *offset = &kit->batch.offsets[i];
        assert_true(kit->may_go_back || offset->offset >= kit->committed[offset->partition]);
        kit->committed[offset->partition] = offset->offset;
        kit->epochs[offset->partition] = offset->leader_epoch;
        free(kit->maps[offset->partition]);
        kit->maps[offset->partition] = kit_copy(offset->metadata);
    }
}

static inline void kit_commit(struct kit *kit)
{
    kit_make(kit);
    kit_batch_ends(kit, BATCH_COMMITTED);
}

static inline void kit_refuse(struct kit *kit, size_t blame, enum err err)
{
    assert_true(kit->has_batch && blame < kit->batch.output_count);
    const struct batch_refusal refusal = {.index = blame, .err = err, .is_sure = true};
    struct batch_end end = {.id = kit->batch.id,
                            .outcome = BATCH_REFUSED,
                            .refusals = &refusal,
                            .refusal_count = 1,
                            .reason = SLICE("said by the kit")};
    kit->has_batch = false;
    engine_batch_ended(kit->engine, &end);
}

/* Waits and commits until nothing more comes. */
static inline void kit_settle(struct kit *kit)
{
    for (int i = 0; i < 50; i++) {
        kit_wait(kit, kit->config.commit_interval_ms);
        if (kit->has_batch)
            kit_commit(kit);
    }
}

#include "engine_kit_outputs.h"

#endif
