/* `bedrock-worker ask`: sends one request and waits for its answer. */
#include "app/commands/commands.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/client/kafka_client.h"
#include "app/client/reading.h"
#include "app/client/screen.h"
#include "app/commands/settings_options.h"
#include "base/random.h"
#include "base/uuid.h"
#include "io/loop/clock.h"

#define REQUEST_BYTES_MAX  ((size_t)128 * 1024 * 1024) /* more than any worker accepts */
#define TIMEOUT_DEFAULT_MS 300000
#define TIMEOUT_MAX_MS     86400000
#define SET_UP_MS          10000 /* for finding brokers and topics, and for delivering the request */
#define LOOK_UP_MS         1000  /* for finding out why the request was not delivered */
#define LATE_CHUNKS_MS     2000  /* how long a response waits for the rest of its stream */
#define POLL_MS            200
#define ARENA_BYTES_MAX    ((size_t)512 * 1024 * 1024)

static struct ask_options {
    struct settings_options settings;
    const char *model, *system, *text; /* NULL = not given */
    int64_t timeout_ms;
    bool stream, json;
} options = {.timeout_ms = TIMEOUT_DEFAULT_MS};

static const struct command_option OPTIONS[] = {
    SETTINGS_OPTION_ROWS(options.settings),
    {
        .letter = 'm',
        .name = "model",
        .value = "MODEL",
        .kind = OPTION_TEXT,
        .into.text = &options.model,
        .description = "Alias, model id, inference profile id or ARN. Without it: the worker's "
                       "`models.default`.",
    },
    {
        .letter = 's',
        .name = "system",
        .value = "TEXT",
        .kind = OPTION_TEXT,
        .into.text = &options.system,
        .description = "The system message.",
    },
    {
        .name = "stream",
        .kind = OPTION_FLAG,
        .into.flag = &options.stream,
        .description = "Show the answer while it grows.",
    },
    {
        .letter = 't',
        .name = "timeout",
        .value = "TIME",
        .kind = OPTION_SPAN,
        .max = TIMEOUT_MAX_MS,
        .into.number = &options.timeout_ms,
        .description = "How long to wait in all, e.g. 30s or 10m. Default 5m.",
    },
    {
        .name = "json",
        .kind = OPTION_FLAG,
        .into.flag = &options.json,
        .description = "Print records as JSON on a terminal too.",
    },
};

struct asking {
    const struct settings *settings;
    struct client *client;
    struct uuid id;
    bool is_for_people;       /* standard output is a terminal, without --json */
    bool is_on_terminal;      /* standard output is a terminal */
    struct screen err;        /* standard error, for progress and problems */
    int64_t progress_seconds; /* in the progress line; -1 = not shown yet */
    int64_t begun_ms;
    struct uuid run;   /* of the stream that is shown */
    bool is_run_over;  /* its last chunk has arrived */
    struct buf shown;  /* its text so far */
    struct buf answer; /* the response's value; empty = it has not arrived */
    int64_t answered_ms;
    int exit_code;
};

/* Prints a line on standard error, wrapped on a terminal. */
PRINTF(2, 3)
static void print_problem(struct asking *asking, const char *format, ...)
{
    va_list args;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, READING_TEXT_MAX);
    va_start(args, format);
    buf_addv(&text, format, args);
    va_end(args);
    screen_print(&asking->err, "", STYLE_PLAIN, buf_slice(&text));
}

/* The rest of the user's time-out. */
static int64_t rest_ms(const struct asking *asking)
{
    int64_t rest = asking->begun_ms + options.timeout_ms - clock_monotonic_ms();
    return rest > 0 ? rest : 0;
}

static int64_t set_up_ms(const struct asking *asking)
{
    int64_t rest = rest_ms(asking);
    return rest < SET_UP_MS ? rest : SET_UP_MS;
}

/* ---- the request ---- */

/* Reads the message from the command line or standard input; cuts what no worker accepts. */
static void read_prompt(struct buf *ret_text)
{
    if (options.text != NULL && strcmp(options.text, "-") != 0) {
        buf_add_text(ret_text, options.text);
        return;
    }
    if (isatty(STDIN_FILENO))
        (void)fprintf(stderr, "Type the message, end it with Ctrl-D:\n");
    size_t got = 1;
    while (got > 0) {
        char *at = buf_reserve(ret_text, 4096);
        got = at != NULL ? fread(at, 1, 4096, stdin) : 0;
        ret_text->len += got;
    }
}

