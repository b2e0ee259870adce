#include "sim/sim.h"

#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define EXIT_WRONG_USE 2

enum option_id {
    OPTION_HELP = 256,
    OPTION_VERSION,
    OPTION_PORT,
    OPTION_ADDRESS,
    OPTION_LEDGER,
    OPTION_SEED,
    OPTION_LATENCY,
    OPTION_GAP,
    OPTION_BYTES,
    OPTION_THROTTLE,
    OPTION_CUT,
    OPTION_FAULT,
    OPTION_QUOTA,
    OPTION_NO_AUTH,
    OPTION_NO_DIRECTIVES,
    OPTION_CHECK
};

static const struct option OPTIONS[] = {
    {"config", required_argument, NULL, 'c'},
    {"port", required_argument, NULL, OPTION_PORT},
    {"address", required_argument, NULL, OPTION_ADDRESS},
    {"ledger", required_argument, NULL, OPTION_LEDGER},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"latency", required_argument, NULL, OPTION_LATENCY},
    {"gap", required_argument, NULL, OPTION_GAP},
    {"bytes", required_argument, NULL, OPTION_BYTES},
    {"throttle-rate", required_argument, NULL, OPTION_THROTTLE},
    {"cut-rate", required_argument, NULL, OPTION_CUT},
    {"fault", required_argument, NULL, OPTION_FAULT},
    {"quota", required_argument, NULL, OPTION_QUOTA},
    {"no-auth", no_argument, NULL, OPTION_NO_AUTH},
    {"no-directives", no_argument, NULL, OPTION_NO_DIRECTIVES},
    {"check", no_argument, NULL, OPTION_CHECK},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static const char *const HELP_HEAD =
    "NAME\n"
    "    bedrock-sim - a local Amazon Bedrock Runtime for development and tests\n"
    "\n"
    "SYNOPSIS\n"
    "    bedrock-sim [-c FILE] [--port N] [--ledger FILE] [--seed N] [--latency DELAY]\n"
    "                [--throttle-rate RATE] [--cut-rate RATE] [--fault NAME=RATE] [--quota QUOTA] "
    "…\n"
    "\n"
    "DESCRIPTION\n"
    "    Serves Converse and ConverseStream over HTTP as Amazon Bedrock does: signatures (SigV4) "
    "and\n"
    "    bearer tokens are verified, request bodies are checked against the service's rules, "
    "answers\n"
    "    come by script or are made from the prompt, faults are injected by rate, rule or order, "
    "and a\n"
    "    ledger tells every call served and the tokens billed for it. It prints where it listens "
    "and\n"
    "    the environment that a client needs, and runs until SIGTERM or SIGINT.\n"
    "\n"
    "OPTIONS\n"
    "    -c, --config FILE     settings (YAML) in place of the built-in ones, which are "
    "config/sim.yaml;\n"
    "                          the options below win over the file\n"
    "    --port N              listen on this port; 0 = one that is free (default)\n"
    "    --address ADDRESS     listen on this IPv4 address (default 127.0.0.1)\n"
    "    --ledger FILE         append the ledger to FILE: JSON lines, one when a call begins, one "
    "when it\n"
    "                          ends, written at least every 50 ms\n"
    "    --seed N              the same seed and the same prompts meet the same faults (default "
    "1)\n"
    "    --latency DELAY       time to the first byte: 250ms, uniform(100ms, 300ms) or\n"
    "                          lognormal(800ms, 0.5), which is median and sigma\n"
    "    --gap DELAY           time between the pieces of a stream\n"
    "    --bytes N             answers without a script have so many bytes of text\n"
    "    --throttle-rate RATE  share of calls, 0 to 1, that meet ThrottlingException (429)\n"
    "    --cut-rate RATE       share of streams, 0 to 1, that are cut between two events\n"
    "    --fault NAME=RATE     share of calls that meet a fault of the list below; may be "
    "repeated\n"
    "    --quota QUOTA         REQUESTS[/TOKENS] a minute for each model, or "
    "GLOB=REQUESTS[/TOKENS] for\n"
    "                          those models; 0 = no limit; may be repeated, the last one given "
    "counts\n"
    "                          first. Token buckets; more is answered with ThrottlingException\n"
    "    --no-auth             verify nothing\n"
    "    --no-directives       leave [[sim:…]] in prompts alone\n"
    "    --check               read the settings, say whether they are right, and end\n"
    "    --help, --version     this page; the version\n"
    "\n"
    "DIRECTIVES\n"
    "    A prompt (the last user turn) can order how its own call is treated:\n"
    "\n"
    "        [[sim:fault=throttling;times=2]][[sim:fault=cut_stream;after=3;times=1]] Say "
    "something.\n"
    "\n"
    "    Each block speaks for its `times` calls with this very prompt, the next block for those "
    "after;\n"
    "    a block without `times` speaks for all that remain. Orders: fault=NAME, times=N, "
    "latency=DELAY\n"
    "    or milliseconds, gap=DELAY, bytes=N (of the answer's text), after=N (events before a "
    "stream's\n"
    "    fault), retry_after=2s, skew=1h, text=…, stop_reason=…, input_tokens=N, output_tokens=N.\n"
    "    [[id:NAME]] in a prompt is the caller's tag: the ledger keeps it.\n"
    "\n"
    "FAULTS\n";

