#include "io/kafka/committer.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>

#include "base/check.h"
#include "base/memory.h"
#include "io/kafka/publisher.h"

struct kafka_committer {
    struct publisher publisher; /* only the thread uses it */
    struct loop_wake wake;
    pthread_t thread;
    bool has_thread;
    atomic_bool is_ready;
    pthread_mutex_t lock;
    pthread_cond_t given;
    /* The mailbox, under the lock: */
    struct batch batch;
    rd_kafka_consumer_group_metadata_t *group;
    bool is_open, is_new, is_ended;
    struct batch_end end;
};

static void batch_run(struct kafka_committer *committer, const struct batch *batch,
                      rd_kafka_consumer_group_metadata_t *group)
{
    struct batch_end end;
    publisher_run(&committer->publisher, batch, group, &end);
    if (group != NULL)
        rd_kafka_consumer_group_metadata_destroy(group);
    (void)pthread_mutex_lock(&committer->lock);
    committer->end = end;
    committer->is_ended = true;
    (void)pthread_mutex_unlock(&committer->lock);
    committer->wake.wake(committer->wake.self);
}

static void *committer_run(void *argument)
{
    struct kafka_committer *committer = argument;
    publisher_renew(&committer->publisher);
    atomic_store(&committer->is_ready, committer->publisher.client != NULL);
    committer->wake.wake(committer->wake.self);
    (void)pthread_mutex_lock(&committer->lock);
    while (!atomic_load(&committer->publisher.stopping)) {
        if (!committer->is_new) {
            (void)pthread_cond_wait(&committer->given, &committer->lock);
            continue;
        }
        struct batch batch = committer->batch;
        rd_kafka_consumer_group_metadata_t *group = committer->group;
        committer->group = NULL;
        committer->is_new = false;
        (void)pthread_mutex_unlock(&committer->lock);
        batch_run(committer, &batch, group);
        (void)pthread_mutex_lock(&committer->lock);
    }
    (void)pthread_mutex_unlock(&committer->lock);
    publisher_done(&committer->publisher);
    return NULL;
}

struct kafka_committer *kafka_committer_new(const struct kafka_config *config,
                                            struct kafka_lines *lines, struct loop_wake wake,
                                            char *ret_error)
{
    struct kafka_committer *committer = memory_new(sizeof *committer);
    if (committer == NULL)
        return NULL;
    committer->wake = wake;
    CHECK(pthread_mutex_init(&committer->lock, NULL) == 0);
    CHECK(pthread_cond_init(&committer->given, NULL) == 0);
    committer->has_thread = publisher_init(&committer->publisher, config, lines, ret_error) &&
                            pthread_create(&committer->thread, NULL, committer_run, committer) == 0;
    if (committer->has_thread)
        return committer;
    publisher_done(&committer->publisher);
    kafka_committer_free(committer);
    return NULL;
}

bool kafka_committer_is_ready(struct kafka_committer *committer)
{
    return atomic_load(&committer->is_ready);
}

void kafka_committer_give(struct kafka_committer *committer, const struct batch *batch,
                          struct rd_kafka_consumer_group_metadata_s *group)
{
    (void)pthread_mutex_lock(&committer->lock);
    CHECK(!committer->is_open);
    committer->batch = *batch;
    committer->is_open = true;
    committer->group = group;
    committer->is_new = true;
    (void)pthread_cond_signal(&committer->given);
    (void)pthread_mutex_unlock(&committer->lock);
}

const struct batch *kafka_committer_take(struct kafka_committer *committer,
                                         struct batch_end *ret_end)
{
    const struct batch *batch = NULL;
    (void)pthread_mutex_lock(&committer->lock);
    if (committer->is_ended) {
        batch = &committer->batch;
        *ret_end = committer->end;
        committer->is_open = committer->is_ended = false;
    }
    (void)pthread_mutex_unlock(&committer->lock);
    return batch;
}

void kafka_committer_stop(struct kafka_committer *committer)
{
    (void)pthread_mutex_lock(&committer->lock);
    atomic_store(&committer->publisher.stopping, true);
    (void)pthread_cond_signal(&committer->given);
    (void)pthread_mutex_unlock(&committer->lock);
}

void kafka_committer_free(struct kafka_committer *committer)
{
    if (committer == NULL)
        return;
    if (committer->has_thread) {
        kafka_committer_stop(committer);
        (void)pthread_join(committer->thread, NULL);
    }
    if (committer->group != NULL)
        rd_kafka_consumer_group_metadata_destroy(committer->group);
    (void)pthread_cond_destroy(&committer->given);
    (void)pthread_mutex_destroy(&committer->lock);
    memory_free(committer);
}