static void add_message(struct buf *json, const char *role, struct slice text)
{
    if (json->ptr[json->len - 1] != '[')
        buf_add_byte(json, ',');
    buf_addf(json, "{\"role\":\"%s\",\"content\":", role);
    json_add_string(json, text);
    buf_add_byte(json, '}');
}

static void add_request(const struct asking *asking, struct slice prompt, struct buf *json)
{
    buf_add_byte(json, '{');
    json_add_text_member(json, "id", uuid_slice(&asking->id));
    if (options.model != NULL)
        json_add_text_member(json, "model", slice_of_text(options.model));
    json_add_name(json, "messages");
    buf_add_byte(json, '[');
    if (options.system != NULL)
        add_message(json, "system", slice_of_text(options.system));
    add_message(json, "user", prompt);
    buf_add_byte(json, ']');
    if (options.stream)
        json_add_bool_member(json, "stream", true);
    int64_t rest = rest_ms(asking);
    json_add_int_member(json, "ttl_ms", rest > 0 ? rest : 1);
    buf_add_byte(json, '}');
}

/* Is the request within the worker's limit? */
static bool is_request_small_enough(struct asking *asking, struct slice prompt)
{
    struct buf json OWNED_BY(buf_done);
    char size[SCREEN_COUNT_BYTES], limit[SCREEN_COUNT_BYTES];
    int64_t bytes_max = asking->settings->delivery_max_request_size;
    buf_init(&json, REQUEST_BYTES_MAX);
    add_request(asking, prompt, &json);
    int64_t bytes = (int64_t)(json.failed == OK ? json.len : REQUEST_BYTES_MAX);
    bool is_small = bytes <= bytes_max;
    if (!is_small)
        print_problem(
            asking,
            "the request has %s%s bytes, and delivery.max_request_size allows %s; it was not sent; "
            "shorten it, or raise the setting here and for the worker",
            json.failed == OK ? "" : "more than ", screen_count(bytes, size),
            screen_count(bytes_max, limit));
    return is_small;
}

/* ---- failures of Kafka: fact, consequence, remedy ---- */

static int fail_of_topic(struct asking *asking, enum err err, struct slice topic,
                         const char *setting)
{
    const char *reason = client_reason(asking->client);
    if (err == ERR_NOT_FOUND)
        print_problem(asking, "%s; the request was not sent; create the topic %.*s, or correct %s",
                      reason, SLICE_ARG(topic), setting);
    else if (err == ERR_NOT_ALLOWED)
        print_problem(asking,
                      "%s; the request was not sent; grant this client access to the topic %.*s",
                      reason, SLICE_ARG(topic));
    else
        print_problem(asking, "%s; the request was not sent; check %s (brokers: %.*s)", reason,
                      client_suspects(asking->client),
                      SLICE_ARG(asking->settings->kafka_bootstrap_servers));
    return EXIT_FAILED;
}

/* Prints why librdkafka did not deliver the request. */
static int fail_of_sending(struct asking *asking, enum err err, size_t bytes)
{
    char size[SCREEN_COUNT_BYTES];
    struct slice topic = asking->settings->topics_requests.items[0];
    int32_t partitions = 0;
    /* librdkafka reports a missing topic as a time-out of the delivery. */
    if (err == ERR_TIMEOUT &&
        client_topic(asking->client, topic, LOOK_UP_MS, &partitions) == ERR_NOT_FOUND)
        err = ERR_NOT_FOUND;
    if (err == ERR_TOO_LARGE)
        print_problem(
            asking,
            "%s; the request has %s bytes and was not sent; raise max.message.bytes of the topic "
            "%.*s, or shorten the request",
            client_reason(asking->client), screen_count((int64_t)bytes, size), SLICE_ARG(topic));
    else if (err == ERR_TIMEOUT)
        print_problem(
            asking, "%s; the request may be on the topic %.*s or not; check %s (brokers: %.*s)",
            client_reason(asking->client), SLICE_ARG(topic), client_suspects(asking->client),
            SLICE_ARG(asking->settings->kafka_bootstrap_servers));
    else
        return fail_of_topic(asking, err, topic, "topics.requests");
    return EXIT_FAILED;
}

