#include "app/books/usage_type.h"

#include "wire/chat/traits.h"

#define WORDS_MAX 24

/* Codes of regions in usage types (AWS, "Cost and Usage Report: usage types", and Cost Explorer).
 */
static const struct {
    struct slice code, region;
} REGIONS[] = {
    {{"USE1", 4}, {"us-east-1", 9}},       {{"USE2", 4}, {"us-east-2", 9}},
    {{"USW1", 4}, {"us-west-1", 9}},       {{"USW2", 4}, {"us-west-2", 9}},
    {{"CAN1", 4}, {"ca-central-1", 12}},   {{"EU", 2}, {"eu-west-1", 9}},
    {{"EUW1", 4}, {"eu-west-1", 9}},       {{"EUW2", 4}, {"eu-west-2", 9}},
    {{"EUW3", 4}, {"eu-west-3", 9}},       {{"EUC1", 4}, {"eu-central-1", 12}},
    {{"EUC2", 4}, {"eu-central-2", 12}},   {{"EUN1", 4}, {"eu-north-1", 10}},
    {{"EUS1", 4}, {"eu-south-1", 10}},     {{"EUS2", 4}, {"eu-south-2", 10}},
    {{"APN1", 4}, {"ap-northeast-1", 14}}, {{"APN2", 4}, {"ap-northeast-2", 14}},
    {{"APN3", 4}, {"ap-northeast-3", 14}}, {{"APS1", 4}, {"ap-southeast-1", 14}},
    {{"APS2", 4}, {"ap-southeast-2", 14}}, {{"APS3", 4}, {"ap-south-1", 10}},
    {{"SAE1", 4}, {"sa-east-1", 9}},       {{"UGW1", 4}, {"us-gov-west-1", 13}},
    {{"UGE1", 4}, {"us-gov-east-1", 13}},
};

/* Cache before input: `cache-read-input-token-count` is both. */
static const struct {
    struct slice word;
    enum usage_class class;
} CLASSES[] = {
    {{"cache-read", 10}, CLASS_CACHE_READ},
    {{"cacheread", 9}, CLASS_CACHE_READ},
    {{"cache-write-1h", 14}, CLASS_CACHE_WRITE_1H},
    {{"cachewrite1h", 12}, CLASS_CACHE_WRITE_1H},
    {{"cache-write", 11}, CLASS_CACHE_WRITE},
    {{"cachewrite", 10}, CLASS_CACHE_WRITE},
    {{"input", 5}, CLASS_INPUT},
    {{"output", 6}, CLASS_OUTPUT},
};

const char *usage_class_name(enum usage_class class)
{
    static const char *const NAMES[] = {
        [CLASS_INPUT] = "input",
        [CLASS_OUTPUT] = "output",
        [CLASS_CACHE_READ] = "cache_read",
        [CLASS_CACHE_WRITE] = "cache_write",
        [CLASS_CACHE_WRITE_1H] = "cache_write_1h",
    };
    return NAMES[class];
}

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
}

/* Where `word`, in small letters, is in a text of any case, `_` as `-`; text.len = nowhere. */
static size_t find(struct slice text, struct slice word)
{
    for (size_t at = 0; at + word.len <= text.len; at++) {
        size_t same = 0;
        while (same < word.len) {
            char byte = lower(text.ptr[at + same]);
            if ((byte == '_' ? '-' : byte) != word.ptr[same])
                break;
            same++;
        }
        if (same == word.len)
            return at;
    }
    return text.len;
}

static bool has(struct slice text, struct slice word)
{
    return find(text, word) < text.len;
}

/* Takes the code of a region off a text. */
static struct slice take_region(struct slice *text)
{
    size_t end = 0;
    while (end < text->len && text->ptr[end] != '-' && text->ptr[end] != '_')
        end++;
    for (size_t i = 0; i < COUNT_OF(REGIONS); i++) {
        if (slice_equal(slice_sub(*text, 0, end), REGIONS[i].code)) {
            *text = slice_sub(*text, end + 1, SIZE_MAX);
            return REGIONS[i].region;
        }
    }
    return SLICE_NULL;
}

static struct slice tier_of(struct slice text)
{
    static const struct slice TIERS[] = {{"flex", 4}, {"priority", 8}, {"batch", 5}};
    for (size_t i = 0; i < COUNT_OF(TIERS); i++)
        if (has(text, TIERS[i]))
            return TIERS[i];
    return SLICE("default");
}

