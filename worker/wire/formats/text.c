#include "wire/formats/text.h"

#include "base/attr.h"

bool text_is_topic(struct slice text)
{
    if (text.len == 0 || text.len > TEXT_TOPIC_MAX || slice_equal_text(text, ".") ||
        slice_equal_text(text, ".."))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        bool is_digit = byte >= '0' && byte <= '9';
        if (!is_letter && !is_digit && byte != '.' && byte != '_' && byte != '-')
            return false;
    }
    return true;
}

static bool is_small(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

static bool is_alphanumeric(char byte)
{
    return is_small(byte) || (byte >= 'A' && byte <= 'Z');
}

static bool is_digits(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len > 0;
}

/* The rest of a region's name: a direction and a number, such as `east-1`. */
static bool is_place(struct slice text)
{
    size_t dash = slice_find(text, '-');
    for (size_t i = 0; i < dash; i++)
        if (!is_small(text.ptr[i]))
            return false;
    return dash > 0 && dash < text.len && is_digits(slice_sub(text, dash + 1, text.len));
}

bool text_is_region(struct slice text)
{
    static const char *const BEGINNINGS[] = {
        "us-", "eu-",     "ap-", "sa-",      "ca-",     "me-",      "af-",      "il-",
        "mx-", "us-gov-", "cn-", "eusc-de-", "us-iso-", "us-isob-", "us-isof-", "eu-isoe-",
    };
    if (text.len > TEXT_REGION_MAX)
        return false;
    for (size_t i = 0; i < COUNT_OF(BEGINNINGS); i++) {
        struct slice beginning = slice_of_text(BEGINNINGS[i]);
        if (slice_starts(text, beginning) && is_place(slice_sub(text, beginning.len, text.len)))
            return true;
    }
    return false;
}

/* Letters, digits, and the bytes of `others`; a letter or digit comes first. */
static bool is_id(struct slice text, const char *others)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_alphanumeric(text.ptr[i]) &&
            slice_find(slice_of_text(others), text.ptr[i]) == slice_of_text(others).len)
            return false;
    return text.len > 0 && is_alphanumeric(text.ptr[0]);
}

/* `kind/id`: the kinds that Bedrock can call. */
static bool is_resource(struct slice text)
{
    static const char *const KINDS[] = {
        "foundation-model",
        "inference-profile",
        "application-inference-profile",
        "imported-model",
        "custom-model",
        "custom-model-deployment",
        "provisioned-model",
        "prompt-router",
        "default-prompt-router",
        "prompt",
        "endpoint",
    };
    size_t slash = slice_find(text, '/');
    bool is_known = false;
    for (size_t i = 0; i < COUNT_OF(KINDS); i++)
        is_known = is_known || slice_equal_text(slice_sub(text, 0, slash), KINDS[i]);
    struct slice id = slice_sub(text, slash + 1, text.len);
    for (size_t i = 0; i + 1 < id.len; i++)
        if (id.ptr[i] == '/' && !is_alphanumeric(id.ptr[i + 1]))
            return false;
    return is_known && is_id(id, "-_.:/");
}

/* arn:partition:service:region:account:resource */
static bool is_model_arn(struct slice text)
{
    struct slice parts[5], rest = text;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        size_t colon = slice_find(rest, ':');
        if (colon == rest.len)
            return false;
        parts[i] = slice_sub(rest, 0, colon);
        rest = slice_sub(rest, colon + 1, rest.len);
    }
    return is_id(parts[1], "-") && slice_starts(parts[1], SLICE("aws")) &&
           (slice_equal_text(parts[2], "bedrock") || slice_equal_text(parts[2], "sagemaker")) &&
           (parts[3].len == 0 || text_is_region(parts[3])) &&
           (parts[4].len == 0 || is_digits(parts[4])) && is_resource(rest);
}

bool text_is_model(struct slice text)
{
    if (text.len > TEXT_MODEL_MAX)
        return false;
    if (slice_starts(text, SLICE("arn:")))
        return is_model_arn(text);
    return is_id(text, "-.:") || is_id(text, "-_");
}

bool text_has_control(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if (byte < 0x20 || byte == 0x7f)
            return true;
        if (byte == 0xc2 && i + 1 < text.len && (unsigned char)text.ptr[i + 1] < 0xa0)
            return true;
    }
    return false;
}

/* Bytes of the white space character that ends the text; 0 = it ends in something else. */
static size_t space_at_end(struct slice text)
{
    static const char *const wide[] = {
        "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\xa8",
        "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80",
    };
    unsigned char last = (unsigned char)text.ptr[text.len - 1];
    if (last < 0x80)
        return last == ' ' || (last >= '\t' && last <= '\r') || (last >= 0x1c && last <= 0x1f);
    for (size_t i = 0; i < COUNT_OF(wide); i++)
        if (slice_ends(text, slice_of_text(wide[i])))
            return slice_of_text(wide[i]).len;
    /* U+2000 to U+200A, the spaces of typesetting. */
    bool is_thin = text.len >= 3 && last >= 0x80 && last <= 0x8a &&
                   slice_ends(slice_sub(text, 0, text.len - 1), SLICE("\xe2\x80"));
    return is_thin ? 3 : 0;
}

struct slice text_trim_end(struct slice text)
{
    size_t space = 1;
    while (text.len > 0 && space > 0) {
        space = space_at_end(text);
        text.len -= space;
    }
    return text;
}

/* Bytes of the first character. */
static size_t first_len(struct slice text)
{
    unsigned char lead = (unsigned char)text.ptr[0];
    return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

struct slice text_trim(struct slice text)
{
    text = text_trim_end(text);
    while (text.len > 0 && space_at_end(slice_sub(text, 0, first_len(text))) > 0)
        text = slice_sub(text, first_len(text), SIZE_MAX);
    return text;
}

bool text_is_blank(struct slice text)
{
    return text_trim_end(text).len == 0;
}
