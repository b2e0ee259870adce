#include "wire/aws/metadata.h"

static enum err fail_code(struct arena *arena, const struct json *code,
                          struct document_fault *ret_fault)
{
    struct slice text;
    if (!json_string(arena, code, &text))
        return document_fail(ret_fault, "its Code is not a text");
    text = document_code(text);
    return document_fail(ret_fault, "its Code is %.*s", SLICE_ARG(text));
}

enum err metadata_read(struct arena *arena, struct slice text, struct key_answer *ret_keys,
                       struct document_fault *ret_fault)
{
    const struct json *root;
    const char *why;
    enum err err = document_parse(arena, text, &root, ret_fault);
    if (err != OK)
        return err;
    const struct json *code = json_member(root, "Code");
    if (code != NULL && !json_equal_text(code, "Success"))
        return fail_code(arena, code, ret_fault);
    err = key_answer_read(arena, root, "Token", ret_keys, &why);
    if (err == ERR_FORMAT)
        return document_fail(ret_fault, "%s", why);
    if (err == OK && ret_keys->session_token.ptr == NULL)
        return document_fail(ret_fault, "Token is missing");
    if (err == OK && ret_keys->expires_wall_ms == INT64_MAX)
        return document_fail(ret_fault, "Expiration is missing");
    return err;
}
