#include "io/loop/alarm.h"

#include "base/check.h"

static void on_hurry(uv_idle_t *idle)
{
    (void)idle;
}

static void on_due(uv_timer_t *timer)
{
    struct alarm *alarm = timer->data;
    alarm->due_ms = INT64_MAX;
    CHECK(uv_idle_start(&alarm->hurry, on_hurry) == 0);
}

void alarm_init(struct alarm *alarm, uv_loop_t *loop)
{
    CHECK(uv_timer_init(loop, &alarm->timer) == 0);
    CHECK(uv_idle_init(loop, &alarm->hurry) == 0);
    alarm->timer.data = alarm->hurry.data = alarm;
    alarm->due_ms = INT64_MAX;
    alarm->open_handles = 2;
}

void alarm_set(struct alarm *alarm, int64_t at_ms)
{
    int64_t now_ms = (int64_t)uv_now(alarm->timer.loop);
    if (at_ms <= now_ms) {
        CHECK(uv_idle_start(&alarm->hurry, on_hurry) == 0);
    } else if (at_ms < alarm->due_ms) {
        alarm->due_ms = at_ms;
        CHECK(uv_timer_start(&alarm->timer, on_due, (uint64_t)(at_ms - now_ms), 0) == 0);
    }
}

void alarm_move(struct alarm *alarm, int64_t at_ms)
{
    alarm_clear(alarm);
    if (at_ms != alarm->due_ms) {
        alarm->due_ms = INT64_MAX;
        CHECK(uv_timer_stop(&alarm->timer) == 0);
    }
    if (at_ms < INT64_MAX)
        alarm_set(alarm, at_ms);
}

void alarm_clear(struct alarm *alarm)
{
    CHECK(uv_idle_stop(&alarm->hurry) == 0);
}

static void on_closed(uv_handle_t *handle)
{
    struct alarm *alarm = handle->data;
    alarm->open_handles--;
}

void alarm_close(struct alarm *alarm)
{
    uv_close((uv_handle_t *)(void *)&alarm->timer, on_closed);
    uv_close((uv_handle_t *)(void *)&alarm->hurry, on_closed);
}

bool alarm_is_closed(const struct alarm *alarm)
{
    return alarm->open_handles == 0;
}
