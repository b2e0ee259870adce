/* `bedrock-worker explain`: asks running workers why a request waits. */
#include <stdio.h>

#include "app/commands/address_options.h"
#include "app/commands/commands.h"
#include "app/pages/query.h"
#include "wire/formats/json.h"

#define ARENA_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define PATH_BYTES_MAX  ((size_t)256 * 1024)

static struct address_options address_options;
static const char *subject, *id, *key;
static bool prints_json;

static const struct command_option OPTIONS[] = {
    {
        .letter = 'k',
        .name = "key",
        .value = "K",
        .kind = OPTION_TEXT,
        .into.text = &key,
        .description = "Explain the requests with this record key instead of one request.",
    },
    {
        .name = "id",
        .value = "ID",
        .kind = OPTION_TEXT,
        .into.text = &id,
        .description = "A request id, also one that looks like TOPIC/PARTITION/OFFSET.",
    },
    {
        .name = "json",
        .kind = OPTION_FLAG,
        .into.flag = &prints_json,
        .description = "Print each worker's answer as a line of JSON.",
    },
    ADDRESS_OPTION_ROWS(address_options),
};

/* What the workers said. */
struct hearing {
    size_t answered;
    struct buf elsewhere; /* the sentence of one that does not */
};

/* Writes the page's address. False: the command line names no request, or several. */
static bool make_path(struct buf *path)
{
    struct explain_query position;
    size_t named = (size_t)(subject != NULL) + (size_t)(id != NULL) + (size_t)(key != NULL);
    if (named != 1) {
        (void)fprintf(stderr, "bedrock-worker explain: name one request: REQUEST-ID, "
                              "TOPIC/PARTITION/OFFSET or --key K; see bedrock-worker explain "
                              "--help\n");
        return false;
    }
    const char *name = key != NULL ? "key" : "id";
    struct slice value = slice_of_text(key != NULL ? key : id != NULL ? id : subject);
    if (subject != NULL && query_position(value, &position))
        name = "position";
    buf_addf(path, "/explain?%s=", name);
    query_add_value(path, value);
    if (path->failed == OK)
        return true;
    (void)fprintf(stderr, "bedrock-worker explain: the name of the request is too long\n");
    return false;
}

static void print_sentence(const struct visit *visit, bool is_named, struct slice sentence)
{
    if (is_named)
        (void)printf("%s: ", visit->address);
    (void)printf("%.*s\n", SLICE_ARG(sentence));
}

static bool text_of(struct arena *arena, const struct json *object, const char *name,
                    struct slice *ret_text)
{
    const struct json *member = json_member(object, name);
    return json_is(member, JSON_STRING) && json_string(arena, member, ret_text);
}

/* address_hear; good = the worker holds it, or knows what became of it. */
static bool hear(void *self, struct visit *visit, bool is_named)
{
    struct hearing *hearing = self;
    struct arena arena OWNED_BY(arena_done);
    const struct json *root = NULL;
    struct slice sentence = SLICE_NULL;
    arena_init(&arena, ARENA_BYTES_MAX);
    if (visit->status != 200 || json_parse(&arena, buf_slice(&visit->body), &root, NULL) != OK ||
        !text_of(&arena, root, "sentence", &sentence)) {
        (void)fprintf(stderr, "%s answers with HTTP %d, not as a worker does: %.*s\n",
                      visit->address, visit->status,
                      (int)(visit->body.len < 200 ? visit->body.len : 200), buf_text(&visit->body));
        return false;
    }
    hearing->answered++;
    const struct json *requests = json_member(root, "requests");
    bool is_here = json_is(json_member(root, "is_here"), JSON_TRUE);
    if (prints_json)
        (void)printf("%.*s", SLICE_ARG(buf_slice(&visit->body)));
    else if (!is_here && hearing->elsewhere.len == 0)
        buf_add(&hearing->elsewhere, sentence);
    else if (is_here && requests != NULL && requests->count > 1)
        for (const struct json *one = requests->first; one != NULL; one = one->next) {
            if (text_of(&arena, one, "sentence", &sentence))
                print_sentence(visit, is_named, sentence);
        }
    else if (is_here)
        print_sentence(visit, is_named, sentence);
    return is_here;
}

/* What is said when none of them holds it. */
static void print_elsewhere(const struct hearing *hearing)
{
    if (hearing->answered == 1)
        (void)printf("%.*s\n", SLICE_ARG(buf_slice(&hearing->elsewhere)));
    else
        (void)printf("None of the %zu workers that answered holds it: it has its outcome, is not "
                     "taken yet, or belongs to another worker.\n",
                     hearing->answered);
}

static int run(void)
{
    struct buf path OWNED_BY(buf_done);
    struct hearing hearing = {.answered = 0};
    struct address_tally tally;
    buf_init(&path, PATH_BYTES_MAX);
    buf_init(&hearing.elsewhere, PATH_BYTES_MAX);
    if (!make_path(&path))
        return EXIT_USAGE;
    address_options_ask(&address_options, "explain", buf_slice(&path), true, hear, &hearing,
                        &tally);
    if (tally.good == 0 && hearing.answered > 0 && !prints_json)
        print_elsewhere(&hearing);
    buf_done(&hearing.elsewhere);
    if (tally.has_wrong_settings)
        return EXIT_USAGE;
    return tally.good > 0 ? EXIT_DONE : EXIT_FAILED;
}

const struct command command_explain = {
    .name = "explain",
    .summary = "say why a request waits, and when it is tried next",
    .synopsis = "[--address HOST:PORT]... [--json] [--set PATH=VALUE]... [-c FILE] "
                "{REQUEST-ID | TOPIC/PARTITION/OFFSET | --id ID | --key K}",
    .description =
        "Asks running workers about a request and says in one sentence where it is: how long it "
        "has waited, for what, behind whom, and when it is tried next. A request is named by its "
        "id, by the position of its record, or by the key of its record; of a key, each request "
        "that the worker holds has its sentence, at most 20.\n\n"
        "A worker knows the requests that it holds, and of a position whether it has its outcome. "
        "Ends with 0 when a worker knows the request, else with 1. The answers name topics, "
        "offsets and models, never keys, prompts or answers.",
    .examples = "  bedrock-worker explain bedrock.requests/3/1041\n"
                "  bedrock-worker explain order-4711\n"
                "  bedrock-worker explain --key customer-7 \\\n"
                "      --address 10.0.0.1:9464 --address 10.0.0.2:9464\n",
    .options = {OPTIONS, COUNT_OF(OPTIONS), "REQUEST-ID", &subject, NULL, NULL},
    .run = run,
};
