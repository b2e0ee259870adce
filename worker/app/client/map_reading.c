#include "app/client/map_reading.h"

#include "base/instant.h"
#include "wire/formats/offset_map.h"

#define OFFSETS_COLUMNS 24 /* of a run's offsets */
#define FIRST_HEAD_LEN  15 /* of maps of version 0.1.0 */

struct map_page {
    struct buf *page;
    bool is_front_known;
    int64_t position; /* of the next run; relative to the front when that is unknown */
};

static void add_offset(const struct map_page *map, int64_t offset, struct buf *text)
{
    buf_addf(text, "%s%lld", map->is_front_known ? "" : "+", (long long)offset);
}

/* Adds a line that begins with "  1042 to 1050". */
static void add_offsets(const struct map_page *map, int64_t length)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, 128);
    add_offset(map, map->position, &text);
    if (length > 1) {
        buf_add_text(&text, " to ");
        add_offset(map, map->position + length - 1, &text);
    }
    buf_addf(map->page, "  %-*s", OFFSETS_COLUMNS, buf_text(&text));
}

static void add_state(struct buf *page, const struct offset_run *run)
{
    if (run->is_done) {
        buf_add_text(page, "completed\n");
        return;
    }
    buf_add_text(page, "open, ");
    if (run->begun == 0)
        buf_add_text(page, "not begun");
    else if (run->begun == 1)
        buf_add_text(page, "begun once");
    else
        buf_addf(page, "begun %d times", (int)run->begun);
    buf_add_text(page, run->is_marked      ? ", call marked\n"
                       : run->is_under_way ? ", call running\n"
                                           : "\n");
}

/* Adds the runs. False: a run is damaged; *ret_rest begins with it. */
static bool add_runs(struct map_page *map, const struct offset_map_head *head,
                     struct slice *ret_rest)
{
    struct slice runs = head->runs;
    while (runs.len > 0) {
        struct offset_run run;
        int64_t next;
        *ret_rest = runs;
        if (!offset_map_take_run(head->number, &runs, &run) ||
            __builtin_add_overflow(map->position, run.length, &next))
            return false;
        add_offsets(map, run.length);
        add_state(map->page, &run);
        map->position = next;
    }
    return true;
}

/* Adds why the head is not readable. */
static void add_head_fault(struct slice metadata, enum err err, struct buf *fault)
{
    size_t head_len =
        metadata.len > 2 && metadata.ptr[2] == '1' ? FIRST_HEAD_LEN : OFFSET_MAP_HEAD_LEN;
    if (err == ERR_NOT_FOUND)
        buf_add_text(fault, "the metadata is empty: no worker committed this offset");
    else if (err == ERR_NOT_ALLOWED)
        buf_add_text(fault, "the metadata does not begin with bw: another program committed this "
                            "offset");
    else if (err == ERR_LATER_VERSION)
        buf_addf(fault, "a later version of the worker wrote the map: this program reads up to %s",
                 OFFSET_MAP_VERSION);
    else if (metadata.len < head_len)
        buf_addf(fault, "the map is cut: it has %zu bytes, and its head has %zu", metadata.len,
                 head_len);
    else
        buf_addf(fault, "the head, bytes 1 to %zu, is damaged", head_len);
}

/* What the head says of the topic and the time; nothing in maps of version 0.1.0. */
static void add_stamp(struct buf *page, const struct offset_map_stamp *stamp)
{
    if (stamp->second != 0) {
        buf_add_text(page, "made       ");
        instant_add_rfc3339(page, (int64_t)stamp->second * 1000);
        buf_add_byte(page, '\n');
    }
    if (stamp->topic != 0)
        buf_addf(page, "topic      %08x, a hash of its id\n", stamp->topic);
    if (stamp->partitions != 0)
        buf_addf(page, "partitions %u\n", stamp->partitions);
}

static void add_head(struct map_page *map, const struct offset_map_head *head, bool fits)
{
    buf_addf(map->page, "version    bw%d\n", head->number);
    buf_addf(map->page, "nonce      %.*s\n", SLICE_ARG(head->nonce));
    add_stamp(map->page, &head->stamp);
    if (!map->is_front_known) {
        buf_add_text(map->page, "offset     unknown: offsets count from it, and the checksum is "
                                "not verified\n");
        return;
    }
    buf_addf(map->page, "offset     %lld: everything below it is completed\n",
             (long long)map->position);
    buf_addf(map->page, "checksum   %s\n", fits ? "right" : "wrong");
}

bool map_reading_add(struct slice metadata, int64_t front, struct buf *ret_page,
                     struct buf *ret_fault)
{
    struct map_page map = {ret_page, front >= 0, front >= 0 ? front : 0};
    struct offset_map_head head;
    struct slice rest = SLICE_NULL;
    enum err err = offset_map_read_head(metadata, &head);
    if (err != OK) {
        add_head_fault(metadata, err, ret_fault);
        return false;
    }
    bool fits = front < 0 || offset_map_fits(&head, front);
    add_head(&map, &head, fits);
    buf_add_text(ret_page, "offsets\n");
    if (!add_runs(&map, &head, &rest)) {
        buf_addf(ret_fault, "the map is damaged at byte %zu of %zu: no run of offsets is there",
                 metadata.len - rest.len + 1, metadata.len);
        return false;
    }
    buf_add_text(ret_page, "  ");
    add_offset(&map, map.position, ret_page);
    buf_add_text(ret_page, " and above: the map says nothing\n");
    if (!fits)
        buf_addf(ret_fault,
                 "the checksum does not match offset %lld: the map is damaged, or it belongs to "
                 "another offset",
                 (long long)front);
    return fits;
}