static const char *const HELP_TAIL =
    "\n"
    "    Faults of streams pass whole answers by, and the other way round. A call that is refused "
    "costs\n"
    "    nothing; one whose answer was cut costs its input and the output that was sent; one "
    "whose\n"
    "    answer got lost costs all: the ledger has the tokens.\n"
    "\n"
    "LEDGER\n"
    "    Members of a line: event (begin, end), call (number), operation, request_id, model, tag,\n"
    "    access_key_id, invocation_id and sdk_request (the client's amz-sdk headers), started_at,\n"
    "    started_us; at the end also ended_at, ended_us, outcome (ok, an error's type, a fault's "
    "name,\n"
    "    client_gone, stopped), fault, status, billed, input_tokens, output_tokens, whole.\n"
    "\n"
    "FILES AND ADDRESSES\n"
    "    GET /_sim/stats gives the counters as JSON.\n"
    "\n"
    "EXIT STATUS\n"
    "    0 done; 1 failed (port taken, ledger not writable); 2 wrong settings or usage.\n"
    "\n"
    "EXAMPLE\n"
    "    bedrock-sim --port 9911 --ledger calls.jsonl --latency 'lognormal(800ms, 0.5)' \\\n"
    "        --throttle-rate 0.05 --cut-rate 0.02\n";

static void print_help(void)
{
    static const char *const COSTS[] = {"free", "input", "input and what was sent", "all"};
    (void)fputs(HELP_HEAD, stdout);
    for (int fault = FAULT_NONE + 1; fault < FAULT_COUNT; fault++) {
        const struct fault_row *row = &FAULTS[fault];
        (void)printf("    %-22s", row->word);
        if (row->kind == FAULT_KIND_STATUS)
            (void)printf("%d %s", row->status, row->type);
        else if (row->kind == FAULT_KIND_EXCEPTION)
            (void)printf("stream: %s", row->type);
        else
            (void)printf("%s%s",
                         row->applies == FAULT_APPLIES_STREAM  ? "stream: "
                         : row->applies == FAULT_APPLIES_WHOLE ? "whole answer: "
                                                               : "",
                         row->words);
        (void)printf(" (costs: %s)\n", COSTS[row->costs]);
    }
    (void)fputs(HELP_TAIL, stdout);
}

/* Says what is wrong with an option's value. */
static bool wrong(const char *option, const char *value, const char *wanted)
{
    (void)fprintf(stderr, "bedrock-sim: %s %s: %s is wanted\n", option, value, wanted);
    return false;
}

