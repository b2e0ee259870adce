#include "engine/current.h"

static _Thread_local struct current current;

void current_begin(const struct engine *engine)
{
    current = (struct current){.engine = engine};
}

void current_set_partition(const struct partition *partition)
{
    current.partition = partition;
}

void current_set_job(const struct job *job)
{
    current.job = job;
}

void current_set_call(const struct call *call)
{
    current.call = call;
}

void current_drop_partition(const struct partition *partition)
{
    if (current.partition == partition)
        current.partition = NULL;
}

void current_end(const struct engine *engine)
{
    if (current.engine == engine)
        current = (struct current){.engine = NULL};
}

const struct current *current_objects(void)
{
    return &current;
}
