/* The content blocks of Converse: who may have them, how many, how large (Bedrock API reference,
 * Message, ImageBlock, DocumentBlock). */
#include "sim/bodies/parts.h"
#include "sim/signature.h"

#define IMAGES_MAX         20
#define IMAGE_BYTES_MAX    3932160 /* 3.75 MB */
#define DOCUMENT_BYTES_MAX 4718592 /* 4.5 MB */

static enum err read_text(struct reading *reading, const struct json *value,
                          const struct block_place *place)
{
    bool is_blank = false;
    enum err err = reading_keep_text(reading, value, &is_blank);
    if (err == OK && is_blank)
        err = reading_refuse(reading,
                             "The text field in the ContentBlock object at %s is blank. Add text "
                             "to the text field, and try again.",
                             place->place);
    return err;
}

static enum err read_cache_point(struct reading *reading, const struct json *value,
                                 const struct block_place *place)
{
    (void)place;
    return reading_cache_point(reading, json_equal_text(json_member(value, "ttl"), "1h"));
}

/* Notes a medium; its bytes, or 0 when it lies in S3. */
static enum err note_media(struct reading *reading, const char *kind, const struct json *value,
                           size_t *ret_bytes)
{
    struct slice format, bytes;
    enum err err = reading_string(reading, value, "format", &format);
    if (err == OK)
        err = reading_string(reading, json_member(value, "source"), "bytes", &bytes);
    if (err != OK)
        return err;
    *ret_bytes = reading_base64_len(bytes);
    reading_add_other(reading, value);
    reading_add_media(reading, kind, format, *ret_bytes);
    return OK;
}

static enum err refuse_size(struct reading *reading, const struct block_place *place,
                            const char *kind, const char *most)
{
    return reading_refuse(reading, SAID "%s: %s exceeds %s maximum", place->place, kind, most);
}

static enum err read_image(struct reading *reading, const struct json *value,
                           const struct block_place *place)
{
    size_t bytes = 0;
    enum err err = note_media(reading, "image", value, &bytes);
    if (err == OK && ++reading->images > IMAGES_MAX)
        err =
            reading_refuse(reading, SAID "too many images: %zu > %d", reading->images, IMAGES_MAX);
    if (err == OK && bytes > IMAGE_BYTES_MAX)
        err = refuse_size(reading, place, "image", "3.75 MB");
    return err;
}

/* Bedrock accepts letters, digits, single white space, hyphens, parentheses and brackets. */
static bool is_document_name(struct slice name)
{
    static const char BESIDE[] = "-()[]";
    for (size_t i = 0; i < name.len; i++) {
        char byte = name.ptr[i];
        bool is_space = byte == ' ' || byte == '\t' || byte == '\n';
        bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                        (byte >= '0' && byte <= '9') ||
                        slice_find(slice_of_text(BESIDE), byte) < sizeof BESIDE - 1;
        if (!is_plain && (!is_space || (i > 0 && name.ptr[i - 1] == byte)))
            return false;
    }
    return true;
}

static enum err keep_name(struct reading *reading, struct slice name)
{
    if (!is_document_name(name))
        return reading_refuse(
            reading,
            "The document file name can only contain alphanumeric characters, whitespace "
            "characters, hyphens, parentheses, and square brackets. The name can't contain "
            "more than one consecutive whitespace character.");
    for (size_t i = 0; i < reading->documents; i++)
        if (slice_equal(reading->document_names[i], name))
            return reading_refuse(reading,
                                  SAID "messages: document names must be unique, but \"%.*s\" is "
                                       "there twice",
                                  (int)(name.len < 100 ? name.len : 100), name.ptr);
    if (reading->documents == DOCUMENTS_MAX)
        return reading_refuse(reading, SAID "too many documents: %d > %d", DOCUMENTS_MAX + 1,
                              DOCUMENTS_MAX);
    reading->document_names[reading->documents++] = name;
    return OK;
}

static enum err read_document(struct reading *reading, const struct json *value,
                              const struct block_place *place)
{
    size_t bytes = 0;
    struct slice name;
    enum err err = note_media(reading, "document", value, &bytes);
    if (err == OK)
        err = reading_string(reading, value, "name", &name);
    if (err == OK)
        err = keep_name(reading, name);
    if (err == OK && bytes > DOCUMENT_BYTES_MAX)
        err = refuse_size(reading, place, "document", "4.5 MB");
    const struct json *citations = json_member(value, "citations");
    if (json_is(json_member(citations, "enabled"), JSON_TRUE))
        reading->conversation->cites = true;
    return err;
}

static enum err read_video(struct reading *reading, const struct json *value,
                           const struct block_place *place)
{
    size_t bytes = 0;
    (void)place;
    return note_media(reading, "video", value, &bytes);
}

static enum err read_audio(struct reading *reading, const struct json *value,
                           const struct block_place *place)
{
    size_t bytes = 0;
    (void)place;
    return note_media(reading, "audio", value, &bytes);
}

