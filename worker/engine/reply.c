#include "engine/reply.h"

#include <string.h>

#include "base/check.h"
#include "base/glob.h"
#include "base/memory.h"
#include "engine/log.h"
#include "wire/formats/text.h"

enum err reply_init(struct engine *engine)
{
    struct replies *own = &engine->replies;
    own->topics = memory_new(REPLY_TOPICS_MAX * sizeof *own->topics);
    own->by_name = memory_new((size_t)REPLY_BUCKETS * sizeof(struct link));
    own->by_ticket = memory_new((size_t)REPLY_BUCKETS * sizeof(struct link));
    link_init(&own->bad);
    link_init(&own->good);
    link_init(&own->overflow);
    if (own->topics == NULL || own->by_name == NULL || own->by_ticket == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < REPLY_BUCKETS; i++) {
        link_init(&own->by_name[i]);
        link_init(&own->by_ticket[i]);
    }
    for (size_t i = 0; i < REPLY_TOPICS_MAX; i++) {
        struct reply_topic *topic = &own->topics[i];
        link_init(&topic->waiters);
        link_init(&topic->link_name);
        link_init(&topic->link_ticket);
        link_init(&topic->link_free);
        list_add_last(&own->bad, &topic->link_free);
    }
    return OK;
}

void reply_done(struct engine *engine)
{
    memory_free(engine->replies.topics);
    memory_free(engine->replies.by_name);
    memory_free(engine->replies.by_ticket);
}

/* The worker's topics except responses. A reply there would become a request, billed usage, or a
 * dead letter that is sent again, so no glob allows them. */
static bool is_our_own(const struct engine *engine, struct slice topic)
{
    const struct output_context *output = &engine->config.output;
    for (size_t i = 0; i < engine->config.request_topic_count; i++)
        if (slice_equal(engine->config.request_topics[i], topic))
            return true;
    return slice_equal(output->chunks_topic, topic) || slice_equal(output->usage_topic, topic) ||
           slice_equal(output->dead_letters_topic, topic) ||
           slice_equal(output->budgets_topic, topic);
}

static bool is_allowed(const struct engine *engine, const struct terms *terms, struct slice topic)
{
    if (is_our_own(engine, topic))
        return false;
    for (size_t i = 0; i < terms->reply_allowed_count; i++)
        if (glob_match(terms->reply_allowed[i], topic, false))
            return true;
    return false;
}

/* The place of this name, else a free one for it; NULL: all others are being looked up. */
static struct reply_topic *place_for(struct engine *engine, struct slice name)
{
    struct replies *own = &engine->replies;
    struct link *bucket = &own->by_name[slice_hash(name, engine->hash_seed) & (REPLY_BUCKETS - 1)];
    for (struct link *link = bucket->next; link != bucket; link = link->next) {
        struct reply_topic *topic = LINK_OWNER(link, struct reply_topic, link_name);
        if (topic->name_len == name.len && memcmp(topic->name, name.ptr, name.len) == 0)
            return topic;
    }
    struct link *first = list_first(&own->bad);
    first = first != NULL ? first : list_first(&own->good);
    if (first == NULL)
        return NULL;
    struct reply_topic *topic = LINK_OWNER(first, struct reply_topic, link_free);
    link_out(&topic->link_name);
    memcpy(topic->name, name.ptr, name.len);
    topic->name_len = name.len;
    topic->known_until_ms = INT64_MIN;
    list_add_last(bucket, &topic->link_name);
    return topic;
}

static void look_up(struct engine *engine, struct reply_topic *topic)
{
    topic->ticket = ++engine->next_ticket;
    link_out(&topic->link_free);
    list_add_last(&engine->replies.by_ticket[topic->ticket & (REPLY_BUCKETS - 1)],
                  &topic->link_ticket);
    engine->ports.topic_look_up(engine->ports.self, slice_of(topic->name, topic->name_len),
                                topic->ticket);
}