static bool set_rate(struct sim_config *config, const char *option, struct slice name,
                     struct slice value)
{
    enum fault fault;
    double rate;
    if (!fault_from_word(name, &fault) || fault == FAULT_NONE)
        return wrong(option, name.ptr, "the name of a fault (see --help)");
    if (!number_read(value, &rate) || rate < 0 || rate > 1)
        return wrong(option, value.ptr, "a rate from 0 to 1");
    config->fault_rates[fault] = rate;
    return true;
}

static bool set_fault(struct sim_config *config, struct slice value)
{
    size_t equals = slice_find(value, '=');
    if (equals == value.len)
        return wrong("--fault", value.ptr, "NAME=RATE");
    return set_rate(config, "--fault", slice_sub(value, 0, equals),
                    slice_sub(value, equals + 1, value.len));
}

static bool set_number(const char *option, struct slice value, int64_t min, int64_t max,
                       int64_t *ret_number)
{
    int64_t number;
    if (!slice_to_int64(value, &number) || number < min || number > max)
        return wrong(option, value.ptr, "a whole number within its limits");
    *ret_number = number;
    return true;
}

static bool set_delay(const char *option, struct slice value, struct delay *ret_delay)
{
    return delay_read(value, ret_delay) ||
           wrong(option, value.ptr, "250ms, uniform(100ms, 300ms) or lognormal(800ms, 0.5)");
}

static bool apply_option(struct sim_config *config, int option, struct slice value)
{
    switch (option) {
    case OPTION_PORT:
        return set_number("--port", value, 0, 65535, &config->port);
    case OPTION_SEED:
        return set_number("--seed", value, 0, INT64_MAX, &config->seed);
    case OPTION_BYTES:
        return set_number("--bytes", value, 1, SIM_BYTES_MAX, &config->answer_bytes);
    case OPTION_ADDRESS:
        return sim_config_keep(config, value, &config->address);
    case OPTION_LEDGER:
        return sim_config_keep(config, value, &config->ledger_path);
    case OPTION_LATENCY:
        return set_delay("--latency", value, &config->latency);
    case OPTION_GAP:
        return set_delay("--gap", value, &config->gap);
    case OPTION_THROTTLE:
        return set_rate(config, "--throttle-rate", SLICE("throttling"), value);
    case OPTION_CUT:
        return set_rate(config, "--cut-rate", SLICE("cut_stream"), value);
    case OPTION_FAULT:
        return set_fault(config, value);
    case OPTION_QUOTA:
        return sim_config_add_quota(config, value) ||
               wrong("--quota", value.ptr, "REQUESTS[/TOKENS] or GLOB=REQUESTS[/TOKENS]");
    case OPTION_NO_AUTH:
        config->auth_required = false;
        return true;
    case OPTION_NO_DIRECTIVES:
        config->directives = false;
        return true;
    default:
        return true;
    }
}

static void raise_open_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void print_start(const struct sim_config *config, int port)
{
    (void)printf("listening on http://%s:%d\n", config->address.ptr, port);
    (void)printf("export AWS_ENDPOINT_URL_BEDROCK_RUNTIME=http://%s:%d AWS_REGION=%s\n",
                 config->address.ptr, port,
                 config->region.len > 0 ? config->region.ptr : "us-east-1");
    if (!config->auth_required)
        (void)printf("signatures are not verified\n");
    if (config->auth_required && config->key_count > 0) {
        const struct sim_key *key = &config->keys[0];
        (void)printf("export AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY='%s'",
                     key->access_key_id.ptr, key->secret_access_key.ptr);
        if (key->session_token.len > 0)
            (void)printf(" AWS_SESSION_TOKEN='%s'", key->session_token.ptr);
        (void)printf("\n");
    }
    if (config->auth_required && config->bearers.count > 0)
        (void)printf("or AWS_BEARER_TOKEN_BEDROCK='%s'\n", config->bearers.list[0].ptr);
    (void)fflush(stdout);
}

