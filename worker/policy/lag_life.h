/* Whether somebody still works on a partition. A worker that was killed stays a member of its group
 * until its session ends, 45 s as a rule, and until then its partitions lag like those of the
 * others. But nothing is committed for them any more: neither their offset nor their map changes.
 *
 * That alone says little: a partition that completes a request a minute shows nothing for most of a
 * minute. So its silence is compared with what it completed before (or, where nothing is known of
 * it, with what the partitions of the others complete): it counts as deserted when some requests
 * would have been completed meanwhile. None is deserted while all are silent, as in an outage.
 *
 * To be wrong costs little: a worker that waits for one long call begins none meanwhile, always
 * counts its own partitions for itself, and counts for the others again at the first look after its
 * next commit. Pure arithmetic. */
#ifndef POLICY_LAG_LIFE_H
#define POLICY_LAG_LIFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/lag_share.h"

/* Silence shorter than this says nothing, nor one of two intervals between commits. */
#define LAG_LIFE_PATIENCE_MS 3000

/* What is remembered of a partition from look to look. Zeroed = nothing. */
struct lag_life {
    int64_t offset;   /* committed */
    uint32_t map;     /* a hash of what is committed beside it */
    int64_t seen_ms;  /* the first look; 0 = there was none */
    int64_t alive_ms; /* the last look at which it had changed, or had no lag */
    double rate;      /* requests completed a second, of late; 0 = not known */
};

/* A partition of the group, as a look shows it. */
struct lag_part {
    struct lag_life life; /* of the look before; lag_parts_look brings it up to date */
    int64_t offset;       /* committed now */
    uint32_t map;
    int64_t end; /* of its log; negative = unknown: the partition counts for nothing */
    bool is_mine;
    int64_t done; /* set by lag_parts_look: requests since the look before */
};

/* Takes a look at all partitions of the group, at `now_ms` > 0. Deserted ones count as idle.
 * `have_moved`: some changed hands since the look before: what was done is unknown. */
struct lag_look lag_parts_look(struct lag_part *parts, size_t part_count, bool have_moved,
                               int64_t patience_ms, int64_t now_ms);

#endif
