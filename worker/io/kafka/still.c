#include "io/kafka/still.h"

bool still_note(struct still *still, const struct still_look *look, int64_t now_ms)
{
    bool should_come = look->may_come && look->high > look->next && look->end != look->next;
    bool was_suspended = now_ms - still->seen_ms > STILL_GAP_MS;
    still->seen_ms = now_ms;
    if (!should_come || still->since_ms == 0 || still->next != look->next || was_suspended) {
        still->next = look->next;
        still->since_ms = should_come ? now_ms : 0;
    }
    return should_come && now_ms - still->since_ms >= STILL_MS;
}