/* The topic that is looked up under this ticket; NULL = none. */
static struct reply_topic *looked_up(struct engine *engine, uint32_t ticket)
{
    struct link *bucket = &engine->replies.by_ticket[ticket & (REPLY_BUCKETS - 1)];
    for (struct link *link = bucket->next; link != bucket; link = link->next) {
        struct reply_topic *topic = LINK_OWNER(link, struct reply_topic, link_ticket);
        if (topic->ticket == ticket)
            return topic;
    }
    return NULL;
}

/* The name comes from a request: the log has it only if it is a valid topic name. */
void reply_log_rejected(struct engine *engine, const struct job *job, const char *text)
{
    struct slice name = job->request.reply_topic;
    ENGINE_LOG(
        engine, LOG_REPLY_REJECTED,
        FIELD_TEXT("reply_topic", text_is_topic(name) ? name : SLICE("(invalid topic name)")),
        REQUEST_FIELDS(job), FIELD_TEXT("reason", slice_of_text(text)));
}

static enum err reject(struct engine *engine, const struct job *job, struct why *ret_why,
                       const char *text)
{
    const char *field = job->request.reply_by_header ? "kafka_replyTopic" : "reply_to";
    reply_log_rejected(engine, job, text);
    return why_set(ret_why, ERR_REPLY_REFUSED, field, "%s", text);
}

/* Only headers name partitions. */
static enum err reject_partition(struct engine *engine, const struct job *job, struct why *ret_why)
{
    enum err err = reject(engine, job, ret_why, "the reply topic has no such partition");
    why_copy(ret_why->field, sizeof ret_why->field, SLICE("kafka_replyPartition"));
    return err;
}

enum err reply_check(struct engine *engine, struct job *job, struct why *ret_why)
{
    struct slice name = job->request.reply_topic;
    if (name.ptr == NULL)
        return OK;
    if (!text_is_topic(name))
        return reject(engine, job, ret_why, "the reply topic is not a valid topic name");
    if (!is_allowed(engine, job->terms, name))
        return reject(engine, job, ret_why,
                      "topics.reply_allowed of the worker does not allow the reply topic");
    struct reply_topic *topic = place_for(engine, name);
    if (topic == NULL) {
        list_add_last(&engine->replies.overflow, &job->reply_link);
        return ERR_UNSTABLE;
    }
    /* The topic may have got the partition after the last look-up. */
    bool has_grown = topic->err == OK && job->request.reply_partition >= topic->partitions &&
                     job->step == JOB_TAKEN;
    if (topic->known_until_ms <= engine->now_ms || has_grown) {
        list_add_last(&topic->waiters, &job->reply_link);
        if (topic->ticket == 0)
            look_up(engine, topic);
        return ERR_UNSTABLE;
    }
    if (topic->err == ERR_NOT_ALLOWED)
        return reject(engine, job, ret_why, "the worker is not authorised for the reply topic");
    if (topic->err != OK)
        return reject(engine, job, ret_why, "the reply topic does not exist");
    if (job->request.reply_partition >= topic->partitions)
        return reject_partition(engine, job, ret_why);
    return OK;
}

void reply_found(struct engine *engine, uint32_t ticket, enum err err, int32_t partitions,
                 struct link *ready)
{
    struct reply_topic *topic = looked_up(engine, ticket);
    if (topic == NULL)
        return;
    if (err == ERR_IO) { /* unknown now: look up again while the jobs wait */
        engine->ports.topic_look_up(engine->ports.self, slice_of(topic->name, topic->name_len),
                                    ticket);
        return;
    }
    topic->ticket = 0;
    topic->err = err;
    topic->partitions = partitions;
    topic->known_until_ms = engine->now_ms + (err == OK ? REPLY_KNOWN_MS : REPLY_BAD_MS);
    link_out(&topic->link_ticket);
    list_add_last(err == OK ? &engine->replies.good : &engine->replies.bad, &topic->link_free);
    list_move_all(&topic->waiters, ready);
}

struct job *reply_next(struct engine *engine)
{
    struct replies *own = &engine->replies;
    struct link *first = list_first(&own->overflow);
    if (first == NULL || (link_alone(&own->bad) && link_alone(&own->good)))
        return NULL;
    link_out(first);
    return LINK_OWNER(first, struct job, reply_link);
}
