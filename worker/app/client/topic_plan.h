/* What the topics of a worker need: retention, cleanup.policy and the size of records, from its
 * settings. Pure: kafka_admin.c creates what is planned, and app/commands/topics.c compares. The
 * names of the plan are borrowed from the settings and the caller. The reasons of the values stand
 * in deploy/README.md (Topics). */
#ifndef APP_CLIENT_TOPIC_PLAN_H
#define APP_CLIENT_TOPIC_PLAN_H

#include "app/client/kafka_client.h"
#include "app/settings/topics.h"

#define TOPIC_PLAN_PROPERTIES  4
#define TOPIC_PLAN_REPLICAS    3     /* where there are as many brokers */
#define TOPIC_PLAN_PARTITIONS  16    /* as deploy/README.md recommends */
#define TOPIC_PLAN_FRAME_BYTES 65536 /* of a response beside its answer */

/* When does a topic that exists differ from the plan? */
enum topic_need {
    TOPIC_EQUALS,   /* the value is another one */
    TOPIC_AT_LEAST, /* the number is smaller; -1 is the largest */
    TOPIC_SERVES,   /* the worker cannot work with another value */
};

struct topic_property {
    const char *name;
    char value[24];
    enum topic_need need;
};

struct topic_plan {
    struct slice name;
    const char *path; /* of the setting that names it */
    struct topic_property properties[TOPIC_PLAN_PROPERTIES];
    size_t count;
};

/* The plan of one of the worker's topics, and of a topic for replies. `replicas` decides how many
 * must be in sync. */
void topic_plan_make(const struct settings *settings, enum topic topic, struct slice name,
                     int replicas, struct topic_plan *ret_plan);
void topic_plan_make_reply(const struct settings *settings, struct slice name, int replicas,
                           struct topic_plan *ret_plan);
/* Replicas of new topics on that many brokers. */
int topic_plan_replicas(int brokers);
/* Does a topic's value of a property differ from the plan? */
bool topic_property_differs(const struct topic_property *property, const char *value);

#endif
