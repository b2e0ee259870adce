/* An engine with many partitions. */
#ifndef UNIT_SCALE_KIT_H
#define UNIT_SCALE_KIT_H

#include "unit/engine_kit.h"

/* With this many partitions, none of which has had a record. */
static inline struct kit *kit_with_partitions(const struct engine_config *config, uint32_t count)
{
    struct kit *kit = kit_new(config);
    for (uint32_t slot = 0; slot < count; slot++) {
        kit_assign(kit, slot);
        kit->starts.count = 0;
        assert_true(engine_room(kit->engine, kit->tenures[slot]) > 0);
        engine_partition_empty(kit->engine, kit->tenures[slot]);
    }
    return kit;
}

#endif
