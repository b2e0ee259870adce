#include "sim/sim.h"

#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "sim/help.h"

#define EXIT_WRONG_USE 2
#define LETTERS        "c:hV"

enum option_id {
    OPTION_NONE = 256, /* above every letter */
#define OPTION(id, letter, name, value, text) OPTION_##id,
#include "sim/options.def"
#undef OPTION
};

static const struct option OPTIONS[] = {
#define OPTION(id, letter, name, value, text)                                                      \
    {name, (value) != NULL ? required_argument : no_argument, NULL, OPTION_##id},
#include "sim/options.def"
#undef OPTION
    {NULL, 0, NULL, 0},
};

/* A letter means the same as its name. */
static int next_option(int argc, char **argv)
{
    int option = getopt_long(argc, argv, LETTERS, OPTIONS, NULL);
    switch (option) {
    case 'c':
        return OPTION_CONFIG;
    case 'h':
        return OPTION_HELP;
    case 'V':
        return OPTION_VERSION;
    default:
        return option;
    }
}

/* Prints what is wrong with an option's value. */
static bool wrong(const char *option, const char *value, const char *wanted)
{
    (void)fprintf(stderr, "bedrock-sim: %s %s: expected %s; see bedrock-sim --help\n", option,
                  value, wanted);
    return false;
}

static bool set_rate(struct sim_config *config, const char *option, struct slice name,
                     struct slice value)
{
    enum fault fault;
    double rate;
    if (!fault_from_word(name, &fault) || fault == FAULT_NONE)
        return wrong(option, name.ptr, "the name of a fault");
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
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "a whole number from %lld to %lld", (long long)min,
                   (long long)max);
    if (!slice_to_int64(value, &number) || number < min || number > max)
        return wrong(option, value.ptr, wanted);
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
    case OPTION_THROTTLE_RATE:
        return set_rate(config, "--throttle-rate", SLICE("throttling"), value);
    case OPTION_CUT_RATE:
        return set_rate(config, "--cut-rate", SLICE("cut_stream"), value);
    case OPTION_FAULT:
        return set_fault(config, value);
    case OPTION_QUOTA:
        return sim_config_add_quota(config, value) ||
               wrong("--quota", value.ptr, "REQUESTS[/TOKENS] or GLOB=REQUESTS[/TOKENS]");
    case OPTION_QUOTA_STEP:
        return sim_config_add_step(config, value) ||
               wrong("--quota-step", value.ptr, "a time and a factor from 0 to 1, as 20s=0.5");
    case OPTION_COMPETITOR:
        return sim_config_add_competitor(config, value) ||
               wrong("--competitor", value.ptr, "two times and a share from 0 to 1, as 20s-1m=0.5");
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
        (void)printf("signatures and tokens are not verified\n");
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
    (void)printf(
        "served %lld calls: %lld ok, %lld errors, %lld abandoned by their clients; billed %lld "
        "input and %lld output tokens\n",
        (long long)stats.calls, (long long)stats.ok, (long long)stats.errors, (long long)stats.gone,
        (long long)stats.input_tokens, (long long)stats.output_tokens);
}

/* Runs until a signal. The signals are blocked before any thread starts, so that only sigwait gets
 * them. */
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

/* What the command line says. */
struct wish {
    bool help, manual, version, check, wrong;
    const char *file; /* of settings; NULL = built in */
};

/* The first pass over the command line: finds what must be known before the settings are read. */
static void read_wish(int argc, char **argv, struct wish *ret_wish)
{
    *ret_wish = (struct wish){.file = NULL};
    optind = 0; /* glibc: restart at the first argument */
    for (;;) {
        int option = next_option(argc, argv);
        if (option < 0)
            break;
        ret_wish->help = ret_wish->help || option == OPTION_HELP;
        ret_wish->manual = ret_wish->manual || option == OPTION_MAN;
        ret_wish->version = ret_wish->version || option == OPTION_VERSION;
        ret_wish->check = ret_wish->check || option == OPTION_CHECK;
        ret_wish->wrong = ret_wish->wrong || option == '?';
        if (option == OPTION_CONFIG)
            ret_wish->file = optarg;
    }
    if (optind < argc) {
        (void)fprintf(stderr,
                      "bedrock-sim: '%s' is one word too many; the program takes options only\n",
                      argv[optind]);
        ret_wish->wrong = true;
    }
}

static bool apply_options(struct sim_config *config, int argc, char **argv)
{
    optind = 0;
    for (;;) {
        int option = next_option(argc, argv);
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
    (void)printf("no errors\n");
    return EXIT_SUCCESS;
}

int sim_command(int argc, char **argv)
{
    struct wish wish;
    read_wish(argc, argv, &wish);
    if (wish.help || wish.manual) {
        help_print(!wish.help);
        return EXIT_SUCCESS;
    }
    if (wish.version) {
        (void)printf("bedrock-sim %s\n", BEDROCK_VERSION);
        return EXIT_SUCCESS;
    }
    if (wish.wrong) {
        (void)fprintf(stderr, "see bedrock-sim --help\n");
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
