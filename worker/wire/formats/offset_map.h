/* The offset map: what the offset-commit metadata of a partition says beside the offset (the
 * front): which offsets above the front are done, and for the open ones how often a call was begun
 * for them and whether one was under way. Versioned, ASCII, run-length, with a nonce (so that two
 * commits never look alike) and a CRC-32 over front and body (so that an offset and a map of two
 * moments do not fit together).
 *
 *   bw1 <nonce: 6> <crc: 6> <runs …>
 *
 * Runs go from the front upwards. An offset at or below the last one said is done unless it is in
 * an open run; gaps in the log count as done. One symbol an open offset, one or more a gap:
 * offset_map_gap_cost() bounds every later state. */
#ifndef WIRE_FORMATS_OFFSET_MAP_H
#define WIRE_FORMATS_OFFSET_MAP_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define OFFSET_MAP_VERSION      "bw1"
#define OFFSET_MAP_BEGUN_MAX    15
#define OFFSET_MAP_HEAD_LEN     15   /* bytes before the runs */
#define OFFSET_MAP_BYTES_MAX    4096 /* the broker's default offset.metadata.max.bytes */
#define OFFSET_MAP_GAP_COST_MAX 13   /* of any gap: its symbol and 12 digits */

/* An offset that is not done. */
struct offset_open {
    int64_t offset;
    uint8_t begun;   /* 0 to OFFSET_MAP_BEGUN_MAX: owners that began a call for it */
    bool is_running; /* a call was running at this moment, or is not recorded yet */
};

/* Appends the map. `open` ascending, all in front..last. `last` is the highest offset the map
 * speaks of: all in front..last that are not open are done. last < front: nothing above the front
 * is known, and `open` is empty. */
void offset_map_add(struct buf *buf, int64_t front, int64_t last, const struct offset_open *open,
                    size_t count, uint32_t nonce);
/* ERR_NOT_FOUND: empty metadata (no map). ERR_NOT_ALLOWED: another program's. ERR_FORMAT: a map,
 * but damaged, cut, of a later version or not of this front. ret_open has room for `room`;
 * ERR_TOO_LARGE when it does not fit: *ret_count says how many there are. */
MUST_CHECK enum err offset_map_read(struct slice metadata, int64_t front,
                                    struct offset_open *ret_open, size_t room, size_t *ret_count,
                                    int64_t *ret_last);
/* The parts of a map, for those that show it to people. */
struct offset_map_head {
    struct slice nonce;
    uint32_t crc;      /* as it says */
    struct slice runs; /* the end of the metadata */
};

/* Offsets next to each other that are in the same state. */
struct offset_run {
    int64_t length;
    bool is_done;
    uint8_t begun;   /* when not done, as in struct offset_open */
    bool is_running; /* likewise */
};

/* ERR_NOT_FOUND, ERR_NOT_ALLOWED and ERR_FORMAT as offset_map_read; the checksum is not compared.
 */
MUST_CHECK enum err offset_map_read_head(struct slice metadata, struct offset_map_head *ret_head);
/* Is the map the one that was made for this front, and whole? */
MUST_CHECK bool offset_map_fits(const struct offset_map_head *head, int64_t front);
/* Takes the first run off *runs, which is not empty. false: it is damaged. */
MUST_CHECK bool offset_map_take_run(struct slice *runs, struct offset_run *ret_run);
/* Symbols that the gap between two neighbouring open offsets may cost at most (0 when adjacent). No
 * more than the gaps on both sides of an open offset and the offset itself: so a map of fewer open
 * offsets is never over the bound of more. */
size_t offset_map_gap_cost(int64_t lower, int64_t upper);

#endif
