#include "wire/bedrock/converse/thinking.h"

#include <string.h>

#include "wire/formats/text.h"

#define OPENING SLICE("<thinking>")
#define CLOSING SLICE("</thinking>")

/* Where `tag` stands first, from `from` on; text.len = nowhere. */
static size_t find_tag(struct slice text, size_t from, struct slice tag)
{
    const char *found = memmem(text.ptr + from, text.len - from, tag.ptr, tag.len);
    return found == NULL ? text.len : (size_t)(found - text.ptr);
}

static bool add_string(struct form_list *list, struct slice text, bool is_reasoning)
{
    if (text_is_blank(text))
        return true;
    struct buf json OWNED_BY(buf_done);
    buf_init(&json, 2 + 6 * text.len);
    json_add_string(&json, text);
    if (json.failed == ERR_NO_MEMORY)
        return false;
    if (is_reasoning)
        form_add_reasoning(list, buf_slice(&json), SLICE_NULL);
    else
        form_add_text(list, buf_slice(&json));
    return true;
}

bool thinking_add(struct form_list *list, struct arena *scratch, const struct json *text)
{
    struct slice plain;
    size_t at = 0;
    if (!json_string(scratch, text, &plain))
        return false;
    for (;;) {
        size_t open = find_tag(plain, at, OPENING);
        size_t from = open == plain.len ? open : open + OPENING.len;
        size_t close = find_tag(plain, from, CLOSING);
        if (close == plain.len)
            break;
        if (!add_string(list, slice_sub(plain, at, open - at), false) ||
            !add_string(list, text_trim(slice_sub(plain, from, close - from)), true))
            return false;
        at = close + CLOSING.len;
    }
    if (at > 0)
        return add_string(list, slice_sub(plain, at, SIZE_MAX), false);
    form_add_text(list, text->source);
    return true;
}
