#include "wire/bedrock/dialect.h"

#include "wire/bedrock/count.h"
#include "wire/bedrock/fault.h"
#include "wire/formats/http.h"

void dialect_add_path(const struct dialect *dialect, struct slice model, bool stream,
                      struct buf *ret_path)
{
    dialect->api->add_path(dialect, model, stream, ret_path);
}

void dialect_add_request_path(const struct dialect *dialect, const struct request *request,
                              struct slice model, bool stream, struct buf *ret_path)
{
    if (request != NULL && request->count_tokens)
        count_add_path(request, model, ret_path);
    else
        dialect_add_path(dialect, model, stream, ret_path);
}

enum err dialect_add_headers(const struct dialect *dialect, const struct request *request,
                             bool stream, struct call_headers *ret_headers)
{
    if (dialect->api->add_headers == NULL || (request != NULL && request->count_tokens))
        return OK;
    return dialect->api->add_headers(dialect, request, stream, ret_headers);
}

enum err dialect_encode(const struct dialect *dialect, const struct request *request,
                        struct buf *ret_body)
{
    if (request->count_tokens)
        return count_encode(dialect, request, ret_body);
    return dialect->family->encode(dialect, request, ret_body);
}

uint32_t dialect_max_tokens(const struct dialect *dialect)
{
    const struct family *family = dialect->family;
    return family->max_tokens == NULL ? 0 : family->max_tokens(family);
}

bool dialect_streams(const struct dialect *dialect, const struct request *request)
{
    return request->stream && !request->count_tokens && dialect->family->can_stream;
}

bool dialect_is_stream(const struct dialect *dialect, const struct heard *heard)
{
    struct slice type = http_header(heard->head, "content-type");
    return heard->status == 200 && dialect_streams(dialect, heard->request) && type.ptr != NULL &&
           slice_starts(type, slice_of_text(dialect->api->stream_type));
}

enum err dialect_decode(const struct dialect *dialect, struct arena *arena,
                        const struct heard *heard, struct answer *ret_answer, struct why *ret_why)
{
    if (heard->request != NULL && heard->request->count_tokens)
        return count_decode(heard, ret_answer, ret_why);
    return dialect->family->decode(dialect, arena, heard, ret_answer, ret_why);
}

/* --- streams --- */

enum err dialect_stream_start(const struct dialect *dialect, struct arena *arena,
                              const struct heard *heard, size_t answer_limit,
                              struct stream **ret_stream)
{
    return dialect->family->stream_start(dialect, arena, heard, answer_limit, ret_stream);
}

enum err dialect_stream_step(const struct dialect *dialect, struct stream *stream,
                             const struct event *frame, struct stream_step *ret_step,
                             struct why *ret_why)
{
    struct buf payload OWNED_BY(buf_done);
    struct event event = *frame;
    buf_init(&payload, EVENT_PAYLOAD_BYTES_MAX);
    why_clear(ret_why);
    *ret_step = (struct stream_step){.is_chunk = false};
    if (frame->kind == EVENT_KIND_EXCEPTION || frame->kind == EVENT_KIND_ERROR)
        return fault_of_event(frame, ret_why);
    if (frame->kind != EVENT_KIND_EVENT)
        return OK;
    if (dialect->api->unwrap != NULL) {
        enum err err = dialect->api->unwrap(dialect, frame, &payload, &event, ret_why);
        if (err != OK)
            return err;
    }
    return dialect->family->stream_step(dialect, stream, &event, ret_step, ret_why);
}

enum err dialect_stream_end(const struct dialect *dialect, struct stream *stream,
                            struct answer *ret_answer, struct why *ret_why)
{
    return dialect->family->stream_end(dialect, stream, ret_answer, ret_why);
}

void dialect_stream_heard(const struct dialect *dialect, const struct stream *stream,
                          struct usage_counts *ret_counts, size_t *ret_text_bytes)
{
    dialect->family->stream_heard(dialect, stream, ret_counts, ret_text_bytes);
}

void dialect_stream_done(const struct dialect *dialect, struct stream *stream)
{
    dialect->family->stream_done(dialect, stream);
}
