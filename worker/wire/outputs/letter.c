#include "wire/outputs/output.h"

#include <string.h>

#include "base/check.h"
#include "base/utf8.h"
#include "wire/outputs/draft.h"
#include "wire/outputs/letter_names.h"

#define LETTER_FRAME_BYTES 320 /* our headers beside the texts that are counted one by one */

/* All of the request's headers but an earlier letter's. */
static bool is_original(const struct output_context *context, struct slice name)
{
    static const char *const OURS[] = {
        LETTER_TOPIC,          LETTER_PARTITION, LETTER_OFFSET,        LETTER_TIMESTAMP,
        LETTER_TIMESTAMP_TYPE, LETTER_GROUP,     LETTER_TYPE,          LETTER_MESSAGE,
        LETTER_CODE,           LETTER_ATTEMPTS,  LETTER_VALUE_OMITTED, LETTER_HEADERS_OMITTED};
    (void)context;
    return !slice_is_one_of(name, OURS, COUNT_OF(OURS));
}

static void big_endian_header(struct draft *draft, const char *name, uint64_t value, int bytes)
{
    draft_header_begins(draft, name);
    for (int i = bytes - 1; i >= 0; i--)
        buf_add_byte(draft->body, (char)(unsigned char)(value >> (8 * i)));
    draft_header_ends(draft);
}

/* Text that may hold anything Bedrock or a proxy sent: readers decode it as UTF-8. */
static void foreign_header(struct draft *draft, const char *name, const char *text)
{
    struct slice all = slice_of_text(text);
    draft_header(draft, name, slice_sub(all, 0, utf8_valid_len(all)));
}

/* As Java's TimestampType prints itself. */
static struct slice timestamp_type_words(enum timestamp_type type)
{
    switch (type) {
    case TIMESTAMP_CREATE:
        return SLICE("CreateTime");
    case TIMESTAMP_APPEND:
        return SLICE("LogAppendTime");
    case TIMESTAMP_NONE:
        break;
    }
    return SLICE("NoTimestampType");
}

static void add_headers(struct draft *draft, const struct record *record, const struct why *why,
                        int attempts)
{
    char message[OUTPUT_MESSAGE_MAX];
    output_why_message(why, message);
    draft_header(draft, LETTER_TOPIC, record->topic);
    big_endian_header(draft, LETTER_PARTITION, (uint64_t)record->partition, 4);
    big_endian_header(draft, LETTER_OFFSET, (uint64_t)record->offset, 8);
    big_endian_header(draft, LETTER_TIMESTAMP, (uint64_t)record->timestamp_ms, 8);
    draft_header(draft, LETTER_TIMESTAMP_TYPE, timestamp_type_words(record->timestamp_type));
    draft_header(draft, LETTER_GROUP, draft->context->group_id);
    foreign_header(draft, LETTER_TYPE, output_why_type(why));
    foreign_header(draft, LETTER_MESSAGE, message);
    draft_header(draft, LETTER_CODE, slice_of_text(err_code(why->err)));
    draft_header_begins(draft, LETTER_ATTEMPTS);
    buf_add_int(draft->body, attempts);
    draft_header_ends(draft);
}

enum err output_letter(const struct output_context *context, const struct record *record,
                       const struct why *why, int attempts, bool with_value,
                       struct output **ret_output)
{
    CHECK(why != NULL);
    size_t expected = LETTER_FRAME_BYTES + (with_value ? record->value.len : 0) +
                      record->topic.len + context->group_id.len + WHY_TYPE_MAX + WHY_FIELD_MAX +
                      WHY_MESSAGE_MAX + (why->others != NULL ? strlen(why->others) : 0);
    struct draft draft;
    enum err err = draft_begin(&draft, context, OUTPUT_LETTER, expected);
    if (err != OK)
        return err;
    draft.value_is_null = !with_value || record->value.ptr == NULL;
    if (!draft.value_is_null)
        buf_add(draft.body, record->value);
    draft_value_ends(&draft);
    add_headers(&draft, record, why, attempts);
    if (!with_value)
        draft_header(&draft, LETTER_VALUE_OMITTED, SLICE("too large"));
    if (record->headers.count < record->headers_sent)
        draft_header(&draft, LETTER_HEADERS_OMITTED, SLICE("too large"));
    struct draft_address address = {.topic = context->dead_letters_topic,
                                    .partition = -1,
                                    .key = record->key,
                                    .headers = record->headers,
                                    .keep = is_original};
    return draft_end(&draft, &address, ret_output);
}
