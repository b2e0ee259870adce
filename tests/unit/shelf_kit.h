/* What tests of the shelf share: losing partition 0, getting it back, and what another owner left
 * in its map. */
#ifndef UNIT_SHELF_KIT_H
#define UNIT_SHELF_KIT_H

#include "unit/engine_kit.h"

#include "engine/hold.h"
#include "engine/shelf.h"
#include "engine/slots.h"

#define KEEP_MS 600000

static inline struct kit *kit_shelving(void)
{
    struct engine_config config = kit_config();
    config.keep_lost_ms = KEEP_MS;
    return kit_started(&config);
}

/* The session ends and the group gives the partition back. */
static inline void lose(struct kit *kit)
{
    engine_partition_lost(kit->engine, kit->tenures[0]);
    kit_turn(kit);
}

static inline void come_back(struct kit *kit)
{
    kit_assign(kit, 0);
    kit_turn(kit);
}

static inline void leave_map(struct kit *kit, int64_t offset, struct offset_open open)
{
    struct buf map OWNED_BY(buf_done);
    buf_init(&map, OFFSET_MAP_BYTES_MAX);
    bool is_done = open.offset < 0;
    offset_map_add(&map, offset, is_done ? offset - 1 : open.offset, &open, is_done ? 0 : 1,
                   &(struct offset_map_stamp){.nonce = 7});
    kit->committed[0] = offset;
    free(kit->maps[0]);
    kit->maps[0] = kit_copy(buf_slice(&map));
}

static inline struct offset_open at_0(uint8_t begun, bool is_under_way)
{
    return (struct offset_open){.offset = 0, .begun = begun, .is_under_way = is_under_way};
}

/* A call whose begun count 1 is committed, and its partition lost. */
static inline struct kit *kit_with_a_lost_call(void)
{
    struct kit *kit = kit_shelving();
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
    kit_commit(kit);
    lose(kit);
    return kit;
}

static inline void come_back_with_the_record(struct kit *kit)
{
    come_back(kit);
    kit_request(kit, 0, 0, NULL, "");
    kit_turn(kit);
}

/* The id of the record of the call that a map tells as begun so often. */
static inline void lost_id(const struct kit *kit, int64_t offset, uint8_t begun,
                           char ret[UUID_TEXT_LEN + 1])
{
    struct lost_call_name name = {.topic = KIT_TOPIC,
                                  .offset = offset,
                                  .timestamp_ms = kit->stamps[0][offset],
                                  .begun = begun};
    struct uuid id;
    output_lost_call_id(&kit->config.output, &name, &id);
    (void)snprintf(ret, UUID_TEXT_LEN + 1, "%.*s", SLICE_ARG(uuid_slice(&id)));
}

static inline void assert_replaces_at(const struct kit *kit, const struct kit_text *usage,
                                      int64_t offset, uint8_t begun)
{
    char id[UUID_TEXT_LEN + 1], member[64];
    lost_id(kit, offset, begun, id);
    (void)snprintf(member, sizeof member, "\"replaces\":\"%s\"}}", id);
    assert_says(usage, member);
}

static inline void assert_replaces(const struct kit *kit, const struct kit_text *usage,
                                   uint8_t begun)
{
    assert_replaces_at(kit, usage, 0, begun);
}

static inline void assert_replaces_nothing(const struct kit_text *usage)
{
    assert_null(strstr(usage->value, "replaces"));
}

#endif
