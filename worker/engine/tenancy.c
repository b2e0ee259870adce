#include "engine/tenancy.h"

enum err tenancy_check(struct job *job)
{
    const struct tenant_table *tenants = &job->terms->tenants;
    struct slice topic = job->record.topic, fixed = SLICE_NULL;
    if (slice_equal(job->request.tenant, SLICE("default")))
        fixed = tenant_of_topic(tenants, topic);
    if (fixed.ptr != NULL)
        job->request.tenant = fixed;
    if (tenant_may(tenants, job->request.tenant, topic))
        return OK;
    return why_set(&job->why, ERR_INVALID, "tenant",
                   "the settings (tenants) do not let requests of the topic %.*s bill this tenant",
                   SLICE_ARG(topic));
}
