/* Outages of all brokers: nothing is fetched, committed or read, and longer ones end all sessions.
 */
#include "world.h"

bool kafka_is_away(const struct world *world)
{
    return world->now_ms < world->outage_until;
}

/* All sessions end while the brokers are away; the group forms again from nothing. */
void kafka_outage(struct world *world)
{
    int64_t lasts_ms = 1000 + (int64_t)random_below(&world->random, 3 * SESSION_MS);
    world->outage_until = world->now_ms + lasts_ms;
    world->outages++;
    world_note(world, "all brokers are away until %lld", (long long)world->outage_until);
    world_add(world, EVENT_BROKERS_BACK, NULL, lasts_ms);
    for (int i = 0; i < world->worker_count && lasts_ms > SESSION_MS; i++) {
        struct worker *worker = &world->workers[i];
        if (worker->engine == NULL || !worker->is_member)
            continue;
        kafka_kick(world, worker, false);
    }
}

void kafka_brokers_back(struct world *world)
{
    world_note(world, "the brokers are back");
    int first = (int)random_below(&world->random, (uint64_t)world->worker_count);
    for (int i = 0; i < world->worker_count; i++) {
        struct worker *worker = &world->workers[(first + i) % world->worker_count];
        if (worker->engine != NULL && worker->knows_it_is_out && !worker->is_stopping)
            kafka_join(world, worker);
    }
    for (int i = 0; i < world->log_count; i++)
        if (world->logs[i].owner < 0)
            kafka_give(world, &world->logs[i], kafka_any_member(world));
}
