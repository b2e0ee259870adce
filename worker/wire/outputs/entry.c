#include "wire/outputs/entry.h"

#include <string.h>

#include "base/instant.h"
#include "base/money.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "wire/formats/json.h"
#include "wire/formats/json_scan.h"

#define TYPE_STEM    "bedrock.chat.usage.v"
#define TYPE_VERSION "1"
#define LABELS_MAX   17        /* one more than a request may have */
#define UNKNOWN      INT64_MIN /* of an instant or amount that did not come */

enum level { TOP, DATA, USAGE, COST, PARTS };
enum kind { PASSED, ID, TYPE, INSTANT, FLAG, TEXT, MAP, COUNT, AMOUNT, OBJECT };

struct member {
    enum level level;
    enum kind kind;            /* PASSED: the worker writes it, and no sum needs it */
    struct slice name, quoted; /* quoted: with its quotes and the colon */
    size_t offset;             /* in struct entry */
    enum level inner;          /* of an OBJECT */
    bool is_needed;
};

#define NAMED(level, kind, name)                                                                   \
    level, kind, {name, sizeof(name) - 1},                                                         \
    {                                                                                              \
        "\"" name "\":", sizeof(name) + 2                                                          \
    }
#define IS(level, name, kind, member, is_needed)                                                   \
    {                                                                                              \
        NAMED(level, kind, name), offsetof(struct entry, member), level, is_needed                 \
    }
#define HAS(level, name, inner, is_needed)                                                         \
    {                                                                                              \
        NAMED(level, OBJECT, name), 0, inner, is_needed                                            \
    }
#define PASSES(level, name)                                                                        \
    {                                                                                              \
        NAMED(level, PASSED, name), 0, level, false                                                \
    }

/* By level, and in the order in which the worker writes them, in which they are found at once. */
static const struct member MEMBERS[] = {
    PASSES(TOP, "specversion"),
    IS(TOP, "id", ID, id, true),
    PASSES(TOP, "source"),
    IS(TOP, "type", TYPE, id, true),
    PASSES(TOP, "subject"),
    IS(TOP, "time", INSTANT, time_ms, true),
    PASSES(TOP, "datacontenttype"),
    HAS(TOP, "data", DATA, true),
    PASSES(DATA, "request_id"),
    PASSES(DATA, "call"),
    PASSES(DATA, "attempt"),
    IS(DATA, "final", FLAG, is_final, true),
    IS(DATA, "estimated", FLAG, is_estimated, true),
    IS(DATA, "reason", TEXT, reason, false),
    IS(DATA, "tenant", TEXT, tenant, true),
    IS(DATA, "labels", MAP, labels, true),
    IS(DATA, "model", TEXT, model, true),
    PASSES(DATA, "model_requested"),
    IS(DATA, "base_model", TEXT, base_model, false),
    IS(DATA, "region", TEXT, region, false),
    IS(DATA, "api", TEXT, api, true),
    PASSES(DATA, "stream"),
    IS(DATA, "service_tier", TEXT, service_tier, false),
    IS(DATA, "service_tier_requested", TEXT, tier_requested, false),
    IS(DATA, "stop_reason", TEXT, stop_reason, false),
    IS(DATA, "bedrock_request_id", TEXT, bedrock_request_id, false),
    PASSES(DATA, "begun"),
    IS(DATA, "started_at", INSTANT, started_ms, false),
    PASSES(DATA, "duration_ms"),
    HAS(DATA, "usage", USAGE, true),
    HAS(DATA, "cost", COST, false),
    PASSES(DATA, "source"),
    IS(DATA, "replaces", ID, replaces, false),
    IS(USAGE, "input_tokens", COUNT, counts[COUNT_INPUT], true),
    IS(USAGE, "output_tokens", COUNT, counts[COUNT_OUTPUT], true),
    PASSES(USAGE, "total_tokens"),
    IS(USAGE, "cache_read_tokens", COUNT, counts[COUNT_CACHE_READ], true),
    IS(USAGE, "cache_write_tokens", COUNT, counts[COUNT_CACHE_WRITE], true),
    IS(USAGE, "cache_write_1h_tokens", COUNT, counts[COUNT_CACHE_WRITE_1H], false),
    IS(USAGE, "reasoning_tokens", COUNT, counts[COUNT_REASONING], false),
    PASSES(USAGE, "convention"),
    PASSES(USAGE, "raw"),
    IS(COST, "amount", AMOUNT, amount, false),
    IS(COST, "currency", TEXT, currency, false),
    IS(COST, "prices", TEXT, prices, false),
    HAS(COST, "parts", PARTS, false),
    IS(PARTS, "input", AMOUNT, part[PART_INPUT], false),
    IS(PARTS, "output", AMOUNT, part[PART_OUTPUT], false),
    IS(PARTS, "cache_read", AMOUNT, part[PART_CACHE_READ], false),
    IS(PARTS, "cache_write", AMOUNT, part[PART_CACHE_WRITE], false),
};