static enum err read_tool_use(struct reading *reading, const struct json *value,
                              const struct block_place *place)
{
    (void)place;
    reading_add_other(reading, value);
    return OK;
}

/* The content of a result has kinds of blocks of its own, beside those of a message `json`. */
static enum err read_tool_result(struct reading *reading, const struct json *value,
                                 const struct block_place *place)
{
    const struct json *content = json_member(value, "content");
    bool is_blank = false;
    reading->conversation->has_results = true;
    for (const struct json *block = content->first; block != NULL; block = block->next) {
        const struct json *text = json_member(block, "text");
        const struct json *json = json_member(block, "json");
        enum err err = OK;
        if (json_is(text, JSON_STRING))
            err = reading_keep_text(reading, text, &is_blank);
        else if (json != NULL && json->kind != JSON_NULL)
            reading_add_json(reading, json);
        else
            err = check_block(reading, block, place);
        if (err != OK)
            return err;
    }
    return OK;
}

static enum err read_guarded(struct reading *reading, const struct json *value,
                             const struct block_place *place)
{
    const struct json *text = json_member(json_member(value, "text"), "text");
    if (json_is(text, JSON_STRING))
        return read_text(reading, text, place);
    reading_add_other(reading, value);
    return OK;
}

/* Claude signs its reasoning, and takes back what it has signed. */
static enum err read_reasoning(struct reading *reading, const struct json *value,
                               const struct block_place *place)
{
    struct slice text, signature;
    const struct json *plain = json_member(value, "reasoningText");
    enum err err = reading_string(reading, plain, "text", &text);
    if (err == OK)
        err = reading_string(reading, plain, "signature", &signature);
    if (err != OK)
        return err;
    reading_add_other(reading, value);
    if (plain == NULL || reading->family == NULL || !reading->family->signs)
        return OK;
    if (signature.ptr == NULL)
        return reading_refuse(reading, SAID "%s.thinking.signature: Field required", place->place);
    if (!signature_fits(text, signature))
        return reading_refuse(reading, SAID "%s: Invalid `signature` in `thinking` block",
                              place->place);
    return OK;
}

static enum err read_citations(struct reading *reading, const struct json *value,
                               const struct block_place *place)
{
    const struct json *content = json_member(value, "content");
    (void)place;
    for (const struct json *part = json_is(content, JSON_ARRAY) ? content->first : NULL;
         part != NULL; part = part->next) {
        bool is_blank = false;
        const struct json *text = json_member(part, "text");
        enum err err =
            json_is(text, JSON_STRING) ? reading_keep_text(reading, text, &is_blank) : OK;
        if (err != OK)
            return err;
    }
    return OK;
}

static enum err read_search_result(struct reading *reading, const struct json *value,
                                   const struct block_place *place)
{
    (void)place;
    reading_add_other(reading, value);
    const struct json *citations = json_member(value, "citations");
    if (json_is(json_member(citations, "enabled"), JSON_TRUE))
        reading->conversation->cites = true;
    return OK;
}

enum block_who { WHO_ANYONE, WHO_USER, WHO_ASSISTANT };

/* The kinds of blocks; a role that may not have one is an error. */
static const struct block_row {
    const char *member;
    enum block_who who;
    enum err (*read)(struct reading *reading, const struct json *value,
                     const struct block_place *place);
} BLOCKS[] = {
    {"text", WHO_ANYONE, read_text},
    {"cachePoint", WHO_ANYONE, read_cache_point},
    {"image", WHO_USER, read_image},
    {"document", WHO_USER, read_document},
    {"video", WHO_USER, read_video},
    {"audio", WHO_USER, read_audio},
    {"toolUse", WHO_ASSISTANT, read_tool_use},
    {"toolResult", WHO_USER, read_tool_result},
    {"guardContent", WHO_ANYONE, read_guarded},
    {"reasoningContent", WHO_ASSISTANT, read_reasoning},
    {"citationsContent", WHO_ASSISTANT, read_citations},
    {"searchResult", WHO_USER, read_search_result},
};

static bool may_have(const struct block_row *row, const struct json *value,
                     const struct block_place *place)
{
    /* A tool of the service runs inside the assistant's turn. */
    bool is_served = json_is(json_member(value, "type"), JSON_STRING);
    return row->who == WHO_ANYONE || is_served || (row->who == WHO_USER) == place->is_user;
}

enum err check_block(struct reading *reading, const struct json *block,
                     const struct block_place *place)
{
    for (size_t i = 0; i < COUNT_OF(BLOCKS); i++) {
        const struct json *value = json_member(block, BLOCKS[i].member);
        if (value == NULL || value->kind == JSON_NULL)
            continue;
        if (!may_have(&BLOCKS[i], value, place))
            return reading_refuse(reading, SAID "%s: `%s` blocks are not allowed in %s turns",
                                  place->place, BLOCKS[i].member,
                                  place->is_user ? "user" : "assistant");
        return BLOCKS[i].read(reading, value, place);
    }
    reading_add_other(reading, block);
    return OK;
}
