#include "wire/bedrock/fault.h"

#include "base/secrets.h"
#include "wire/formats/http.h"
#include "wire/formats/json.h"

#define FAULT_BODY_BYTES_MAX  (64 * 1024)
#define FAULT_ARENA_BYTES_MAX (256 * 1024)
#define CONTENT_TYPE_SHOWN    64

struct fault_name {
    struct slice name;
    int status;
    enum err err;
};

struct fault_status {
    int status;
    enum err err;
};

static const struct fault_name NAMES[] = {
#define FAULT(name, status, err) {{name, sizeof(name) - 1}, status, ERR_##err},
#define STATUS(status, err)
#include "wire/bedrock/fault.def"
#undef FAULT
#undef STATUS
};

static const struct fault_status STATUSES[] = {
#define FAULT(name, status, err)
#define STATUS(status, err) {status, ERR_##err},
#include "wire/bedrock/fault.def"
#undef FAULT
#undef STATUS
};

static const struct slice OVERFLOWS[] = {
#define FAULT(name, status, err)
#define STATUS(status, err)
#define OVERFLOW(words) {words, sizeof(words) - 1},
#include "wire/bedrock/fault.def"
#undef FAULT
#undef STATUS
};

/* What an error document says. */
struct document {
    struct slice name, message;
    int64_t original_status; /* 0 = none */
    bool is_object;
};

/* Names go to the log: whatever is none must not. */
static bool is_name(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i], letter = (char)(byte | 0x20);
        bool is_plain = (letter >= 'a' && letter <= 'z') || (byte >= '0' && byte <= '9');
        if (!is_plain && byte != '_' && byte != '-' && byte != '.')
            return false;
    }
    return true;
}

/* `aws.protocoltests#ThrottlingException:http://…` → ThrottlingException */
static struct slice bare_name(struct slice text)
{
    text = slice_sub(text, 0, slice_find(text, ':'));
    size_t hash = slice_find(text, '#');
    text = slice_trim(hash < text.len ? slice_sub(text, hash + 1, text.len) : text);
    return is_name(text) ? text : SLICE_NULL;
}

/* Streams write names in lower camel case. */
static const struct fault_name *find_name(struct slice name)
{
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (slice_equal_nocase(NAMES[i].name, name))
            return &NAMES[i];
    }
    return NULL;
}

static struct slice text_member(struct arena *arena, const struct json *object, const char *first,
                                const char *second)
{
    struct slice text;
    const struct json *node = json_member(object, first);
    if (!json_is(node, JSON_STRING))
        node = json_member(object, second);
    if (!json_is(node, JSON_STRING) || !json_string(arena, node, &text))
        return SLICE_NULL;
    return text;
}

/* Reads `__type` or `code`, `message` or `Message`, and `originalStatusCode`. Anything else is no
 * document. */
static void read_document(struct arena *arena, struct slice body, struct document *ret_document)
{
    *ret_document = (struct document){SLICE_NULL, SLICE_NULL, 0, false};
    const struct json *root = NULL;
    if (body.len == 0 || body.len > FAULT_BODY_BYTES_MAX ||
        json_parse(arena, body, &root, NULL) != OK || !json_is(root, JSON_OBJECT))
        return;
    int64_t status;
    ret_document->is_object = true;
    ret_document->name = bare_name(text_member(arena, root, "__type", "code"));
    ret_document->message = text_member(arena, root, "message", "Message");
    if (json_int64(json_member(root, "originalStatusCode"), &status))
        ret_document->original_status = status;
}

static enum err by_original_status(enum err err, int64_t status)
{
    if (err != ERR_MODEL_ERROR)
        return err;
    if (status == 429)
        return ERR_THROTTLED;
    return status >= 500 && status < 600 ? ERR_UNAVAILABLE : err;
}

