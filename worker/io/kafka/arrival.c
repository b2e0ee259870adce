#include "io/kafka/arrival.h"

/* Is a line about the JoinGroup due? */
static bool join_note(struct arrival *arrival, const struct arrival_look *look, int64_t now_ms)
{
    if (!look->is_joining || !look->has_brokers) {
        arrival->join_since_ms = 0;
        return false;
    }
    if (arrival->join_since_ms == 0) {
        arrival->join_since_ms = now_ms;
        arrival->join_due_ms = now_ms + ARRIVAL_WAIT_MS;
    }
    if (now_ms < arrival->join_due_ms)
        return false;
    arrival->join_due_ms = now_ms + ARRIVAL_AGAIN_MS;
    return true;
}

enum arrival_news arrival_note(struct arrival *arrival, const struct arrival_look *look,
                               int64_t now_ms)
{
    if (arrival->joined_ms == 0 && look->has_joined)
        arrival->joined_ms = now_ms;
    if (!arrival->is_ready && look->partitions > 0) {
        arrival->is_ready = true;
        return ARRIVAL_READY;
    }
    if (join_note(arrival, look, now_ms))
        return look->partitions > 0 ? ARRIVAL_REBALANCES : ARRIVAL_WAITS;
    if (arrival->is_ready || arrival->is_none_said || arrival->joined_ms == 0 || look->is_joining ||
        look->waiting > 0 || now_ms - arrival->joined_ms < ARRIVAL_NONE_MS)
        return ARRIVAL_NO_NEWS;
    arrival->is_none_said = true;
    return ARRIVAL_NONE;
}

int64_t arrival_waited_ms(const struct arrival *arrival, int64_t now_ms)
{
    return arrival->join_since_ms == 0 ? 0 : now_ms - arrival->join_since_ms;
}