/* Sends the request. Returns EXIT_DONE, or another code after it has printed why. */
static int send_request(struct asking *asking, struct slice prompt)
{
    struct buf json OWNED_BY(buf_done);
    buf_init(&json, REQUEST_BYTES_MAX);
    add_request(asking, prompt, &json);
    struct header correlation = {SLICE("kafka_correlationId"), uuid_slice(&asking->id)};
    struct record record = {
        .topic = asking->settings->topics_requests.items[0],
        .key = uuid_slice(&asking->id),
        .value = buf_slice(&json),
        .headers = {&correlation, 1},
    };
    enum err err = client_send(asking->client, &record);
    if (err == OK)
        err = client_flush(asking->client, set_up_ms(asking));
    return err == OK ? EXIT_DONE : fail_of_sending(asking, err, json.len);
}

/* ---- progress ---- */

static void clear_progress(struct asking *asking)
{
    screen_clear(&asking->err);
}

/* Shows the seconds on a terminal, until text of the answer arrives. */
static void show_progress(struct asking *asking)
{
    char line[64];
    int64_t seconds = (clock_monotonic_ms() - asking->begun_ms) / 1000;
    bool is_shown = asking->progress_seconds >= 0;
    if (!asking->err.is_terminal || asking->shown.len > 0 ||
        (is_shown && seconds == asking->progress_seconds))
        return;
    if (asking->err.is_plain && !is_shown)
        screen_print_line(&asking->err, SLICE("waiting for the answer"));
    (void)snprintf(line, sizeof line, "waiting for the answer, %lld s", (long long)seconds);
    screen_show(&asking->err, slice_of_text(line));
    asking->progress_seconds = seconds;
}

/* Prints text of a record. Text from outside must not control a terminal; a pipe gets it unchanged.
 */
static void print(const struct asking *asking, struct slice text)
{
    struct buf shown OWNED_BY(buf_done);
    buf_init(&shown, READING_TEXT_MAX);
    if (asking->is_on_terminal) {
        reading_add_shown(text, &shown);
        text = buf_slice(&shown);
    }
    if (text.len > 0)
        (void)fwrite(text.ptr, 1, text.len, stdout);
    (void)fflush(stdout);
}

static void print_line(const struct asking *asking, struct slice line)
{
    print(asking, line);
    (void)fputs("\n", stdout);
    (void)fflush(stdout);
}

/* ---- what comes back ---- */

/* Prints the text of a chunk at once. A new run replaces the text of the one before. */
static void show_chunk(struct asking *asking, struct arena *arena, const struct record *record)
{
    struct chunk_reading chunk;
    if (reading_of_chunk(arena, record->value, &chunk) != OK || chunk.run.len != UUID_TEXT_LEN)
        return;
    bool is_same_run = memcmp(asking->run.text, chunk.run.ptr, UUID_TEXT_LEN) == 0;
    if (!is_same_run && chunk.seq != 0)
        return;
    clear_progress(asking);
    asking->is_run_over = chunk.is_last;
    if (!is_same_run && asking->shown.len > 0)
        (void)fprintf(stderr, "\n[the stream was cut; the worker begins again]\n");
    if (!is_same_run)
        buf_reset(&asking->shown);
    memcpy(asking->run.text, chunk.run.ptr, UUID_TEXT_LEN);
    if (!asking->is_for_people) {
        print_line(asking, record->value);
        return;
    }
    size_t before = asking->shown.len;
    reading_add_text(arena, chunk.content, &asking->shown);
    print(asking, slice_sub(buf_slice(&asking->shown), before, asking->shown.len));
}

/* Prints the answer's text that the stream has not shown, and the costs. */
static void print_text(struct asking *asking, struct arena *arena, const struct reading *reading)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, READING_TEXT_MAX);
    reading_add_text(arena, reading->content, &text);
    struct slice shown = buf_slice(&asking->shown);
    size_t from = slice_starts(buf_slice(&text), shown) ? shown.len : 0;
    if (shown.len > 0 && from == 0)
        (void)fputs("\n", stdout);
    print_line(asking, slice_sub(buf_slice(&text), from, text.len));
    if (!asking->err.is_terminal)
        return;
    struct buf model OWNED_BY(buf_done);
    buf_init(&model, READING_TEXT_MAX);
    reading_add_shown(reading->model, &model);
    print_problem(asking, "%s: %lld token%s in, %lld out, %zu call%s, %.1f s", buf_text(&model),
                  (long long)reading->input_tokens, reading->input_tokens == 1 ? "" : "s",
                  (long long)reading->output_tokens, reading->calls, reading->calls == 1 ? "" : "s",
                  (double)(clock_monotonic_ms() - asking->begun_ms) / 1000);
}

