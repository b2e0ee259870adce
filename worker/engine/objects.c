#include "engine/objects.h"

#include "base/check.h"
#include "engine/batch.h"
#include "engine/current.h"

static void print(const char *text, int64_t number)
{
    check_print(text);
    check_print_number(number);
}

static void print_partition(const struct partition *partition)
{
    static const char *const STEPS[] = {
        [PARTITION_READING] = "READING",
        [PARTITION_WITHHELD] = "WITHHELD",
        [PARTITION_ACTIVE] = "ACTIVE",
        [PARTITION_REVOKING] = "REVOKING",
    };
    print("  partition: slot ", partition->tenure.slot);
    print(", epoch ", partition->tenure.epoch);
    print(", number ", partition->number);
    check_print(", ");
    check_print(partition->is_gone ? "GONE" : STEPS[partition->step]);
    check_print(partition->is_verified ? ", verified" : ", in doubt");
    print(", committed ", partition->ledger.committed_offset);
    print(", next ", partition->ledger.next);
    print(", open ", (int64_t)partition->ledger.count);
    print(", held ", partition->held);
    print(", calling ", partition->calling);
    print(", results ", partition->results);
    print(", of these in the batch ", partition->batch_results);
    check_print("\n");
}

static void print_job(const struct job *job)
{
    static const char *const STEPS[] = {
#define STEP(name, from) [JOB_##name] = #name,
#include "engine/job_steps.def"
#undef STEP
    };
    print("  job: index ", job->index);
    check_print(", ");
    check_print(STEPS[job->step]);
    print(", offset ", job->offset);
    print(", calls ", job->calls);
    check_print(job->is_leading ? ", leads its lane" : "");
    check_print(job->call != NULL ? ", has a call" : "");
    check_print(", error ");
    check_print(job->why.err == OK ? "none" : err_code(job->why.err));
    check_print("\n");
}

static void print_call(const struct call *call)
{
    print("  call: index ", call->index);
    print(", generation ", call->generation);
    if (call->job == NULL)
        check_print(", free");
    else
        print(", job ", call->job->index);
    print(", status ", call->status);
    check_print(call->is_streaming ? ", streaming" : "");
    check_print(call->is_cancelling ? ", cancelled" : "");
    print(", chunks ", call->chunk_seq);
    check_print("\n");
}

static void print_batch(const struct engine *engine)
{
    print("  batch: id ", (int64_t)batch_id(engine));
    check_print(batch_is_unknown(engine) ? ", UNKNOWN"
                : batch_is_open(engine)  ? ", OPEN"
                                         : ", none");
    print(", outputs ", (int64_t)batch_outputs(engine));
    print(", partitions ", (int64_t)batch_partitions(engine));
    check_print("\n");
}

void objects_print(void)
{
    const struct current *current = current_objects();
    if (current->engine == NULL)
        return;
    print("  engine: now at ms ", current->engine->now_ms);
    check_print("\n");
    if (current->partition != NULL)
        print_partition(current->partition);
    if (current->job != NULL)
        print_job(current->job);
    if (current->call != NULL)
        print_call(current->call);
    print_batch(current->engine);
}
