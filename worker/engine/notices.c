#include "engine/notices.h"

#include "engine/log.h"
#include "wire/chat/unsent.h"

#define NAMES_BYTES 256

/* Whether there was no notice of this hash yet; remembers it. */
static bool is_new(struct notices *notices, uint64_t hash)
{
    for (uint32_t i = 0; i < notices->count; i++)
        if (notices->given[i] == hash)
            return false;
    if (notices->count == NOTICES_MAX)
        return false;
    notices->given[notices->count++] = hash;
    return true;
}

void notice_unsent(struct engine *engine, const struct job *job)
{
    const struct request *request = &job->request;
    struct buf names OWNED_BY(buf_done);
    buf_init(&names, NAMES_BYTES);
    if (request->dropped == 0 ||
        !is_new(&engine->notices, slice_hash(request->model, engine->hash_seed ^ request->dropped)))
        return;
    unsent_add_names(&names, request->dropped);
    ENGINE_LOG(engine, LOG_FIELDS_UNSENT, FIELD_TEXT("model", request->model),
               FIELD_TEXT("names", buf_slice(&names)));
}