static void print_error(struct asking *asking, const struct reading *reading)
{
    struct buf line OWNED_BY(buf_done);
    buf_init(&line, READING_TEXT_MAX);
    bool has_type = !slice_equal(reading->error_type, reading->error_code);
    buf_add_text(&line, asking->shown.len > 0 ? "\nerror " : "error ");
    reading_add_shown(reading->error_code, &line);
    if (has_type)
        buf_add_text(&line, " (");
    if (has_type)
        reading_add_shown(reading->error_type, &line);
    buf_add_text(&line, has_type ? "): " : ": ");
    reading_add_shown(reading->error_message, &line);
    print_problem(asking, "%s", buf_text(&line));
}

/* Has the whole stream been shown, if there is one? The response may overtake chunks, because they
 * are not part of its transaction. */
static bool is_stream_over(const struct asking *asking, const struct reading *reading)
{
    bool is_right_run =
        !reading->is_ok || slice_equal(reading->message_id, uuid_slice(&asking->run));
    bool never_streamed = !options.stream || (!reading->is_ok && asking->run.text[0] == '\0');
    return never_streamed || (asking->is_run_over && is_right_run) ||
           clock_monotonic_ms() - asking->answered_ms >= LATE_CHUNKS_MS;
}

/* Shows the response that has arrived. False: its stream is not over yet. */
static bool show_response(struct asking *asking)
{
    struct reading reading;
    struct arena arena OWNED_BY(arena_done);
    arena_init(&arena, ARENA_BYTES_MAX);
    if (reading_of_response(&arena, buf_slice(&asking->answer), &reading) != OK) {
        clear_progress(asking);
        print_problem(asking,
                      "the answer is not a response record; check topics.responses (now %.*s)",
                      SLICE_ARG(asking->settings->topics_responses));
        asking->exit_code = EXIT_FAILED;
        return true;
    }
    if (!is_stream_over(asking, &reading))
        return false;
    clear_progress(asking);
    if (!asking->is_for_people)
        print_line(asking, buf_slice(&asking->answer));
    else if (reading.is_ok)
        print_text(asking, &arena, &reading);
    if (!reading.is_ok)
        print_error(asking, &reading);
    asking->exit_code = reading.is_ok ? EXIT_DONE : EXIT_FAILED;
    return true;
}

static bool is_ours(const struct asking *asking, const struct record *record)
{
    const struct header *correlation = headers_last(record->headers, "kafka_correlationId");
    return slice_equal(reading_subject(record), uuid_slice(&asking->id)) ||
           (correlation != NULL && slice_equal(correlation->value, uuid_slice(&asking->id)));
}

static void take_record(struct asking *asking, const struct record *record)
{
    if (!is_ours(asking, record))
        return;
    if (slice_equal(record->topic, asking->settings->topics_responses)) {
        buf_reset(&asking->answer);
        buf_add(&asking->answer, record->value);
        asking->answered_ms = clock_monotonic_ms();
        return;
    }
    struct arena arena OWNED_BY(arena_done);
    arena_init(&arena, ARENA_BYTES_MAX);
    show_chunk(asking, &arena, record);
}

static int wait_for_answer(struct asking *asking)
{
    const char *trouble = "";
    while (rest_ms(asking) > 0) {
        struct record record;
        int64_t rest = rest_ms(asking);
        enum err err = client_read(asking->client, rest < POLL_MS ? rest : POLL_MS, &record);
        if (err == OK)
            take_record(asking, &record);
        if (asking->answered_ms > 0 && show_response(asking))
            return asking->exit_code;
        if (err != OK && err != ERR_TIMEOUT)
            trouble = client_reason(asking->client);
        show_progress(asking);
    }
    clear_progress(asking);
    struct buf span OWNED_BY(buf_done);
    buf_init(&span, 64);
    units_add_span(&span, options.timeout_ms);
    print_problem(
        asking,
        "no answer within %s; a call that is running may still answer on topic %.*s; check that a "
        "worker reads topic %.*s, or wait longer (--timeout)%s%s",
        buf_text(&span), SLICE_ARG(asking->settings->topics_responses),
        SLICE_ARG(asking->settings->topics_requests.items[0]), trouble[0] != '\0' ? "; " : "",
        trouble);
    return EXIT_FAILED;
}