#define MEMBER_COUNT (sizeof MEMBERS / sizeof MEMBERS[0])
#define LEVELS       5

struct reading {
    struct arena *arena;
    struct entry *entry;
    struct json_scan scan;
    struct slice type;
    uint64_t has;         /* bits of members */
    size_t taken[LEVELS]; /* of the members, as far as the last one: the next one probably comes */
    const char *why;
};

static void blame(struct reading *reading, const char *why)
{
    if (reading->why == NULL)
        reading->why = why;
}

/* ---- values ---- */

/* The value of a hex digit, either case; 16 = none. */
static unsigned hex_of(char byte)
{
    unsigned digit = (unsigned char)byte - (unsigned)'0';
    unsigned letter = ((unsigned char)byte | 0x20U) - (unsigned)'a';
    return digit < 10 ? digit : letter < 6 ? letter + 10 : 16;
}

bool entry_id_read(struct slice text, struct entry_id *ret_id)
{
    static const uint8_t PLACES[ENTRY_ID_BYTES] = {0,  2,  4,  6,  9,  11, 14, 16,
                                                   19, 21, 24, 26, 28, 30, 32, 34};
    bool is_one = true;
    if (text.len != UUID_TEXT_LEN || text.ptr[8] != '-' || text.ptr[13] != '-' ||
        text.ptr[18] != '-' || text.ptr[23] != '-')
        return false;
    for (size_t i = 0; i < ENTRY_ID_BYTES; i++) {
        unsigned high = hex_of(text.ptr[PLACES[i]]), low = hex_of(text.ptr[PLACES[i] + 1]);
        is_one = is_one && high < 16 && low < 16;
        ret_id->bytes[i] = (uint8_t)(high << 4 | low);
    }
    return is_one;
}

void entry_id_write(const struct entry_id *id, struct uuid *ret_text)
{
    static const char DIGITS[] = "0123456789abcdef";
    size_t at = 0;
    for (size_t i = 0; i < ENTRY_ID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            ret_text->text[at++] = '-';
        ret_text->text[at++] = DIGITS[id->bytes[i] >> 4];
        ret_text->text[at++] = DIGITS[id->bytes[i] & 15];
    }
}

int64_t entry_id_ms(const struct entry_id *id)
{
    int64_t ms = 0;
    for (size_t i = 0; i < 6; i++)
        ms = ms << 8 | id->bytes[i];
    return ms;
}

#define ONES 0x0101010101010101U

/* Bytes that make a string need a second look: controls, a backslash. */
static bool is_odd(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '\\' || (unsigned char)text.ptr[i] < ' ')
            return true;
    return false;
}

/* Whether all bytes are ASCII and no controls. */
static bool is_simple(struct slice text)
{
    uint64_t odd = 0, eight;
    size_t at = 0;
    for (; at + sizeof eight <= text.len; at += sizeof eight) {
        memcpy(&eight, text.ptr + at, sizeof eight);
        odd |= (eight | (eight - ONES * ' ')) & ONES << 7;
    }
    for (; at < text.len; at++)
        odd |= (unsigned char)text.ptr[at] < ' ' || (unsigned char)text.ptr[at] > '~';
    return odd == 0;
}

/* Checks the text of a string without escapes. */
static bool is_text(struct slice text)
{
    return text.len + 2 <= ENTRY_TEXT_BYTES &&
           (is_simple(text) || (utf8_valid_len(text) == text.len && !is_odd(text)));
}

/* The text of a string; one with escapes is decoded into the arena. */
static bool read_text(struct arena *arena, struct slice value, struct slice *ret_text)
{
    const struct json *node = NULL;
    if (value.len > ENTRY_TEXT_BYTES)
        return false;
    if (json_scan_plain(value, ret_text))
        return is_text(*ret_text);
    return value.ptr[0] == '"' && json_parse(arena, value, &node, NULL) == OK &&
           json_string(arena, node, ret_text);
}

static bool read_count(struct slice value, int64_t *ret_count)
{
    return slice_to_int64(value, ret_count) && *ret_count >= 0 && *ret_count <= ENTRY_COUNT_MAX;
}

