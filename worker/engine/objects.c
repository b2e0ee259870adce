#include "engine/objects.h"

#include "base/check.h"
#include "engine/batch.h"
#include "engine/current.h"

static void say(const char *words, int64_t number)
{
    check_print(words);
    check_print_number(number);
}

static void say_partition(const struct partition *partition)
{
    static const char *const STEPS[] = {
        [PARTITION_READING] = "READING",
        [PARTITION_ACTIVE] = "ACTIVE",
        [PARTITION_REVOKING] = "REVOKING",
    };
    say("  partition: slot ", partition->tenure.slot);
    say(", epoch ", partition->tenure.epoch);
    say(", number ", partition->number);
    check_print(", ");
    check_print(partition->is_gone ? "GONE" : STEPS[partition->step]);
    check_print(partition->is_verified ? ", verified" : ", in doubt");
    say(", committed ", partition->ledger.committed_offset);
    say(", next ", partition->ledger.next);
    say(", open ", (int64_t)partition->ledger.count);
    say(", held ", partition->held);
    say(", calling ", partition->calling);
    say(", results ", partition->results);
    say(", of these in the batch ", partition->batch_results);
    check_print("\n");
}

static void say_job(const struct job *job)
{
    static const char *const STEPS[] = {
#define STEP(name, from) [JOB_##name] = #name,
#include "engine/job_steps.def"
#undef STEP
    };
    say("  job: index ", job->index);
    check_print(", ");
    check_print(STEPS[job->step]);
    say(", offset ", job->offset);
    say(", calls ", job->calls);
    check_print(job->is_leading ? ", leads its lane" : "");
    check_print(job->call != NULL ? ", has a call" : "");
    check_print(", error ");
    check_print(job->why.err == OK ? "none" : err_code(job->why.err));
    check_print("\n");
}

static void say_call(const struct call *call)
{
    say("  call: index ", call->index);
    say(", generation ", call->generation);
    if (call->job == NULL)
        check_print(", free");
    else
        say(", job ", call->job->index);
    say(", status ", call->status);
    check_print(call->is_streaming ? ", streaming" : "");
    check_print(call->is_cancelling ? ", cancelled" : "");
    say(", chunks ", call->chunk_seq);
    check_print("\n");
}

static void say_batch(const struct engine *engine)
{
    say("  batch: id ", (int64_t)batch_id(engine));
    check_print(batch_is_unknown(engine) ? ", UNKNOWN"
                : batch_is_open(engine)  ? ", OPEN"
                                         : ", none");
    say(", outputs ", (int64_t)batch_outputs(engine));
    say(", partitions ", (int64_t)batch_partitions(engine));
    check_print("\n");
}

void objects_say(void)
{
    const struct hand *hand = hand_now();
    if (hand->engine == NULL)
        return;
    say("  engine: now at ms ", hand->engine->now_ms);
    check_print("\n");
    if (hand->partition != NULL)
        say_partition(hand->partition);
    if (hand->job != NULL)
        say_job(hand->job);
    if (hand->call != NULL)
        say_call(hand->call);
    say_batch(hand->engine);
}
