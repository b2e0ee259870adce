/* What the kit does with records that the engine sends at once. Part of engine_kit.h. */
#ifndef UNIT_ENGINE_KIT_CHUNKS_H
#define UNIT_ENGINE_KIT_CHUNKS_H

static inline bool kit_on_chunk(void *self, struct call_ref call, struct output *chunk,
                                bool is_last)
{
    struct kit *kit = self;
    (void)call;
    bool is_sent = is_last || !kit->has_no_room_for_chunks;
    if (is_sent)
        kit_keep(kit->chunks, &kit->chunk_count, chunk);
    output_free(chunk);
    return is_sent;
}

/* The latest record of what the worker has reserved of budgets, and their number. */
static char kit_reserved[8192];
static size_t kit_reserved_count;

/* Sums stand among the chunks. */
static inline void kit_on_sums(void *self, struct output *sums)
{
    struct kit *kit = self;
    if (memmem(sums->value.ptr, sums->value.len, "chat.reservations", 17) == NULL) {
        kit_keep(kit->chunks, &kit->chunk_count, sums);
    } else {
        slice_write(sums->value, kit_reserved, sizeof kit_reserved);
        kit_reserved_count++;
    }
    output_free(sums);
}

#endif