static bool read_flag(struct slice value, bool *ret_flag)
{
    *ret_flag = value.ptr[0] == 't';
    return value.ptr[0] == 't' || value.ptr[0] == 'f';
}

static bool is_among(const struct slice *names, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(names[i], name))
            return true;
    return false;
}

/* Labels are passed on as they are written, so they must be JSON: an object of texts. */
static bool read_map(struct arena *arena, struct slice value, struct slice *ret_map)
{
    struct json_scan scan;
    struct slice names[LABELS_MAX], text;
    size_t count = 0;
    const struct json *node = NULL;
    *ret_map = value;
    if (value.ptr[0] != '{' || value.len > ENTRY_TEXT_BYTES || utf8_valid_len(value) != value.len)
        return false;
    json_scan_begin(&scan, value);
    while (count < LABELS_MAX && json_scan_next(&scan, &names[count])) {
        if (!json_scan_value(&scan, &text) || text.ptr[0] != '"' ||
            is_among(names, count, names[count]))
            return false;
        count++;
    }
    if (count == LABELS_MAX || !json_scan_is_whole(&scan))
        return false;
    return !is_odd(value) || json_parse(arena, value, &node, NULL) == OK;
}

/* The value of a member whose text has no escapes. False: it is wrong. */
static bool read_string(struct reading *reading, const struct member *member, struct slice text)
{
    void *into = (char *)reading->entry + member->offset;
    switch (member->kind) {
    case ID:
        return entry_id_read(text, into) && ((struct entry_id *)into)->bytes[6] >> 4 == 7;
    case TYPE:
        reading->type = text;
        return true;
    case INSTANT:
        return instant_from_rfc3339(text, into);
    case TEXT:
        *(struct slice *)into = text;
        return is_text(text);
    case AMOUNT:
        return money_read_amount(text, into);
    case PASSED:
        return true;
    case FLAG:
    case MAP:
    case COUNT:
    case OBJECT:
        break;
    }
    return false;
}

/* Any other value, as it is written. */
static bool read_other(struct reading *reading, const struct member *member, struct slice value)
{
    void *into = (char *)reading->entry + member->offset;
    switch (member->kind) {
    case FLAG:
        return read_flag(value, into);
    case TEXT:
        return read_text(reading->arena, value, into);
    case MAP:
        return read_map(reading->arena, value, into);
    case COUNT:
        return read_count(value, into);
    case PASSED:
        return true;
    case ID:
    case TYPE:
    case INSTANT:
    case AMOUNT:
    case OBJECT:
        break; /* they are strings without escapes; an object was not entered: it is none */
    }
    return false;
}

static void read_value(struct reading *reading, const struct member *member)
{
    struct slice value;
    bool is_good = false;
    if (json_scan_string(&reading->scan, &value))
        is_good = read_string(reading, member, value);
    else if (json_scan_value(&reading->scan, &value))
        is_good = read_other(reading, member, value);
    else
        return; /* the scan has failed */
    if (!is_good)
        blame(reading, member->name.ptr);
}

/* ---- objects ---- */

static bool is_called(const struct member *member, struct slice name)
{
    return member->name.len == name.len && member->name.ptr[0] == name.ptr[0] &&
           memcmp(member->name.ptr, name.ptr, name.len) == 0;
}

/* Where the members of a level are in the list. */
static const struct {
    size_t begin, end;
} PLACES[] = {
    [TOP] = {0, 8}, [DATA] = {8, 33}, [USAGE] = {33, 42}, [COST] = {42, 46}, [PARTS] = {46, 50}};

/* The place of a member in the list; MEMBER_COUNT = it is not there. */
static size_t find_member(enum level level, struct slice name)
{
    for (size_t at = PLACES[level].begin; at < PLACES[level].end && name.len > 0; at++)
        if (is_called(&MEMBERS[at], name))
            return at;
    return MEMBER_COUNT;
}

/* The next member as the worker writes it; MEMBER_COUNT: another one, or none. */
static size_t expect_member(struct reading *reading, enum level level)
{
    if (reading->scan.at < reading->scan.end && *reading->scan.at == '}')
        return MEMBER_COUNT;
    size_t begin = PLACES[level].begin + reading->taken[level];
    for (size_t at = begin; at < PLACES[level].end; at++)
        if (json_scan_expect(&reading->scan, MEMBERS[at].quoted))
            return at;
    return MEMBER_COUNT;
}

