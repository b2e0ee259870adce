#include "engine/kept.h"

#include "base/check.h"
#include "engine/attempt.h"
#include "engine/log.h"
#include "engine/way.h"
#include "wire/chat/correction.h"

/* The same would be said again. */
static const char *const final_reasons[] = {"guardrail_intervened", "content_filtered", "refusal"};

bool kept_take(struct engine *engine, struct job *job, const struct answer *answer)
{
    struct request_source source = {&job->record, &job->terms->catalog, way_called(job)};
    bool is_wanted = answer->is_invalid &&
                     (int)job->corrections < job->request.structured.retry_invalid &&
                     !slice_is_one_of(answer->stop_reason, final_reasons, COUNT_OF(final_reasons));
    struct kept_answer *kept = is_wanted ? arena_new(&job->arena, sizeof *kept) : NULL;
    if (kept == NULL || !answer_copy(&job->arena, answer, &kept->answer) ||
        correction_add(&job->arena, &source, answer, &job->request) != OK)
        return false;
    kept->attempt = *attempt_last(job);
    job->kept = kept;
    job->corrections++;
    ENGINE_LOG(engine, LOG_ANSWER_NOT_VALID, REQUEST_FIELDS(job),
               FIELD_TEXT("call", uuid_slice(&kept->attempt.call)),
               FIELD_INT("attempt", kept->attempt.number));
    return true;
}
