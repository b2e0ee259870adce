/* The offset map: what the offset-commit metadata of a partition says beside the offset (the
 * front): which offsets above the front are done, and for the open ones how often a call was begun
 * for them and how the last one stood. Versioned, ASCII, run-length, with a nonce (so that two
 * commits never look alike) and a CRC-32 over front, facts and body (so that an offset and a map of
 * two moments do not fit together).
 *
 *   bw2 <nonce: 6> <crc: 6> <topic: 6> <second: 6> <partitions: 3> <runs …>
 *
 * Runs go from the front upwards. An offset at or below the last one said is done unless it is in
 * an open run; gaps in the log count as done. One symbol an open offset, one or more a gap:
 * offset_map_gap_cost() bounds every later state.
 *
 * bw1, of version 0.1.0, has no facts and no marks. It is read, and written only where a partition
 * has one for which the longer bw2 has no room. */
#ifndef WIRE_FORMATS_OFFSET_MAP_H
#define WIRE_FORMATS_OFFSET_MAP_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#ifdef BEDROCK_NEXT_MAP /* only tests: the version after this one */
#define OFFSET_MAP_NUMBER  3
#define OFFSET_MAP_VERSION "bw3"
#else
#define OFFSET_MAP_NUMBER  2
#define OFFSET_MAP_VERSION "bw2"
#endif
#define OFFSET_MAP_BEGUN_MAX      9
#define OFFSET_MAP_HEAD_LEN       30     /* bytes before the runs */
#define OFFSET_MAP_BYTES_MAX      4096   /* the broker's default offset.metadata.max.bytes */
#define OFFSET_MAP_GAP_COST_MAX   13     /* of any gap: its symbol and 12 digits */
#define OFFSET_MAP_PARTITIONS_MAX 778687 /* a topic with more of them is said to have this many */

/* An offset that is not done. */
struct offset_open {
    int64_t offset;
    uint8_t begun;     /* 0 to OFFSET_MAP_BEGUN_MAX: owners that began a call for it */
    bool is_under_way; /* the last of these calls may run, or is not recorded yet */
    bool is_marked;    /* it is under way by its mark only: whether it was made is unknown */
};

/* What the head of a map says beside its runs; 0 = unknown. */
struct offset_map_stamp {
    uint32_t nonce;      /* any number */
    uint32_t topic;      /* offset_map_topic() of the topic's id */
    uint32_t second;     /* when the map was made, Unix time */
    uint32_t partitions; /* how many the topic had then */
};

/* The `topic` of a stamp: a hash of the topic's id (16 bytes), never 0; 0 for an empty id. */
uint32_t offset_map_topic(struct slice topic_id);

/* Appends the map. `open` ascending, all in front..last. `last` is the highest offset the map
 * speaks of: all in front..last that are not open are done. last < front: nothing above the front
 * is known, and `open` is empty. */
void offset_map_add(struct buf *buf, int64_t front, int64_t last, const struct offset_open *open,
                    size_t count, const struct offset_map_stamp *stamp);
/* As offset_map_add, in the form bw1: a mark is said as a running call. */
void offset_map_add_bw1(struct buf *buf, int64_t front, int64_t last,
                        const struct offset_open *open, size_t count, uint32_t nonce);
/* ERR_NOT_FOUND: empty metadata (no map). ERR_NOT_ALLOWED: another program's. ERR_FORMAT: a map,
 * but damaged, cut or not of this front. ERR_LATER_VERSION: of a later version. ret_open has room
 * for `room`; ERR_TOO_LARGE when it does not fit: *ret_count says how many there are. */
MUST_CHECK enum err offset_map_read(struct slice metadata, int64_t front,
                                    struct offset_open *ret_open, size_t room, size_t *ret_count,
                                    int64_t *ret_last);
/* The parts of a map. */
struct offset_map_head {
    int number; /* of its version: 1 to OFFSET_MAP_NUMBER */
    struct slice nonce;
    uint32_t crc;                  /* as it says */
    struct offset_map_stamp stamp; /* its nonce stays 0 */
    struct slice sealed;           /* what the checksum covers beside front and nonce */
    struct slice runs;             /* the end of the metadata */
};

/* Offsets next to each other that are in the same state. */
struct offset_run {
    int64_t length;
    bool is_done;
    uint8_t begun; /* when not done, as in struct offset_open */
    bool is_under_way, is_marked;
};

/* ERR_NOT_FOUND, ERR_NOT_ALLOWED, ERR_FORMAT and ERR_LATER_VERSION as offset_map_read; the
 * checksum is not compared. */
MUST_CHECK enum err offset_map_read_head(struct slice metadata, struct offset_map_head *ret_head);
/* Is the map the one that was made for this front, and whole? */
MUST_CHECK bool offset_map_fits(const struct offset_map_head *head, int64_t front);
/* Takes the first run off *runs, which is not empty; `number` is the head's. false: it is damaged.
 */
MUST_CHECK bool offset_map_take_run(int number, struct slice *runs, struct offset_run *ret_run);
/* Symbols that the gap between two neighbouring open offsets may cost at most (0 when adjacent). No
 * more than the gaps on both sides of an open offset and the offset itself: so a map of fewer open
 * offsets is never over the bound of more. */
size_t offset_map_gap_cost(int64_t lower, int64_t upper);

#endif