bool usage_type_read(struct slice text, struct usage_type *ret_type)
{
    struct slice market = SLICE("MP:");
    if (slice_starts(text, market))
        text = slice_sub(text, market.len, SIZE_MAX);
    *ret_type = (struct usage_type){.region = take_region(&text)};
    size_t at = text.len;
    for (size_t i = 0; i < COUNT_OF(CLASSES) && at == text.len; i++) {
        at = find(text, CLASSES[i].word);
        ret_type->class = CLASSES[i].class;
    }
    if (at == text.len || !has(text, SLICE("token")))
        return false;
    struct slice model = slice_sub(text, 0, at);
    model = slice_sub(model, 0, find(model, SLICE("-mantle")));
    while (model.len > 0 && (model.ptr[model.len - 1] == '-' || model.ptr[model.len - 1] == '_'))
        model.len--;
    ret_type->model = model;
    ret_type->tier = tier_of(slice_sub(text, at, SIZE_MAX));
    ret_type->is_global = has(text, SLICE("-global"));
    return true;
}

/* ---- words ---- */

enum sort { LETTERS, DIGITS, NEITHER };

static enum sort sort_of(char byte)
{
    byte = lower(byte);
    if (byte >= 'a' && byte <= 'z')
        return LETTERS;
    return byte >= '0' && byte <= '9' ? DIGITS : NEITHER;
}

static bool is_capital(char byte)
{
    return byte >= 'A' && byte <= 'Z';
}

/* Takes the next word off a text: letters, up to a capital behind a small one, or digits. */
static struct slice next_word(struct slice *text)
{
    size_t begin = 0, end;
    while (begin < text->len && sort_of(text->ptr[begin]) == NEITHER)
        begin++;
    for (end = begin; end < text->len; end++) {
        bool is_new = end > begin && is_capital(text->ptr[end]) && !is_capital(text->ptr[end - 1]);
        if (sort_of(text->ptr[end]) != sort_of(text->ptr[begin]) || is_new)
            break;
    }
    struct slice word = slice_sub(*text, begin, end - begin);
    *text = slice_sub(*text, end, SIZE_MAX);
    return word;
}

/* In any case of letters. */
static int compare(struct slice a, struct slice b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return lower(a.ptr[i]) < lower(b.ptr[i]) ? -1 : 1;
    return a.len < b.len ? -1 : a.len > b.len;
}

void usage_type_add_words(struct buf *buf, struct slice name)
{
    struct slice words[WORDS_MAX];
    size_t count = 0;
    for (struct slice word = next_word(&name); word.len > 0 && count < WORDS_MAX;
         word = next_word(&name)) {
        if (slice_equal_nocase(word, SLICE("instruct")))
            continue;
        size_t at = count++;
        for (; at > 0 && compare(word, words[at - 1]) < 0; at--)
            words[at] = words[at - 1];
        words[at] = word;
    }
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_byte(buf, ' ');
        for (size_t j = 0; j < words[i].len; j++)
            buf_add_byte(buf, lower(words[i].ptr[j]));
    }
}

static size_t digits_at_end(struct slice text)
{
    size_t count = 0;
    while (count < text.len && sort_of(text.ptr[text.len - 1 - count]) == DIGITS)
        count++;
    return count;
}

/* Takes `-v1:0`, then a date of eight digits, off the end. */
static struct slice without_version(struct slice name)
{
    size_t colon = slice_find(name, ':');
    name = slice_sub(name, 0, colon);
    size_t digits = digits_at_end(name);
    if (digits > 0 && slice_ends(slice_sub(name, 0, name.len - digits), SLICE("-v")))
        name.len -= digits + 2;
    digits = digits_at_end(name);
    if (digits == 8 && slice_ends(slice_sub(name, 0, name.len - digits), SLICE("-")))
        name.len -= digits + 1;
    return name;
}

void usage_type_add_model_words(struct buf *buf, struct slice model)
{
    struct slice name = traits_name(model);
    size_t dot = slice_find(name, '.');
    if (dot < name.len)
        name = slice_sub(name, dot + 1, SIZE_MAX);
    usage_type_add_words(buf, without_version(name));
}
