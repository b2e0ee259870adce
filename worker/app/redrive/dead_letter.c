#include "app/redrive/dead_letter.h"

#include "base/instant.h"
#include "wire/formats/json.h"
#include "wire/outputs/letter_names.h"

static const char REDRIVES[] = "bedrock-redrives";

/* ---- where the request was ---- */

/* A big-endian integer of `bytes`; -1: the header is missing, of another length, or negative. */
static int64_t integer_header(const struct record *record, const char *name, size_t bytes)
{
    struct slice value = headers_text(record->headers, name);
    if (value.ptr == NULL || value.len != bytes || (unsigned char)value.ptr[0] > 0x7f)
        return -1;
    uint64_t number = 0;
    for (size_t i = 0; i < bytes; i++)
        number = number << 8 | (unsigned char)value.ptr[i];
    return (int64_t)number;
}

static void read_origin(const struct record *record, struct dead_letter *letter)
{
    int64_t partition = integer_header(record, LETTER_PARTITION, 4);
    struct slice topic = headers_text(record->headers, LETTER_TOPIC);
    letter->offset = integer_header(record, LETTER_OFFSET, 8);
    letter->timestamp_ms = integer_header(record, LETTER_TIMESTAMP, 8);
    letter->partition = (int32_t)partition;
    if (topic.len > 0 && partition >= 0 && letter->offset >= 0)
        letter->topic = topic;
}

/* ---- why it failed ---- */

static bool is_code_retryable(struct slice code)
{
    for (int err = OK + 1; err < ERR_COUNT; err++)
        if (slice_equal_text(code, err_code((enum err)err)) && err_retryable((enum err)err) != 0)
            return true;
    return false;
}

static void read_cause(const struct record *record, struct dead_letter *letter)
{
    letter->code = headers_text(record->headers, LETTER_CODE);
    letter->is_retryable = is_code_retryable(letter->code);
    if (letter->code.len == 0)
        letter->code = headers_text(record->headers, LETTER_TYPE);
    letter->is_cut = headers_last(record->headers, LETTER_VALUE_OMITTED) != NULL ||
                     headers_last(record->headers, LETTER_HEADERS_OMITTED) != NULL;
    struct slice redrives = headers_text(record->headers, REDRIVES);
    if (redrives.len == 0 || !slice_to_int64(redrives, &letter->redrives) || letter->redrives < 0)
        letter->redrives = 0;
    if (letter->redrives > DEAD_LETTER_REDRIVES_MAX)
        letter->redrives = DEAD_LETTER_REDRIVES_MAX;
}

/* ---- the request ---- */

static bool default_id(struct arena *arena, struct dead_letter *letter)
{
    struct buf id OWNED_BY(buf_done);
    buf_init(&id, letter->topic.len + 64);
    buf_add(&id, letter->topic);
    buf_addf(&id, "-%d-%lld", (int)letter->partition, (long long)letter->offset);
    return id.failed == OK && arena_copy(arena, buf_slice(&id), &letter->id);
}

static void take_earlier(struct dead_letter *letter, struct slice text)
{
    int64_t at_ms = 0;
    if (instant_from_rfc3339(text, &at_ms) && at_ms < letter->expires_ms)
        letter->expires_ms = at_ms;
}

/* A value that is no JSON object leaves everything as it is. */
static enum err read_value(struct arena *arena, struct slice value, struct dead_letter *letter)
{
    const struct json *root = NULL;
    struct slice text;
    enum err err = json_parse(arena, value, &root, NULL);
    if (err != OK)
        return err == ERR_NO_MEMORY ? err : OK;
    if (json_string(arena, json_member(root, "id"), &text) && text.len > 0)
        letter->id = text;
    if (json_string(arena, json_member(root, "tenant"), &text) && text.len > 0)
        letter->tenant = text;
    if (json_string(arena, json_member(root, "expires_at"), &text))
        take_earlier(letter, text);
    return OK;
}

enum err dead_letter_read(struct arena *arena, const struct record *record,
                          struct dead_letter *ret_letter)
{
    *ret_letter =
        (struct dead_letter){.tenant = SLICE("default"), .expires_ms = DEAD_LETTER_NO_TIME};
    read_origin(record, ret_letter);
    read_cause(record, ret_letter);
    take_earlier(ret_letter, headers_text(record->headers, "ce_expirytime"));
    ret_letter->id = headers_text(record->headers, "ce_id");
    if (ret_letter->id.len == 0 && !default_id(arena, ret_letter))
        return ERR_NO_MEMORY;
    return record->value.len == 0 ? OK : read_value(arena, record->value, ret_letter);
}

/* ---- what goes back ---- */

/* By the worker or by Spring; a request's own headers may begin with bedrock-, too. */
static bool is_added(struct slice name)
{
    static const char *const OURS[] = {LETTER_CODE, LETTER_ATTEMPTS, LETTER_VALUE_OMITTED,
                                       LETTER_HEADERS_OMITTED, REDRIVES};
    return slice_starts(name, SLICE(LETTER_SPRINGS)) || slice_is_one_of(name, OURS, COUNT_OF(OURS));
}

enum err dead_letter_headers(struct arena *arena, const struct dead_letter *letter,
                             struct headers headers, struct headers *ret_headers)
{
    struct header *list = arena_new_array(arena, headers.count + 1, sizeof *list);
    size_t count = 0;
    if (list == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < headers.count; i++)
        if (!is_added(headers.list[i].name))
            list[count++] = headers.list[i];
    struct buf number OWNED_BY(buf_done);
    buf_init(&number, 32);
    buf_add_int(&number, letter->redrives + 1);
    list[count].name = slice_of_text(REDRIVES);
    if (!arena_copy(arena, buf_slice(&number), &list[count].value))
        return ERR_NO_MEMORY;
    *ret_headers = (struct headers){list, count + 1};
    return OK;
}

static bool is_same(struct slice a, struct slice b)
{
    return (a.ptr == NULL) == (b.ptr == NULL) && slice_equal(a, b);
}

bool dead_letter_is_of(const struct record *letter_record, const struct dead_letter *letter,
                       const struct record *original)
{
    return original->offset == letter->offset && is_same(letter_record->key, original->key) &&
           (letter->timestamp_ms < 0 || letter->timestamp_ms == original->timestamp_ms);
}
