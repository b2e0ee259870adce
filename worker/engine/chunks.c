#include "engine/chunks.h"

#include "engine/chunk_topic.h"

void chunk_send(struct engine *engine, struct call *call, const struct stream_step *step,
                const struct usage_counts *counts)
{
    struct job *job = call->job;
    const struct attempt *attempt = call->attempt;
    if (call->is_chunk_refused || call->is_chunk_unsent)
        return;
    if (call->chunk_run.list == NULL && call->receiver != NULL &&
        output_chunk_run(&job->terms->output, &call->receiver->arena, &job->record, &job->request,
                         &call->chunk_run) != OK)
        call->chunk_run.list = NULL; /* each chunk makes its own headers then */
    struct chunk_facts facts = {
        .run = call->receiver != NULL && call->chunk_run.list != NULL ? &call->chunk_run : NULL,
        .record = &job->record,
        .request = &job->request,
        .attempt = attempt,
        .seq = call->chunk_seq,
        .gap = call->chunk_gap,
        .step = step,
        .usage = counts,
        .partition = chunk_topic_partition(engine, job),
        .wall_ms = engine->wall_ms,
    };
    struct output *chunk;
    if (output_chunk(&job->terms->output, &facts, &chunk) != OK) {
        call->is_chunk_unsent = true;
        return;
    }
    if (!engine->ports.chunk_send(engine->ports.self, call_ref_of(call), chunk, step->is_last)) {
        job->last_run_gap = ++call->chunk_gap;
        return;
    }
    call->chunk_seq++;
    call->chunk_gap = 0;
    call->is_run_ended = step->is_last;
    job->last_run = attempt->call;
    job->last_run_attempt = attempt->number;
    job->last_run_seq = call->chunk_seq;
    job->last_run_gap = 0;
}

void chunks_end(struct engine *engine, struct call *call, const struct answer *answer)
{
    bool is_string = answer->content.len > 0 && answer->content.ptr[0] == '"';
    struct stream_step step = {
        .is_chunk = true,
        .content = is_string ? SLICE("\"\"") : SLICE("[]"),
        .has_usage = answer->usage.known,
        .is_last = true,
    };
    if (call->is_streaming && call->chunk_seq > 0 && !call->is_run_ended)
        chunk_send(engine, call, &step, step.has_usage ? &answer->usage : NULL);
}

void chunks_close(struct engine *engine, struct job *job)
{
    if (job->last_run_seq == 0)
        return;
    struct attempt attempt = {.number = job->last_run_attempt, .call = job->last_run};
    struct chunk_facts facts = {
        .record = &job->record,
        .request = &job->request,
        .attempt = &attempt,
        .seq = job->last_run_seq,
        .gap = job->last_run_gap,
        .why = &job->why,
        .partition = chunk_topic_partition(engine, job),
        .wall_ms = engine->wall_ms,
    };
    struct output *chunk;
    struct call_ref no_call = {UINT32_MAX, 0};
    if (output_chunk(&job->terms->output, &facts, &chunk) == OK)
        (void)engine->ports.chunk_send(engine->ports.self, no_call, chunk, true);
}
