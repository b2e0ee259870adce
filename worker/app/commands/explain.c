/* `bedrock-worker explain`: asks running workers why a request waits. */
#include <stdio.h>

#include "app/client/visit.h"
#include "app/commands/commands.h"
#include "app/commands/settings_options.h"
#include "app/pages/query.h"
#include "wire/formats/json.h"

#define ARENA_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define PATH_BYTES_MAX  ((size_t)256 * 1024)

static struct settings_options settings_options;
static struct option_texts addresses;
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
        .letter = 'a',
        .name = "address",
        .value = "HOST:PORT",
        .kind = OPTION_TEXTS,
        .into.texts = &addresses,
        .description = "A worker's address; may be repeated, to ask several. Without it: "
                       "telemetry.http.address of the settings, on this machine.",
    },
    {
        .name = "json",
        .kind = OPTION_FLAG,
        .into.flag = &prints_json,
        .description = "Print each worker's answer as a line of JSON.",
    },
    SETTINGS_OPTION_ROWS(settings_options),
};

/* What the workers said. */
struct hearing {
    size_t asked, answered;
    uint32_t found;       /* workers that hold the request, or know what became of it */
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

static void print_sentence(const struct visit *visit, struct slice sentence)
{
    if (addresses.count > 1)
        (void)printf("%s: ", visit->address);
    (void)printf("%.*s\n", SLICE_ARG(sentence));
}

static bool text_of(struct arena *arena, const struct json *object, const char *name,
                    struct slice *ret_text)
{
    const struct json *member = json_member(object, name);
    return json_is(member, JSON_STRING) && json_string(arena, member, ret_text);
}

static void hear(struct hearing *hearing, struct visit *visit)
{
    struct arena arena OWNED_BY(arena_done);
    const struct json *root = NULL;
    struct slice sentence = SLICE_NULL;
    arena_init(&arena, ARENA_BYTES_MAX);
    if (visit->status != 200 || json_parse(&arena, buf_slice(&visit->body), &root, NULL) != OK ||
        !text_of(&arena, root, "sentence", &sentence)) {
        (void)fprintf(stderr, "%s answers with HTTP %d, not as a worker does: %.*s\n",
                      visit->address, visit->status,
                      (int)(visit->body.len < 200 ? visit->body.len : 200), buf_text(&visit->body));
        return;
    }
    hearing->answered++;
    const struct json *requests = json_member(root, "requests");
    bool is_here = json_is(json_member(root, "is_here"), JSON_TRUE);
    hearing->found += is_here;
    if (prints_json)
        (void)printf("%.*s", SLICE_ARG(buf_slice(&visit->body)));
    else if (!is_here && hearing->elsewhere.len == 0)
        buf_add(&hearing->elsewhere, sentence);
    else if (is_here && requests != NULL && requests->count > 1)
        for (const struct json *one = requests->first; one != NULL; one = one->next) {
            if (text_of(&arena, one, "sentence", &sentence))
                print_sentence(visit, sentence);
        }
    else if (is_here)
        print_sentence(visit, sentence);
}

static void ask(struct hearing *hearing, const char *address, const struct settings *settings,
                struct slice path)
{
    struct visit visit;
    hearing->asked++;
    if (!visit_init(&visit, address, settings))
        (void)fprintf(stderr, "bedrock-worker explain: %s\n", visit.reason);
    else if (!visit_get(&visit, path))
        (void)fprintf(stderr, "no worker answers at %s: %s\n", visit.address, visit.reason);
    else
        hear(hearing, &visit);
    visit_done(&visit);
}

static void ask_all(struct hearing *hearing, const struct settings *settings, struct slice path)
{
    if (addresses.count == 0)
        ask(hearing, NULL, settings, path);
    for (size_t i = 0; i < addresses.count; i++)
        ask(hearing, addresses.list[i], NULL, path);
    if (hearing->found > 0 || hearing->answered == 0 || prints_json)
        return;
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
    struct hearing hearing = {.asked = 0};
    struct settings *settings = NULL;
    buf_init(&path, PATH_BYTES_MAX);
    buf_init(&hearing.elsewhere, PATH_BYTES_MAX);
    if (!make_path(&path))
        return EXIT_USAGE;
    if (addresses.count == 0) {
        settings = settings_options_load(&settings_options, false, NULL);
        if (settings == NULL)
            return EXIT_USAGE;
    }
    ask_all(&hearing, settings, buf_slice(&path));
    settings_options_free(settings);
    buf_done(&hearing.elsewhere);
    return hearing.found > 0 ? EXIT_DONE : EXIT_FAILED;
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
    .options = {OPTIONS, COUNT_OF(OPTIONS), "REQUEST-ID", &subject},
    .run = run,
};
