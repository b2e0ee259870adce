#include "engine/batch.h"

#include "base/check.h"
#include "base/memory.h"
#include "engine/job_pool.h"
#include "engine/outcome.h"
#include "engine/result.h"

void batch_done(struct engine *engine)
{
    CHECK(engine->batch.offset_count == 0);
    memory_free(engine->batch.outputs);
    memory_free(engine->batch.owners);
    memory_free(engine->batch.offsets);
    memory_free(engine->batch.partitions);
}

/* ---- content ---- */

static void add_output(struct open_batch *batch, struct output *output, struct result *owner)
{
    if (batch->output_count == batch->output_room) {
        size_t room = batch->output_room == 0 ? 256 : batch->output_room * 2;
        struct output **outputs = memory_resize(batch->outputs, room * sizeof *outputs);
        CHECK(outputs != NULL);
        batch->outputs = outputs;
        struct result **owners = memory_resize(batch->owners, room * sizeof *owners);
        CHECK(owners != NULL);
        batch->owners = owners;
        batch->output_room = room;
    }
    batch->outputs[batch->output_count] = output;
    batch->owners[batch->output_count++] = owner;
}

void batch_add_result(struct engine *engine, struct result *result)
{
    CHECK(!engine->batch.is_open);
    result_batch(engine, result);
    outcome_name_replaced(engine, result);
    for (struct link *link = result->outputs.next; link != &result->outputs; link = link->next)
        add_output(&engine->batch, LINK_OWNER(link, struct output, link), result);
    if (result->job != NULL)
        job_go(engine, result->job, JOB_BATCHED);
    struct partition *partition = result->partition;
    if (partition == NULL)
        return;
    if (result->has_usage && !result->told.is_booked)
        ledger_record(&partition->ledger, result->offset, result->is_dead_owners);
    if (result->job != NULL)
        ledger_put_in_batch(&partition->ledger, result->offset);
}

static void make_room_for_offset(struct open_batch *batch)
{
    if (batch->offset_count < batch->offset_room)
        return;
    size_t room = batch->offset_room == 0 ? 64 : batch->offset_room * 2;
    struct batch_offset *offsets = memory_resize(batch->offsets, room * sizeof *offsets);
    CHECK(offsets != NULL);
    batch->offsets = offsets;
    struct partition **partitions = memory_resize(batch->partitions, room * sizeof *partitions);
    CHECK(partitions != NULL);
    batch->partitions = partitions;
    batch->offset_room = room;
}

void batch_add_offset(struct engine *engine, struct partition *partition)
{
    struct open_batch *batch = &engine->batch;
    struct ledger *ledger = &partition->ledger;
    CHECK(!batch->is_open && !partition->is_in_batch);
    make_room_for_offset(batch);
    /* Offset and map are of the same moment. */
    partition->batch_offset = ledger_front(ledger);
    buf_reset(&partition->batch_map);
    struct offset_map_stamp stamp = {
        .nonce = (uint32_t)random_next(&engine->random),
        .topic = partition->topic_hash,
        .second = (uint32_t)(engine->wall_ms / 1000),
        .partitions = partition->topic_partitions,
    };
    CHECK(ledger_add_map(ledger, &stamp, &partition->batch_map) == OK);
    if (engine->config.write_ahead)
        ledger_tell(ledger, (uint32_t)(batch->id + 1));
    ledger->is_changed = false;
    link_out(&ledger->link_changed);
    if (partition->results > partition->batch_results)
        ledger_change(ledger); /* others wait for the next batch */
    partition->is_in_batch = true;
    batch->partitions[batch->offset_count] = partition;
    batch->offsets[batch->offset_count++] = (struct batch_offset){
        .tenure = partition->tenure,
        .topic = partition->topic,
        .partition = partition->number,
        .offset = partition->batch_offset,
        .leader_epoch = ledger_epoch(ledger, partition->batch_offset),
        .metadata = buf_slice(&partition->batch_map),
        .batch = batch->id + 1,
    };
}

/* ---- life ---- */

void batch_open(struct engine *engine, uint32_t membership, bool is_last)
{
    struct open_batch *own = &engine->batch;
    CHECK(!own->is_open);
    own->is_open = true;
    own->id++;
    own->membership = membership;
    own->opened_ms = engine->now_ms;
    struct batch batch = {
        .id = own->id,
        .outputs = own->outputs,
        .output_count = own->output_count,
        .offsets = own->offsets,
        .offset_count = own->offset_count,
        .is_last = is_last,
    };
    engine->ports.batch_commit(engine->ports.self, &batch);
}

void batch_become_unknown(struct engine *engine)
{
    CHECK(engine->batch.is_open);
    engine->batch.is_unknown = true;
}

struct partition *batch_remove_partition(struct engine *engine)
{
    struct open_batch *batch = &engine->batch;
    if (batch->offset_count > 0) {
        struct partition *partition = batch->partitions[--batch->offset_count];
        partition->is_in_batch = false;
        return partition;
    }
    CHECK(results_batched(engine) == 0);
    batch->is_open = batch->is_unknown = false;
    batch->output_count = 0;
    return NULL;
}

/* ---- questions ---- */

bool batch_is_open(const struct engine *engine)
{
    return engine->batch.is_open;
}

bool batch_is_unknown(const struct engine *engine)
{
    return engine->batch.is_unknown;
}

bool batch_is_under_way(const struct engine *engine)
{
    return engine->batch.is_open && !engine->batch.is_unknown;
}

uint64_t batch_id(const struct engine *engine)
{
    return engine->batch.id;
}

uint32_t batch_membership(const struct engine *engine)
{
    return engine->batch.membership;
}

int64_t batch_age_ms(const struct engine *engine)
{
    return engine->now_ms - engine->batch.opened_ms;
}

size_t batch_outputs(const struct engine *engine)
{
    return engine->batch.output_count;
}

struct output *batch_output(const struct engine *engine, size_t index)
{
    CHECK(index < engine->batch.output_count);
    return engine->batch.outputs[index];
}

struct result *batch_owner(const struct engine *engine, size_t index)
{
    CHECK(index < engine->batch.output_count);
    return engine->batch.owners[index];
}

size_t batch_partitions(const struct engine *engine)
{
    return engine->batch.offset_count;
}

struct partition *batch_partition(const struct engine *engine, size_t index)
{
    CHECK(index < engine->batch.offset_count);
    return engine->batch.partitions[index];
}