/* Takes the value of a member. True: it is an object that is entered, of the level *ret_inner. */
static bool take_member(struct reading *reading, enum level level, size_t at, enum level *ret_inner)
{
    const struct member *member = &MEMBERS[at];
    if ((reading->has >> at & 1) != 0 && member->kind != PASSED)
        blame(reading, "a member stands twice");
    reading->has |= UINT64_C(1) << at;
    reading->taken[level] = at + 1 - PLACES[level].begin;
    *ret_inner = member->inner;
    if (member->kind == OBJECT && json_scan_enter(&reading->scan))
        return true;
    read_value(reading, member);
    return false;
}

/* Goes on to the next member and takes it. False: the level has ended. */
static bool take_next(struct reading *reading, enum level level, enum level *ret_inner)
{
    struct slice name, value;
    size_t at = expect_member(reading, level);
    *ret_inner = level;
    if (at == MEMBER_COUNT) {
        if (!json_scan_next(&reading->scan, &name))
            return false;
        at = find_member(level, name);
    }
    if (at == MEMBER_COUNT) /* of nobody */
        return json_scan_value(&reading->scan, &value);
    enum level inner = level;
    if (take_member(reading, level, at, &inner))
        *ret_inner = inner;
    return true;
}

/* Which level is the one around it. */
static enum level outer(enum level level)
{
    static const enum level OUTER[] = {
        [TOP] = TOP, [DATA] = TOP, [USAGE] = DATA, [COST] = DATA, [PARTS] = COST};
    return OUTER[level];
}

static void read_all(struct reading *reading)
{
    enum level level = TOP;
    bool is_over = false;
    while (!is_over && !reading->scan.failed) {
        enum level inner = level;
        bool has_more = take_next(reading, level, &inner);
        is_over = !has_more && level == TOP;
        level = has_more ? inner : outer(level);
    }
    if (!json_scan_is_whole(&reading->scan))
        blame(reading, "its JSON is cut or broken");
}

/* A member that each record has lacks: its name; NULL = none. */
static const char *find_lack(const struct reading *reading)
{
    for (size_t i = 0; i < MEMBER_COUNT; i++)
        if (MEMBERS[i].is_needed && (reading->has >> i & 1) == 0)
            return MEMBERS[i].name.ptr;
    return NULL;
}

static void complete(struct reading *reading)
{
    struct entry *entry = reading->entry;
    const char *lack = find_lack(reading);
    if (lack != NULL)
        blame(reading, lack);
    if (entry->started_ms == UNKNOWN)
        entry->started_ms = entry->time_ms;
    if (entry->service_tier.ptr == NULL)
        entry->service_tier = entry->tier_requested;
    entry->has_replaces = entry_id_ms(&entry->replaces) != 0;
    entry->has_cost = entry->amount != UNKNOWN;
    if (!entry->has_cost)
        entry->amount = 0;
    entry->recorded = entry->amount;
    if (entry->has_cost && entry->currency.len == 0)
        blame(reading, "currency");
    entry->is_lost = slice_equal(entry->reason, SLICE("worker_lost"));
}

static enum entry_verdict judge(const struct reading *reading, const char **ret_why)
{
    struct slice stem = SLICE(TYPE_STEM);
    *ret_why = "it is no usage record";
    if (!slice_starts(reading->type, stem))
        return ENTRY_FOREIGN;
    *ret_why = "its version is another one";
    if (!slice_equal(slice_sub(reading->type, stem.len, SIZE_MAX), SLICE(TYPE_VERSION)))
        return ENTRY_VERSION;
    *ret_why = reading->why;
    return reading->why == NULL ? ENTRY_READ : ENTRY_DAMAGED;
}

enum entry_verdict entry_read(struct arena *arena, struct slice value, struct entry *ret_entry,
                              const char **ret_why)
{
    struct reading reading = {.arena = arena, .entry = ret_entry};
    memset(ret_entry, 0, sizeof *ret_entry);
    ret_entry->started_ms = ret_entry->amount = UNKNOWN;
    json_scan_begin(&reading.scan, value);
    read_all(&reading);
    complete(&reading);
    return judge(&reading, ret_why);
}

struct slice entry_label(struct arena *arena, struct slice labels, struct slice name)
{
    struct json_scan scan;
    struct slice written, value, text = SLICE_NULL;
    json_scan_begin(&scan, labels);
    while (json_scan_next(&scan, &written) && json_scan_value(&scan, &value))
        if (slice_equal(written, name) && read_text(arena, value, &text))
            return text;
    return SLICE_NULL;
}
