#include "engine/membership.h"

#include "base/check.h"

#define MEMBERSHIP_AGAIN_MS  100 /* between two looks before new calls */
#define MEMBERSHIP_BYTES_MAX 4096

void membership_init(struct engine *engine)
{
    buf_init(&engine->membership.verified, MEMBERSHIP_BYTES_MAX);
    buf_init(&engine->membership.now, MEMBERSHIP_BYTES_MAX);
}

void membership_done(struct engine *engine)
{
    buf_done(&engine->membership.verified);
    buf_done(&engine->membership.now);
}

enum membership_news membership_standing(const struct engine *engine)
{
    const struct membership *own = &engine->membership;
    if (!own->is_member)
        return MEMBERSHIP_GONE;
    return own->is_outcast ? MEMBERSHIP_OUTCAST : MEMBERSHIP_SAME;
}

enum membership_news membership_look(struct engine *engine)
{
    struct membership *own = &engine->membership;
    own->looked_ms = engine->now_ms;
    buf_reset(&own->now);
    engine->ports.membership(engine->ports.self, &own->now);
    struct slice now = buf_slice(&own->now);
    own->is_member = now.len > 0;
    if (!own->is_member || slice_equal(now, buf_slice(&own->verified)))
        return membership_standing(engine);
    bool is_first = own->verified.len == 0;
    own->is_outcast = false;
    own->number++;
    buf_reset(&own->verified);
    buf_add(&own->verified, now);
    CHECK(own->verified.failed == OK);
    if (is_first)
        return MEMBERSHIP_SAME;
    engine->ports.log(engine->ports.self, LOG_MEMBERSHIP_CHANGED, NULL, 0);
    return MEMBERSHIP_CHANGED;
}

enum membership_news membership_recent(struct engine *engine)
{
    if (engine->now_ms >= membership_again_ms(engine))
        return membership_look(engine);
    return membership_standing(engine);
}

int64_t membership_again_ms(const struct engine *engine)
{
    return engine->membership.looked_ms + MEMBERSHIP_AGAIN_MS;
}

uint32_t membership_number(const struct engine *engine)
{
    return engine->membership.number;
}

void membership_cast_out(struct engine *engine, uint32_t number)
{
    if (number == engine->membership.number)
        engine->membership.is_outcast = true;
}
