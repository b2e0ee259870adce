/* The demo's requests: conversations whose answers are known, and many small requests of three
 * tenants. config/sim.yaml has the answers. */
#include "app/demo/demo.h"

#include "base/check.h"

#define TRANSLATOR                                                                                 \
    "You are a helpful assistant that translates English to French. Translate the user sentence."
#define TRANSLATE                                                                                  \
    "\"messages\":[[\"system\",\"" TRANSLATOR "\"],[\"human\",\"I love programming.\"]],"          \
    "\"model\":\"sonnet\",\"temperature\":0"
#define FRENCH "Voici la traduction en français :\n\nJ'aime la programmation."
#define TOKENS "|Vo|ici| la| tra|duction| en| français| :|\n\nJ|'|a|ime| la| programm|ation|.||||"

#define WEATHER                                                                                    \
    "\"messages\":[[\"human\",\"What is the weather in "                                           \
    "Paris?\"]],\"model\":\"sonnet\",\"tools\":[{"                                                 \
    "\"name\":\"get_weather\",\"description\":\"The weather of a city.\",\"input_schema\":{"       \
    "\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},\"required\":[\"city\"]}" \
    "}]"
#define ORDER                                                                                      \
    "\"messages\":[[\"human\",\"Three red apples at 0.40 each, please.\"]],\"model\":\"sonnet\","  \
    "\"structured_output\":{\"name\":\"order\",\"schema\":{\"type\":\"object\",\"properties\":{"   \
    "\"item\":{\"type\":\"string\"},\"quantity\":{\"type\":\"integer\"},\"price\":{\"type\":"      \
    "\"number\""                                                                                   \
    "}},\"required\":[\"item\",\"quantity\",\"price\"]}}"
/* A picture of one pixel. */
#define PICTURE                                                                                    \
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC"
#define LOOK                                                                                       \
    "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"What is in this " \
    "picture?\"},{\"type\":\"image\",\"source_type\":\"base64\",\"mime_type\":\"image/png\","      \
    "\"data\":\"" PICTURE "\"}]}],\"model\":\"nova\""

static const struct demo_conversation CONVERSATIONS[DEMO_CONVERSATIONS] = {
    {.title = "A prompt template with variables",
     .system = "You are a helpful assistant that translates English to German.",
     .human = "I love programming.",
     .request =
         "\"prompt\":{\"template\":\"translate\",\"variables\":{\"input_language\":\"English\","
         "\"output_language\":\"German\",\"input\":\"I love programming.\"}},\"model\":\"sonnet\"",
     .answer = "Ich liebe Programmieren.",
     .input_tokens = 23,
     .output_tokens = 11},
    {.title = "Messages",
     .system = TRANSLATOR,
     .human = "I love programming.",
     .request = TRANSLATE,
     .answer = FRENCH,
     .input_tokens = 29,
     .output_tokens = 21},
    {.title = "The same as a stream",
     .system = TRANSLATOR,
     .human = "I love programming.",
     .request = TRANSLATE ",\"stream\":true",
     .answer = FRENCH,
     .input_tokens = 29,
     .output_tokens = 21},
    {.title = "The stream's tokens, joined by |",
     .system = TRANSLATOR,
     .human = "I love programming.",
     .request = TRANSLATE ",\"stream\":true",
     .answer = FRENCH,
     .tokens = TOKENS,
     .input_tokens = 29,
     .output_tokens = 21},
    {.title = "A tool call",
     .human = "What is the weather in Paris?",
     .label = "  tools",
     .beside = "get_weather(city)",
     .request = WEATHER,
     .answer = "get_weather {\"city\":\"Paris\"}",
     .input_tokens = 338,
     .output_tokens = 54},
    {.title = "A structured answer",
     .human = "Three red apples at 0.40 each, please.",
     .label = "  schema",
     .beside = "order: item, quantity, price",
     .request = ORDER,
     .answer = "{\"item\":\"red apples\",\"quantity\":3,\"price\":0.40}",
     .input_tokens = 402,
     .output_tokens = 71},
    {.title = "A picture",
     .human = "What is in this picture?",
     .label = "  picture",
     .beside = "a PNG of 69 bytes",
     .request = LOOK,
     .answer = "The picture is one red pixel.",
     .input_tokens = 215,
     .output_tokens = 8},
};

/* A number goes between both. */
static const struct prompt {
    const char *before, *after;
} PROMPTS[] = {
    {"Summarize what changed in order", "."},
    {"Which department should this go to, billing, shipping or returns: ticket", "?"},
    {"Write a friendly reminder for invoice", "."},
    {"List three risks in short sentences for project number", "."},
    {"Friendly or angry: what is the tone of review", "?"},
    {"Translate to Spanish the title of article", "."},
    {"Find a title of at most five words for chapter", "."},
};
/* A model, and a member of the request that names the API. */
static const struct way {
    const char *model, *api;
} WAYS[] = {{"haiku", ""}, {"haiku", "\"api\":\"invoke\","}, {"sonnet", ""}, {"nova", ""}};
static const char *const TENANTS[] = {"acme", "globex", "initech"};

const struct demo_conversation *demo_conversation(size_t index)
{
    CHECK(index < DEMO_CONVERSATIONS);
    return &CONVERSATIONS[index];
}

void demo_add_prompt(size_t number, struct buf *ret_text)
{
    const struct prompt *parts = &PROMPTS[number % COUNT_OF(PROMPTS)];
    buf_addf(ret_text, "%s %zu%s", parts->before, number, parts->after);
}

void demo_add_request(size_t index, struct buf *ret_value, struct buf *ret_key)
{
    buf_addf(ret_value, "{\"id\":\"demo-%zu\",\"tenant\":\"%s\",", index,
             TENANTS[index % COUNT_OF(TENANTS)]);
    if (index < DEMO_CONVERSATIONS) {
        buf_addf(ret_value, "%s}", CONVERSATIONS[index].request);
        buf_addf(ret_key, "conversation-%zu", index);
        return;
    }
    const struct way *way = &WAYS[index % COUNT_OF(WAYS)];
    buf_addf(ret_value, "\"model\":\"%s\",%s\"messages\":[{\"role\":\"user\",\"content\":\"",
             way->model, way->api);
    demo_add_prompt(index, ret_value);
    buf_addf(ret_value,
             "\"}],\"stream\":%s,\"labels\":{\"source\":\"demo\"},\"metadata\":{\"number\":%zu}}",
             index % 5 == 0 ? "true" : "false", index);
    buf_addf(ret_key, "customer-%zu", index % 97);
}

size_t demo_index(struct slice id)
{
    int64_t index = 0;
    if (!slice_starts(id, SLICE("demo-")) || !slice_to_int64(slice_sub(id, 5, id.len), &index) ||
        index < 0)
        return SIZE_MAX;
    return (size_t)index;
}