static enum err by_status(int status)
{
    for (size_t i = 0; i < COUNT_OF(STATUSES); i++) {
        if (STATUSES[i].status == status)
            return STATUSES[i].err;
    }
    if (status >= 500 && status < 600)
        return ERR_UNAVAILABLE;
    return status >= 400 && status < 500 ? ERR_REJECTED : ERR_BAD_ANSWER;
}

static bool has_words(struct slice text, struct slice words)
{
    for (size_t at = 0; at + words.len <= text.len; at++)
        if (slice_equal_nocase(slice_sub(text, at, words.len), words))
            return true;
    return false;
}

static enum err by_message(enum err err, const struct fault_name *known, struct slice message)
{
    if (known == NULL || !slice_equal(known->name, SLICE("ValidationException")))
        return err;
    for (size_t i = 0; i < COUNT_OF(OVERFLOWS); i++)
        if (has_words(message, OVERFLOWS[i]))
            return ERR_CONTEXT_OVERFLOW;
    return err;
}

static void set_name(struct why *why, const struct fault_name *known, struct slice name)
{
    why_copy(why->type, sizeof why->type, known != NULL ? known->name : name);
    secrets_mask(why->type);
}

static enum err tell_foreign(struct why *why, enum err err, struct slice message)
{
    struct buf masked OWNED_BY(buf_done);
    buf_init(&masked, FAULT_BODY_BYTES_MAX);
    secrets_add_masked(&masked, message);
    (void)why_set(why, err, NULL, "%.*s", SLICE_ARG(buf_slice(&masked)));
    why->is_foreign = true;
    return err;
}

/* The message for people; `document` has the name that the headers may have given. */
static enum err tell_answer(struct why *why, enum err err, int status, struct slice head,
                            struct slice body, const struct document *document)
{
    if (document->message.len > 0)
        return tell_foreign(why, err, document->message);
    if (document->is_object || document->name.len > 0)
        return why_set(why, err, NULL, "status %d without a message", status);
    if (body.len == 0)
        return why_set(why, err, NULL, "status %d without a body", status);
    struct slice type = slice_sub(http_header(head, "content-type"), 0, CONTENT_TYPE_SHOWN);
    if (type.len == 0)
        type = SLICE("no content type");
    return why_set(why, err, NULL,
                   "status %d with a body that is not Bedrock's (%.*s): a proxy's page?", status,
                   SLICE_ARG(type));
}

enum err fault_of_answer(int status, struct slice head, struct slice body, struct why *ret_why)
{
    struct arena arena OWNED_BY(arena_done);
    struct document document;
    arena_init(&arena, FAULT_ARENA_BYTES_MAX);
    read_document(&arena, body, &document);
    struct slice name = bare_name(http_header(head, "x-amzn-errortype"));
    if (name.len > 0)
        document.name = name;
    const struct fault_name *known = find_name(document.name);
    enum err err = known != NULL ? known->err : by_status(status);
    err = by_original_status(err, document.original_status);
    err = by_message(err, known, document.message);
    err = tell_answer(ret_why, err, status, head, body, &document);
    set_name(ret_why, known, document.name);
    return err;
}

enum err fault_of_event(const struct event *event, struct why *ret_why)
{
    struct arena arena OWNED_BY(arena_done);
    struct document document;
    arena_init(&arena, FAULT_ARENA_BYTES_MAX);
    read_document(&arena, event->payload, &document);
    struct slice name = bare_name(event->type);
    const struct fault_name *known = find_name(name);
    enum err err = ERR_BROKEN_STREAM;
    if (known != NULL)
        err = by_original_status(known->err, document.original_status);
    else if (event->kind == EVENT_KIND_ERROR)
        err = ERR_UNAVAILABLE;
    struct slice message = document.message.len > 0 ? document.message : event->message;
    if (message.len == 0)
        message = SLICE("the stream ended with an exception without a message");
    err = by_message(err, known, message);
    err = tell_foreign(ret_why, err, message);
    set_name(ret_why, known, name);
    return err;
}

int fault_status(struct slice name)
{
    const struct fault_name *known = find_name(name);
    return known == NULL ? 0 : known->status;
}
