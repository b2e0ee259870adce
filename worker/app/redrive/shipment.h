/* The dead letters of one transaction: the requests that go back, and which letters they come
 * from. Owns copies of everything until it is emptied. */
#ifndef APP_REDRIVE_SHIPMENT_H
#define APP_REDRIVE_SHIPMENT_H

#include "app/redrive/choice.h"

#define SHIPMENT_LETTERS_MAX 200
#define SHIPMENT_BYTES_MAX   ((size_t)8 * 1024 * 1024) /* full beyond; one letter may be larger */

struct shipped {
    int32_t partition; /* of the dead letter */
    int64_t offset;
    enum fate fate; /* FATE_SENT or FATE_PARKED */
    struct dead_letter letter;
};

struct shipment {
    struct arena arena;
    size_t count, bytes;
    struct shipped letters[SHIPMENT_LETTERS_MAX];
    struct record records[SHIPMENT_LETTERS_MAX]; /* what is sent, in the same order */
};

void shipment_init(struct shipment *shipment);
void shipment_done(struct shipment *shipment);
/* Empties it and frees the copies. */
void shipment_empty(struct shipment *shipment);
bool shipment_is_full(const struct shipment *shipment);
/* Adds a letter that goes to `topic` (borrowed; null = to its request topic). `content` has the
 * value and headers to send: the letter itself, or its request when the letter was cut. CHECKs that
 * there is room. ERR_NO_MEMORY. */
MUST_CHECK enum err shipment_add(struct shipment *shipment, const struct record *letter_record,
                                 const struct record *content, enum fate fate, struct slice topic);
/* Removes one letter, which the broker rejects. */
void shipment_drop(struct shipment *shipment, size_t index);

#endif
