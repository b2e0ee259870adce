#include "wire/bedrock/count.h"

#include "wire/bedrock/sigv4.h"
#include "wire/formats/base64.h"

void count_add_path(const struct request *request, struct slice model, struct buf *ret_path)
{
    struct slice name = request->traits.name;
    bool is_known = slice_find(name, '.') < name.len;
    buf_add_text(ret_path, "/model/");
    sigv4_add_label(ret_path, is_known ? name : model);
    buf_add_text(ret_path, "/count-tokens");
}

static enum err add_invocation(const struct dialect *dialect, const struct request *request,
                               struct buf *ret_body)
{
    struct buf body OWNED_BY(buf_done);
    buf_init(&body, ret_body->limit);
    enum err err = dialect->family->encode(dialect, request, &body);
    if (err != OK)
        return err;
    buf_add_text(ret_body, "\"invokeModel\":{\"body\":\"");
    base64_add(ret_body, buf_slice(&body));
    buf_add_text(ret_body, "\"}");
    return OK;
}

enum err count_encode(const struct dialect *dialect, const struct request *request,
                      struct buf *ret_body)
{
    enum err err = OK;
    buf_add_text(ret_body, "{\"input\":{");
    if (dialect->family->add_counted != NULL)
        dialect->family->add_counted(dialect, request, ret_body);
    else
        err = add_invocation(dialect, request, ret_body);
    buf_add_text(ret_body, "}}");
    return err != OK ? err : ret_body->failed;
}

enum err count_decode(const struct heard *heard, struct answer *ret_answer, struct why *ret_why)
{
    struct arena scratch OWNED_BY(arena_done);
    const struct json *root = NULL;
    int64_t tokens = 0;
    arena_init(&scratch, DIALECT_SCRATCH_BYTES(heard->body.len));
    why_clear(ret_why);
    enum err err = json_parse_loosely(&scratch, heard->body, &root, NULL);
    if (err == ERR_NO_MEMORY)
        return why_set(ret_why, err, NULL, "%s", "");
    if (err != OK || !json_int64(json_member(root, "inputTokens"), &tokens) || tokens < 0)
        return why_set(ret_why, ERR_BAD_ANSWER, NULL, "the answer has no count of inputTokens");
    *ret_answer = (struct answer){
        .usage = {.input_tokens = tokens,
                  .total_tokens = tokens,
                  .cache_write_1h_tokens = ANSWER_COUNT_ABSENT,
                  .reasoning_tokens = ANSWER_COUNT_ABSENT,
                  .known = true},
    };
    return OK;
}
