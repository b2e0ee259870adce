#include "engine/current.h"

static _Thread_local struct hand hand;

void hand_take(const struct engine *engine)
{
    hand = (struct hand){.engine = engine};
}

void hand_take_partition(const struct partition *partition)
{
    hand.partition = partition;
}

void hand_take_job(const struct job *job)
{
    hand.job = job;
}

void hand_take_call(const struct call *call)
{
    hand.call = call;
}

void hand_drop_partition(const struct partition *partition)
{
    if (hand.partition == partition)
        hand.partition = NULL;
}

void hand_drop(const struct engine *engine)
{
    if (hand.engine == engine)
        hand = (struct hand){.engine = NULL};
}

const struct hand *hand_now(void)
{
    return &hand;
}
