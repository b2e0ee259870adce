#include "wire/chat/media_formats.h"

#include "base/attr.h"

static const struct row {
    enum block_kind kind;
    const char *type, *format;
} rows[] = {
#define FORMAT(kind, type, format) {BLOCK_##kind, type, format},
#include "wire/chat/media_formats.def"
#undef FORMAT
};

static struct slice subtype_of(struct slice type)
{
    return slice_sub(type, slice_find(type, '/') + 1, SIZE_MAX);
}

struct slice media_format_of_extension(enum block_kind kind, struct slice extension)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].kind == kind && slice_equal_nocase(extension, slice_of_text(rows[i].format)))
            return slice_of_text(rows[i].format);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].kind == kind &&
            slice_equal_nocase(extension, subtype_of(slice_of_text(rows[i].type))))
            return slice_of_text(rows[i].format);
    return SLICE_NULL;
}

struct slice media_format(enum block_kind kind, struct slice type)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].kind == kind && slice_equal_nocase(type, slice_of_text(rows[i].type)))
            return slice_of_text(rows[i].format);
    struct slice format = SLICE_NULL;
    if (slice_find(type, '/') < type.len)
        format = media_format_of_extension(kind, subtype_of(type));
    bool is_text = kind == BLOCK_DOCUMENT && slice_starts(type, SLICE("text/"));
    return format.ptr == NULL && is_text ? SLICE("txt") : format;
}

static bool was_before(size_t row)
{
    for (size_t i = 0; i < row; i++)
        if (rows[i].kind == rows[row].kind &&
            slice_equal_text(slice_of_text(rows[i].format), rows[row].format))
            return true;
    return false;
}

void media_add_formats(struct buf *words, enum block_kind kind)
{
    const char *between = "";
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].kind != kind || was_before(i))
            continue;
        buf_addf(words, "%s%s", between, rows[i].format);
        between = ", ";
    }
}