/* Follows the answers before it sends the request, so that none is missed. Returns EXIT_DONE, or
 * another code after it has printed why. */
static int follow_answers(struct asking *asking)
{
    const struct settings *settings = asking->settings;
    enum err err =
        client_follow(asking->client, settings->topics_responses, false, set_up_ms(asking));
    if (err != OK)
        return fail_of_topic(asking, err, settings->topics_responses, "topics.responses");
    if (options.stream)
        err = client_follow(asking->client, settings->topics_chunks, false, set_up_ms(asking));
    if (err != OK)
        return fail_of_topic(asking, err, settings->topics_chunks, "topics.chunks");
    client_warm_up(asking->client, settings->topics_requests.items[0], set_up_ms(asking));
    return EXIT_DONE;
}

static int ask(struct asking *asking, struct slice prompt)
{
    char reason[CLIENT_REASON_MAX] = "";
    asking->begun_ms = clock_monotonic_ms();
    asking->client = client_new(asking->settings, reason);
    if (asking->client == NULL) {
        print_problem(asking,
                      "no Kafka client can be made: %s; the request was not sent; correct "
                      "kafka.client, kafka.consumer or kafka.producer",
                      reason);
        return EXIT_FAILED;
    }
    int code = follow_answers(asking);
    if (code == EXIT_DONE)
        code = send_request(asking, prompt);
    return code == EXIT_DONE ? wait_for_answer(asking) : code;
}

static int run(void)
{
    struct buf prompt OWNED_BY(buf_done);
    buf_init(&prompt, REQUEST_BYTES_MAX);
    struct settings *settings = settings_options_load(&options.settings, false, NULL);
    if (settings == NULL)
        return EXIT_USAGE;
    struct asking asking = {
        .settings = settings,
        .is_for_people = isatty(STDOUT_FILENO) && !options.json,
        .is_on_terminal = isatty(STDOUT_FILENO),
        .progress_seconds = -1,
    };
    struct random random;
    screen_init(&asking.err, stderr, 0);
    asking.err.pipe_columns = SIZE_MAX;
    random_init(&random, clock_seed());
    uuid_new(&asking.id, clock_wall_ms(), &random);
    buf_init(&asking.shown, READING_TEXT_MAX);
    buf_init(&asking.answer, READING_TEXT_MAX);
    int code = EXIT_USAGE;
    read_prompt(&prompt);
    if (slice_trim(buf_slice(&prompt)).len == 0)
        print_problem(&asking,
                      "bedrock-worker ask: the message is empty; write it as TEXT, or pipe it in");
    else if (is_request_small_enough(&asking, buf_slice(&prompt)))
        code = ask(&asking, buf_slice(&prompt));
    client_free(asking.client);
    buf_done(&asking.shown);
    buf_done(&asking.answer);
    settings_options_free(settings);
    return code;
}

const struct command command_ask = {
    .name = "ask",
    .summary = "send a request and wait for its answer",
    .synopsis = "[-c FILE] [--set PATH=VALUE]... [--model MODEL]\n"
                "[--system TEXT] [--stream] [--timeout TIME] [--json]\n"
                "[TEXT | -]",
    .description =
        "Produces one chat request to the first of `topics.requests` and waits for its answer on "
        "`topics.responses`. A worker must be running with the same brokers and topics. TEXT is "
        "the user's message; `-`, or no TEXT, reads it from standard input.\n\n"
        "On a terminal the command prints the answer's text, with --stream as it grows, and the "
        "progress on stderr. Into a pipe, or with --json, it prints the response record as one "
        "line of JSON; with --stream each chunk record before it, one a line. The request expires "
        "when the wait does (`ttl_ms`): the worker begins no call after that. A running call goes "
        "on; its answer comes to `topics.responses`, and is billed.",
    .examples =
        "  bedrock-worker ask \"I love programming.\" --system \"Say it in French.\" --stream\n"
        "  bedrock-worker ask --model claude \"What is a watermark?\" | jq .usage\n"
        "  git diff | bedrock-worker ask - --system \"Review this.\"\n",
    .options = {OPTIONS, COUNT_OF(OPTIONS), "TEXT", &options.text, NULL, NULL},
    .run = run,
};
