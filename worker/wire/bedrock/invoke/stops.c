#include "wire/bedrock/invoke/stops.h"

struct stop {
    struct slice text;
    uint32_t *borders; /* of each prefix: the length of its longest border */
    size_t matched;    /* bytes of `text` that end the text heard so far */
};

static void find_borders(struct stop *stop)
{
    size_t border = 0;
    for (size_t i = 1; i < stop->text.len; i++) {
        while (border > 0 && stop->text.ptr[i] != stop->text.ptr[border])
            border = stop->borders[border - 1];
        border += stop->text.ptr[i] == stop->text.ptr[border];
        stop->borders[i] = (uint32_t)border;
    }
}

static enum err add_stop(struct stops *stops, struct arena *arena, const struct json *text)
{
    struct stop *stop = &stops->all[stops->count];
    struct slice decoded;
    if (!json_string(arena, text, &decoded) || !arena_copy(arena, decoded, &stop->text))
        return ERR_NO_MEMORY;
    if (stop->text.len == 0)
        return OK;
    stop->borders = arena_new_array(arena, stop->text.len, sizeof *stop->borders);
    if (stop->borders == NULL)
        return ERR_NO_MEMORY;
    find_borders(stop);
    stops->count++;
    return OK;
}

enum err stops_init(struct stops *stops, struct arena *arena, struct slice texts, size_t limit)
{
    const struct json *list;
    *stops = (struct stops){.found = UINT64_MAX};
    buf_init(&stops->pending, limit);
    if (texts.ptr == NULL)
        return OK;
    enum err err = json_parse(arena, texts, &list, NULL);
    if (err != OK)
        return err;
    stops->all = arena_new_array(arena, STOPS_MAX, sizeof *stops->all);
    if (stops->all == NULL)
        return ERR_NO_MEMORY;
    for (const struct json *text = list->first; err == OK && text != NULL; text = text->next)
        if (text->kind == JSON_STRING && stops->count < STOPS_MAX)
            err = add_stop(stops, arena, text);
    return err;
}

void stops_done(struct stops *stops)
{
    buf_done(&stops->pending);
}

/* One more byte: true when the stop text stands whole at the end of what was heard. */
static bool hear_byte(struct stop *stop, char byte)
{
    if (stop->matched == stop->text.len)
        stop->matched = stop->borders[stop->matched - 1];
    while (stop->matched > 0 && stop->text.ptr[stop->matched] != byte)
        stop->matched = stop->borders[stop->matched - 1];
    stop->matched += stop->text.ptr[stop->matched] == byte;
    return stop->matched == stop->text.len;
}

/* Where the earliest thing begins that is a stop text or may become one; `heard` = none. */
static uint64_t open_from(const struct stops *stops)
{
    uint64_t from = stops->found < stops->heard ? stops->found : stops->heard;
    for (size_t i = 0; i < stops->count; i++)
        if (stops->heard - stops->all[i].matched < from)
            from = stops->heard - stops->all[i].matched;
    return from;
}

static void look(struct stops *stops, char byte)
{
    stops->heard++;
    for (size_t i = 0; i < stops->count; i++)
        if (hear_byte(&stops->all[i], byte) && stops->heard - stops->all[i].matched < stops->found)
            stops->found = stops->heard - stops->all[i].matched;
    stops->is_cut = stops->found != UINT64_MAX && open_from(stops) == stops->found;
}

/* Moves what stands before `from` out of pending. */
static void release(struct stops *stops, uint64_t from, struct buf *ret_text)
{
    uint64_t begin = stops->heard - stops->pending.len;
    size_t count = (size_t)(from - begin);
    buf_add(ret_text, slice_sub(buf_slice(&stops->pending), 0, count));
    buf_drop_front(&stops->pending, count);
}

void stops_hear(struct stops *stops, struct slice piece, struct buf *ret_text)
{
    if (stops->is_cut)
        return;
    if (stops->count == 0) {
        buf_add(ret_text, piece);
        return;
    }
    size_t used = 0;
    while (used < piece.len && !stops->is_cut)
        look(stops, piece.ptr[used++]);
    buf_add(&stops->pending, slice_sub(piece, 0, used));
    if (stops->pending.failed != OK)
        ret_text->failed = stops->pending.failed;
    else
        release(stops, open_from(stops), ret_text);
}

bool stops_end(struct stops *stops, struct buf *ret_text)
{
    bool is_found = stops->found != UINT64_MAX;
    if (stops->is_cut || stops->count == 0)
        return stops->is_cut;
    if (stops->pending.failed == OK)
        release(stops, is_found ? stops->found : stops->heard, ret_text);
    stops->is_cut = is_found;
    buf_reset(&stops->pending);
    for (size_t i = 0; i < stops->count; i++)
        stops->all[i].matched = 0;
    return is_found;
}
