#include "app/redrive/shipment.h"

#include <string.h>

#include "base/check.h"

#define ARENA_BYTES_MAX ((size_t)1024 * 1024 * 1024)

void shipment_init(struct shipment *shipment)
{
    shipment->count = shipment->bytes = 0;
    arena_init(&shipment->arena, ARENA_BYTES_MAX);
}

void shipment_done(struct shipment *shipment)
{
    arena_done(&shipment->arena);
}

void shipment_empty(struct shipment *shipment)
{
    shipment->count = shipment->bytes = 0;
    arena_reset(&shipment->arena);
}

bool shipment_is_full(const struct shipment *shipment)
{
    return shipment->count == SHIPMENT_LETTERS_MAX || shipment->bytes >= SHIPMENT_BYTES_MAX;
}

enum err shipment_add(struct shipment *shipment, const struct record *letter_record,
                      const struct record *content, enum fate fate, struct slice topic)
{
    CHECK(!shipment_is_full(shipment));
    struct record letter_copy;
    struct record *copy = &shipment->records[shipment->count];
    struct shipped *shipped = &shipment->letters[shipment->count];
    *shipped = (struct shipped){
        .partition = letter_record->partition, .offset = letter_record->offset, .fate = fate};
    if (!record_copy(&shipment->arena, letter_record, &letter_copy) ||
        !record_copy(&shipment->arena, content, copy) ||
        dead_letter_read(&shipment->arena, &letter_copy, &shipped->letter) != OK)
        return ERR_NO_MEMORY;
    copy->topic = topic.ptr != NULL ? topic : shipped->letter.topic;
    if (fate == FATE_SENT) {
        enum err err =
            dead_letter_headers(&shipment->arena, &shipped->letter, copy->headers, &copy->headers);
        if (err != OK)
            return err;
    }
    shipment->count++;
    shipment->bytes += copy->key.len + copy->value.len + headers_copy_bytes(copy->headers);
    return OK;
}

void shipment_drop(struct shipment *shipment, size_t index)
{
    size_t behind = shipment->count - index - 1;
    CHECK(index < shipment->count);
    memmove(&shipment->letters[index], &shipment->letters[index + 1],
            behind * sizeof *shipment->letters);
    memmove(&shipment->records[index], &shipment->records[index + 1],
            behind * sizeof *shipment->records);
    shipment->count--;
}
