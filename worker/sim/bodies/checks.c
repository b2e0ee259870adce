#include "sim/bodies/checks.h"

#include <string.h>

#include "sim/bodies/lacks.h"
#include "sim/bodies/parts.h"
#include "wire/formats/base64.h"

#define MODEL_ID_MAX   2048
#define BODY_BYTES_MAX 25000000 /* of InvokeModel */

static enum err parse(struct reading *reading, struct slice body, const struct json **ret_root)
{
    struct json_fault fault;
    enum err err = json_parse(reading->arena, body, ret_root, &fault);
    if (err == OK || err == ERR_NO_MEMORY)
        return err;
    return reading_refuse(reading,
                          "Malformed input request: not valid JSON at byte %zu: %s, please "
                          "reformat your input and try again.",
                          fault.offset, fault.words);
}

static enum err read_converse(struct reading *reading, const struct json *root,
                              enum operation operation)
{
    const struct shape *shape = operation == OPERATION_CONVERSE_STREAM ? &SHAPE_CONVERSE_STREAM
                                : operation == OPERATION_COUNT_TOKENS  ? &SHAPE_CONVERSE_TOKENS
                                                                       : &SHAPE_CONVERSE;
    if (model_lacks(reading->model, LACK_CONVERSE))
        return reading_refuse(reading, "This action doesn't support the model that you provided. "
                                       "Try again with a supported text or chat model.");
    enum err err = check_shape(reading->arena, root, shape, reading->reason);
    return err == OK ? check_converse(reading, root) : err;
}

static enum err read_invoke(struct reading *reading, const struct json *root)
{
    if (reading->family == NULL)
        reading->family = family_of_body(root);
    enum err err = check_shape(reading->arena, root, reading->family->body, reading->reason);
    return err == OK ? reading->family->read(reading, root) : err;
}

/* The body that CountTokens counts lies inside its own. */
static enum err read_counted(struct reading *reading, const struct json *root)
{
    struct slice text, body;
    struct buf decoded OWNED_BY(buf_done);
    size_t offset;
    buf_init(&decoded, BODY_BYTES_MAX);
    enum err err = check_shape(reading->arena, root, &SHAPE_COUNT_TOKENS, reading->reason);
    if (err != OK)
        return err;
    if (model_lacks(reading->model, LACK_COUNTING))
        return reading_refuse(reading, "The provided model doesn't support counting tokens.");
    const struct json *input = json_member(root, "input");
    const struct json *converse = json_member(input, "converse");
    if (json_is(converse, JSON_OBJECT))
        return read_converse(reading, converse, OPERATION_COUNT_TOKENS);
    const struct json *raw = json_member(json_member(input, "invokeModel"), "body");
    if (!json_string(reading->arena, raw, &text))
        return ERR_NO_MEMORY;
    if (base64_add_decoded(&decoded, text, &offset) != OK) /* the shape has checked the text */
        return ERR_NO_MEMORY;
    if (!arena_copy(reading->arena, buf_slice(&decoded), &body))
        return ERR_NO_MEMORY;
    err = parse(reading, body, &root);
    return err == OK ? read_invoke(reading, root) : err;
}

/* Converse quotes the model, InvokeModel lets it speak. */
static void drop_said(char *text)
{
    size_t len = sizeof(SAID) - 1;
    if (strncmp(text, SAID, len) == 0)
        memmove(text, text + len, strlen(text) - len + 1);
}

enum err check_body(struct arena *arena, const struct check_request *request,
                    struct conversation *ret_conversation, const struct family **ret_family,
                    char ret_text[CHECK_TEXT_MAX])
{
    struct reading reading;
    const struct json *root;
    *ret_conversation = (struct conversation){.max_tokens = -1};
    if (!reading_init(&reading, arena, request->body, ret_conversation, ret_text))
        return ERR_NO_MEMORY;
    reading.model = request->model;
    reading.family = family_of_model(request->model);
    enum err err = parse(&reading, request->body, &root);
    if (err != OK)
        return err;
    switch (OPERATIONS[request->operation].body) {
    case OPERATION_BODY_COUNT:
        err = read_counted(&reading, root);
        break;
    case OPERATION_BODY_INVOKE:
        err = read_invoke(&reading, root);
        break;
    case OPERATION_BODY_CONVERSE:
    default:
        err = read_converse(&reading, root, request->operation);
        break;
    }
    reading_end(&reading);
    if (err == ERR_REJECTED && OPERATIONS[request->operation].body != OPERATION_BODY_CONVERSE)
        drop_said(ret_text);
    *ret_family = reading.family != NULL ? reading.family : &FAMILY_CUSTOM;
    return err;
}

bool check_model_id(struct slice model)
{
    for (size_t i = 0; i < model.len; i++) {
        char byte = model.ptr[i];
        bool good = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                    (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '.' ||
                    byte == ':' || byte == '/';
        if (!good)
            return false;
    }
    return model.len > 0 && model.len <= MODEL_ID_MAX;
}
