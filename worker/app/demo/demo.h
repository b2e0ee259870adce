/* `bedrock-worker demo`: a broker, a local Bedrock, a worker and its clients in one process. This
 * header is between the files of the demo: demo.c has its stages, cluster.c the broker,
 * script.c the requests, tally.c what came back and whether it is right, show.c what a person sees
 * of it, hints.c what to try next. */
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

#define DEMO_CONVERSATIONS 4
#define DEMO_MODELS_MAX    8
#define DEMO_CAUSES_MAX    12
#define DEMO_PARTITIONS    8

/* ---- the broker ---- */
struct demo_cluster;

/* librdkafka's in-memory cluster with one broker; NULL with words (CLIENT_WORDS_MAX). */
MUST_CHECK struct demo_cluster *demo_cluster_new(char *ret_words);
/* Its bootstrap.servers; lives as long as the cluster. */
const char *demo_cluster_brokers(const struct demo_cluster *cluster);
/* ERR_IO: the cluster refuses. */
MUST_CHECK enum err demo_cluster_add_topic(struct demo_cluster *cluster, struct slice topic,
                                           int partitions);
void demo_cluster_free(struct demo_cluster *cluster); /* NULL is fine */

/* ---- what is asked ---- */
struct demo_conversation {
    const char *title;
    const char *system, *human; /* as a person reads it */
    const char *request;        /* the JSON members beside id and tenant */
    const char *answer;         /* what must come back */
    const char *tokens;         /* its stream joined by bars; NULL = not looked at */
    int64_t input_tokens, output_tokens;
};

/* The conversation with this index, below DEMO_CONVERSATIONS. */
const struct demo_conversation *demo_conversation(size_t index);
/* The request with this index (the first ones are the conversations): its value, and its key in
 * `ret_key`. */
void demo_add_request(size_t index, struct buf *ret_value, struct buf *ret_key);
/* The index that an id names; SIZE_MAX = none of the demo's. */
size_t demo_index(struct slice id);

/* ---- what came back ---- */
struct demo_request {
    uint16_t answers, letters;
    bool is_ok;
};

struct demo_heard {          /* of a conversation */
    struct buf text, tokens; /* the answer; the stream joined by bars */
    char run[40];            /* of that stream */
    char model[128];
    int64_t input_tokens, output_tokens, duration_ms;
    size_t calls;
};

struct demo_model {
    char name[128];
    int64_t requests, calls, input_tokens, output_tokens;
};

struct demo_cause { /* why a call was not the last one */
    char name[64];
    int64_t count;
};

struct demo_usage { /* one usage record */
    char call[40], bedrock_request_id[72];
    int64_t input_tokens, output_tokens;
    bool is_estimated;
    bool is_matched; /* the ledger has it */
};

struct demo_tally {
    size_t expected;
    struct demo_request *requests;
    struct demo_usage *usage;
    size_t usage_count, usage_room;
    struct demo_heard heard[DEMO_CONVERSATIONS];
    struct demo_model models[DEMO_MODELS_MAX];
    size_t model_count;
    struct demo_cause causes[DEMO_CAUSES_MAX];
    size_t cause_count;
    size_t answered, failed; /* requests with an answer; of these, with an error */
    size_t foreign;          /* answers to none of the demo's requests */
    int64_t chunks, retries, letters;
    int64_t input_tokens, output_tokens;
    char trouble[256]; /* the first record that could not be read or counted; "" = none */
};

/* `expected` requests. false = out of memory; demo_tally_done in any case. */
MUST_CHECK bool demo_tally_init(struct demo_tally *tally, size_t expected);
void demo_tally_done(struct demo_tally *tally);
/* Counts one record of the worker's topics. */
void demo_tally_hear(struct demo_tally *tally, const struct settings *settings,
                     const struct record *record);
/* Compares with what the local Bedrock wrote to its ledger; each thing that is wrong is one line in
 * ret_faults. ret_facts says what was compared. */
void demo_tally_verify(struct demo_tally *tally, struct slice ledger, struct buf *ret_facts,
                       struct buf *ret_faults);

/* ---- what a person sees ---- */
#define DEMO_LABEL_COLUMNS 11 /* of a stage's name */

struct demo_screen {
    struct screen out, err;
    int64_t last_ms;      /* of the last progress, */
    size_t last_answered; /* and what it said */
};

/* Standard output and error. */
void demo_screen_init(struct demo_screen *screen);
/* Rewrites one line on a terminal; prints a line every other second on a plain screen. */
void demo_show_progress(struct demo_screen *screen, const struct demo_tally *tally, int64_t now_ms);
/* The conversations with their answers, the usage by model, and what was retried. */
void demo_show_results(struct demo_screen *screen, const struct demo_tally *tally);

/* Where the demo is, for lines to copy. */
struct demo_place {
    const char *program, *brokers, *prefix;
    bool has_usual_topics; /* those that every command has by default */
};

/* After the end: other commands. While the demo stays up: requests to send to it. */
void demo_show_ways_on(struct demo_screen *screen, const struct demo_place *place);
void demo_show_what_to_try(struct demo_screen *screen, const struct demo_place *place);

struct demo_options {
    const char *program; /* as it was called, for the lines to try */
    int64_t requests;    /* beside the four conversations */
    bool keep;           /* stay up afterwards, until a signal */
};

/* The whole demo; prints what happens, and returns the exit code. */
int demo_run(const struct demo_options *options);

#endif