static void print_end(const struct sim *sim)
{
    struct sim_stats stats;
    sim_stats(sim, &stats);
    (void)printf("served %lld calls: %lld ok, %lld errors, %lld left by their clients; billed %lld "
                 "input and %lld output tokens\n",
                 (long long)stats.calls, (long long)stats.ok, (long long)stats.errors,
                 (long long)stats.gone, (long long)stats.input_tokens,
                 (long long)stats.output_tokens);
}

/* Runs until a signal asks for the end; threads are born with the signals blocked. */
static int serve(const struct sim_config *config)
{
    sigset_t ends;
    int signal_number;
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGTERM);
    (void)sigaddset(&ends, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &ends, NULL);
    raise_open_files();
    struct sim *sim = sim_new(config);
    if (sim == NULL) {
        (void)fprintf(stderr, "bedrock-sim: out of memory\n");
        return EXIT_FAILURE;
    }
    if (sim_start(sim) != OK) {
        (void)fprintf(stderr, "bedrock-sim: %s\n", sim_problem(sim));
        sim_free(sim);
        return EXIT_FAILURE;
    }
    print_start(config, sim_port(sim));
    while (sigwait(&ends, &signal_number) != 0)
        continue;
    sim_stop(sim);
    print_end(sim);
    sim_free(sim);
    return EXIT_SUCCESS;
}

/* What the command line asks for. */
struct wish {
    bool help, version, check, wrong;
    const char *file; /* of settings; NULL = built in */
};

/* The first pass: what must be known before the settings are read. */
static void read_wish(int argc, char **argv, struct wish *ret_wish)
{
    *ret_wish = (struct wish){.file = NULL};
    optind = 0; /* glibc: begin anew */
    for (;;) {
        int option = getopt_long(argc, argv, "c:", OPTIONS, NULL);
        if (option < 0)
            break;
        ret_wish->help = ret_wish->help || option == OPTION_HELP;
        ret_wish->version = ret_wish->version || option == OPTION_VERSION;
        ret_wish->check = ret_wish->check || option == OPTION_CHECK;
        ret_wish->wrong = ret_wish->wrong || option == '?';
        if (option == 'c')
            ret_wish->file = optarg;
    }
    if (optind < argc) {
        (void)fprintf(stderr, "bedrock-sim: nothing is known of `%s`\n", argv[optind]);
        ret_wish->wrong = true;
    }
}

static bool apply_options(struct sim_config *config, int argc, char **argv)
{
    optind = 0;
    for (;;) {
        int option = getopt_long(argc, argv, "c:", OPTIONS, NULL);
        if (option < 0)
            return true;
        if (!apply_option(config, option, slice_of_text(optarg)))
            return false;
    }
}

static void print_problems(const struct problems *problems)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, PROBLEMS_BYTES_MAX);
    problems_add_text(problems, &text);
    (void)fputs(buf_text(&text), stderr);
}

static int run_with(struct sim_config *config, const struct wish *wish, int argc, char **argv)
{
    if (wish->file != NULL && !sim_config_read_file(config, wish->file)) {
        print_problems(&config->problems);
        return EXIT_WRONG_USE;
    }
    if (!apply_options(config, argc, argv))
        return EXIT_WRONG_USE;
    if (!wish->check)
        return serve(config);
    (void)printf("the settings are right\n");
    return EXIT_SUCCESS;
}

int sim_command(int argc, char **argv)
{
    struct wish wish;
    read_wish(argc, argv, &wish);
    if (wish.help) {
        print_help();
        return EXIT_SUCCESS;
    }
    if (wish.version) {
        (void)printf("bedrock-sim %s\n", BEDROCK_VERSION);
        return EXIT_SUCCESS;
    }
    if (wish.wrong) {
        (void)fprintf(stderr, "bedrock-sim --help tells what there is\n");
        return EXIT_WRONG_USE;
    }
    struct sim_config *config = sim_config_new();
    if (config == NULL) {
        (void)fprintf(stderr, "bedrock-sim: out of memory\n");
        return EXIT_FAILURE;
    }
    int code = run_with(config, &wish, argc, argv);
    sim_config_free(config);
    return code;
}
