/* `bedrock-worker demo`: a broker, a local Bedrock, a worker and its clients in one process. The
 * files of the demo share this header: demo.c has the stages, cluster.c the broker, script.c the
 * requests, tally.c counts and verifies what comes back, show.c prints it, flood.c draws a
 * flood through a quota, hints.c suggests what to try. */
#ifndef APP_DEMO_DEMO_H
#define APP_DEMO_DEMO_H

#include "app/client/kafka_client.h"
#include "app/client/reading.h"
#include "app/client/screen.h"
#include "base/attr.h"
#include "base/buf.h"

/* config/demo.yaml as it was at build time. */
extern const unsigned char DEMO_SETTINGS[];
extern const unsigned long DEMO_SETTINGS_LEN;

#define DEMO_CONVERSATIONS 7
#define DEMO_MODELS_MAX    8
#define DEMO_CAUSES_MAX    12
#define DEMO_PARTITIONS    8

struct sim_config;

/* ---- the broker ---- */
struct demo_cluster;

/* Starts librdkafka's in-memory cluster with one broker. NULL: ret_reason (CLIENT_REASON_MAX) says
 * why. */
MUST_CHECK struct demo_cluster *demo_cluster_new(char *ret_reason);
/* Its bootstrap servers; borrowed. */
const char *demo_cluster_brokers(const struct demo_cluster *cluster);
/* Creates a topic. ERR_IO. */
MUST_CHECK enum err demo_cluster_add_topic(struct demo_cluster *cluster, struct slice topic,
                                           int partitions);
void demo_cluster_free(struct demo_cluster *cluster); /* NULL is fine */

/* ---- the requests ---- */
/* A request whose answer is known. */
struct demo_conversation {
    const char *title;
    const char *system, *human; /* for people; NULL = no system text */
    const char *label, *beside; /* what else is sent, for people; NULL = nothing */
    const char *request;        /* the JSON members beside id and tenant */
    const char *answer;         /* the expected text, call of a tool, or parsed value */
    const char *tokens;         /* the expected chunks, joined by |; NULL = not verified */
    int64_t input_tokens, output_tokens;
};

/* A constant; `index` < DEMO_CONVERSATIONS. */
const struct demo_conversation *demo_conversation(size_t index);
/* Appends value and key of a request; the first requests are the conversations. */
void demo_add_request(size_t index, struct buf *ret_value, struct buf *ret_key);
/* Appends a prompt of one sentence, another one for each number. */
void demo_add_prompt(size_t number, struct buf *ret_text);
/* The index of the request with this id; SIZE_MAX = it is none of the demo's. */
size_t demo_index(struct slice id);

/* ---- the results ---- */
struct demo_request {
    uint16_t answers, letters; /* responses and dead letters that it got */
    bool is_ok;
};

/* What came back for a conversation. */
struct demo_found {
    struct buf text, tokens; /* the answer, as in demo_conversation; the chunks, joined by | */
    char run[40];            /* of the chunks */
    char model[128];
    int64_t input_tokens, output_tokens, duration_ms;
    size_t calls;
};

struct demo_model {
    char name[128];
    int64_t requests, calls, input_tokens, output_tokens;
};

/* Why calls were followed by another one. */
struct demo_cause {
    char name[64];
    int64_t count;
};

/* A usage record. */
struct demo_usage {
    char call[40], bedrock_request_id[72];
    int64_t input_tokens, output_tokens;
    bool is_estimated;
    bool is_matched; /* the ledger of the local Bedrock has the call */
};

/* Everything that came back. */
struct demo_tally {
    size_t expected; /* requests */
    struct demo_request *requests;
    struct demo_usage *usage;
    size_t usage_count, usage_room;
    struct demo_found conversations[DEMO_CONVERSATIONS];
    struct demo_model models[DEMO_MODELS_MAX];
    size_t model_count;
    struct demo_cause causes[DEMO_CAUSES_MAX];
    size_t cause_count;
    size_t answered, failed; /* requests with a response; those whose response is an error */
    size_t foreign;          /* responses to requests of others */
    int64_t chunks, retries, letters;
    int64_t input_tokens, output_tokens;
    char trouble[256]; /* about the first record that could not be read or counted; "" = none */
};

/* Makes an empty tally. False: out of memory. */
MUST_CHECK bool demo_tally_init(struct demo_tally *tally, size_t expected);
void demo_tally_done(struct demo_tally *tally);
/* Counts a record of the worker's topics. */
void demo_tally_add(struct demo_tally *tally, const struct settings *settings,
                    const struct record *record);
/* Compares the tally with the ledger of the local Bedrock. Appends a line to ret_faults for each
 * difference, and what was compared to ret_facts. */
void demo_tally_verify(struct demo_tally *tally, struct slice ledger, struct buf *ret_facts,
                       struct buf *ret_faults);

/* ---- the screen ---- */
#define DEMO_LABEL_COLUMNS 11 /* of a stage's name */

struct demo_screen {
    struct screen out, err;
    int64_t last_ms;      /* when progress was shown last, */
    size_t last_answered; /* and with how many answers */
};

void demo_screen_init(struct demo_screen *screen);
/* Replaces the progress line on a terminal; prints a line every other second on a plain screen. */
void demo_show_progress(struct demo_screen *screen, const struct demo_tally *tally, int64_t now_ms);
/* Prints the conversations with their answers, the usage by model, and what was retried. */
void demo_show_results(struct demo_screen *screen, const struct demo_tally *tally);

/* Gives each model a quota of requests a minute; and shows what became of the calls: the ledger
 * over time, and sums. */
void demo_set_quota(struct sim_config *config, int64_t requests);
void demo_show_plot(struct demo_screen *screen, struct slice ledger, int64_t quota);

/* How to reach the demo, for commands to copy. */
struct demo_place {
    const char *program, *brokers, *prefix;
    bool has_usual_topics; /* the default topics of every command */
};

/* Print other commands to try after the demo, and requests to send while the demo stays up. */
void demo_show_ways_on(struct demo_screen *screen, const struct demo_place *place);
void demo_show_what_to_try(struct demo_screen *screen, const struct demo_place *place);

struct demo_options {
    const char *program; /* argv[0], for commands to copy */
    int64_t requests;    /* beside the conversations */
    int64_t quota;       /* requests a minute that each model takes; 0 = all, with faults */
    bool keep;           /* stay up afterwards, until a signal */
};

/* Runs the whole demo, prints its progress and results, and returns the exit code. */
int demo_run(const struct demo_options *options);

#endif
