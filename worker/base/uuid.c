#include "base/uuid.h"

void uuid_new(struct uuid *ret_uuid, int64_t wall_ms, struct random *random)
{
    uint64_t high = random_next(random);
    uint64_t low = random_next(random) >> 2;
    uuid_make(ret_uuid, wall_ms, high, low);
}

void uuid_make(struct uuid *ret_uuid, int64_t wall_ms, uint64_t high, uint64_t low)
{
    static const char HEX[] = "0123456789abcdef";
    uint64_t time = (uint64_t)wall_ms & 0xffffffffffffU;
    high = time << 16 | 0x7000U | (high & 0x0fffU);
    low = 0x8000000000000000U | low << 2 >> 2;
    size_t digit = 0;
    for (size_t i = 0; i < UUID_TEXT_LEN; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            ret_uuid->text[i] = '-';
            continue;
        }
        uint64_t half = digit < 16 ? high : low;
        ret_uuid->text[i] = HEX[half >> (60 - 4 * (digit % 16)) & 15];
        digit++;
    }
}
