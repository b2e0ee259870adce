#include "wire/bedrock/quote.h"

#include "wire/formats/json_mend.h"

#define WORD_BYTES  8
#define TABLE_BITS  10 /* room for twice as many words as a message of the service has */
#define TABLE_ROOM  (1U << TABLE_BITS)
#define HASH_FACTOR UINT64_C(0x9e3779b97f4a7c15)

_Static_assert(TABLE_ROOM >= 2 * WHY_MESSAGE_MAX, "a probe must meet an empty place");

/* All runs of eight bytes that the words have. A text whose every run in a row is among them
 * repeats them: no byte of it is looked at twice. */
struct quotes {
    uint64_t table[TABLE_ROOM]; /* 0 = empty: no byte of a plain text is 0 */
};

/* The bytes of a text one by one, as escaped and unescaped texts have them in common. */
struct plain {
    struct slice text;
    size_t at;
};

/* ---- the plain bytes ---- */

static char plain_byte(char byte)
{
    return (unsigned char)byte < 0x20 || byte == 0x7f ? ' ' : byte;
}

static size_t encode(int32_t point, char ret_bytes[4])
{
    size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const int first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len - 1; i > 0; i--) {
        ret_bytes[i] = (char)(0x80 | (point & 0x3f));
        point >>= 6;
    }
    ret_bytes[0] = len == 1 ? plain_byte((char)point) : (char)(first[len] | point);
    return len;
}

/* Texts that were escaped more than once have more than one backslash. */
static void skip_backslashes(struct plain *plain)
{
    while (plain->at < plain->text.len && plain->text.ptr[plain->at] == '\\')
        plain->at++;
}

/* The number of `uXXXX`, moving behind it; -1 when something else comes. */
static int32_t next_unit(struct plain *plain)
{
    bool is_unit = slice_starts(slice_sub(plain->text, plain->at, 1), SLICE("u"));
    int32_t unit = is_unit ? json_hex4(plain->text, plain->at + 1) : -1;
    if (unit >= 0)
        plain->at += 5;
    return unit;
}

static size_t next_escaped(struct plain *plain, char ret_bytes[4])
{
    skip_backslashes(plain);
    if (plain->at == plain->text.len)
        return 0;
    int32_t point = next_unit(plain);
    if (point >= 0xd800 && point < 0xdc00) {
        skip_backslashes(plain);
        int32_t low = next_unit(plain);
        point = 0x10000 + ((point - 0xd800) << 10) + ((low - 0xdc00) & 0x3ff);
    }
    if (point >= 0)
        return encode(point, ret_bytes);
    char byte = plain->text.ptr[plain->at++];
    bool is_control = slice_find(SLICE("bfnrt"), byte) < 5;
    ret_bytes[0] = is_control ? ' ' : plain_byte(byte);
    return 1;
}

/* How many bytes the next character of the text has; 0 at its end. */
static size_t plain_next(struct plain *plain, char ret_bytes[4])
{
    if (plain->at == plain->text.len)
        return 0;
    if (plain->text.ptr[plain->at] == '\\')
        return next_escaped(plain, ret_bytes);
    ret_bytes[0] = plain_byte(plain->text.ptr[plain->at++]);
    return 1;
}

/* ---- the runs ---- */

static size_t place_of(const struct quotes *quotes, uint64_t word)
{
    size_t place = (size_t)((word * HASH_FACTOR) >> (64 - TABLE_BITS));
    while (quotes->table[place] != 0 && quotes->table[place] != word)
        place = (place + 1) % TABLE_ROOM;
    return place;
}

static void note_words(struct quotes *quotes, struct slice words)
{
    struct plain plain = {.text = words};
    char bytes[4];
    uint64_t word = 0;
    size_t seen = 0;
    for (size_t len; (len = plain_next(&plain, bytes)) > 0;) {
        for (size_t i = 0; i < len; i++) {
            word = word << 8 | (unsigned char)bytes[i];
            if (++seen >= WORD_BYTES)
                quotes->table[place_of(quotes, word)] = word;
        }
    }
}

static bool is_quoted(const struct quotes *quotes, struct slice text)
{
    struct plain plain = {.text = slice_trim(text)};
    char bytes[4];
    uint64_t word = 0;
    size_t seen = 0, run = 0;
    for (size_t len; (len = plain_next(&plain, bytes)) > 0;) {
        for (size_t i = 0; i < len; i++) {
            word = word << 8 | (unsigned char)bytes[i];
            bool is_there = ++seen >= WORD_BYTES && quotes->table[place_of(quotes, word)] == word;
            run = is_there ? run + 1 : 0;
            if (run > QUOTE_BYTES - WORD_BYTES)
                return true;
        }
    }
    return seen >= QUOTE_WHOLE_BYTES && run == seen - WORD_BYTES + 1;
}

static bool is_quoted_of(const struct quotes *quotes, const struct block *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_quoted(quotes, blocks[i].text))
            return true;
        if (blocks[i].kind != BLOCK_TEXT && is_quoted(quotes, blocks[i].json))
            return true;
        if (blocks[i].kind == BLOCK_TOOL_USE && is_quoted(quotes, blocks[i].use.input))
            return true;
        if (blocks[i].kind == BLOCK_TOOL_RESULT &&
            is_quoted_of(quotes, blocks[i].result.parts, blocks[i].result.count))
            return true;
    }
    return false;
}

bool quote_is_of(const struct request *request, struct slice words)
{
    struct quotes quotes = {{0}};
    note_words(&quotes, slice_sub(words, 0, WHY_MESSAGE_MAX));
    bool is_of = is_quoted_of(&quotes, request->system, request->system_count);
    for (size_t i = 0; !is_of && i < request->turn_count; i++)
        is_of = is_quoted_of(&quotes, request->turns[i].blocks, request->turns[i].count);
    return is_of;
}

void quote_hide(const struct request *request, int status, struct why *why)
{
    struct why foreign = *why;
    if (!why->is_foreign || !quote_is_of(request, slice_of_text(why->message)))
        return;
    (void)why_set(why, foreign.err, foreign.field,
                  "status %d%s%s (its message quotes the request and is left out)", status,
                  foreign.type[0] != '\0' ? " " : "", foreign.type);
    why_copy(why->type, sizeof why->type, slice_of_text(foreign.type));
}
