/* The demo's requests: four conversations whose answers are known, and many small requests of three
 * tenants. */
#include "app/demo/demo.h"

#include <stdio.h>

#include "base/check.h"

#define TRANSLATOR                                                                                 \
    "You are a helpful assistant that translates English to French. Translate the user sentence."
#define TRANSLATE                                                                                  \
    "\"messages\":[[\"system\",\"" TRANSLATOR "\"],[\"human\",\"I love programming.\"]],"          \
    "\"model\":\"sonnet\",\"temperature\":0"
#define FRENCH "Voici la traduction en français :\n\nJ'aime la programmation."
#define TOKENS "|Vo|ici| la| tra|duction| en| français| :|\n\nJ|'|a|ime| la| programm|ation|.||||"

static const struct demo_conversation CONVERSATIONS[DEMO_CONVERSATIONS] = {
    {"A prompt template with variables",
     "You are a helpful assistant that translates English to German.", "I love programming.",
     "\"prompt\":{\"template\":\"translate\",\"variables\":{\"input_language\":\"English\","
     "\"output_language\":\"German\",\"input\":\"I love programming.\"}},\"model\":\"sonnet\"",
     "Ich liebe Programmieren.", NULL, 23, 11},
    {"Messages", TRANSLATOR, "I love programming.", TRANSLATE, FRENCH, NULL, 29, 21},
    {"The same as a stream", TRANSLATOR, "I love programming.", TRANSLATE ",\"stream\":true",
     FRENCH, NULL, 29, 21},
    {"The stream's tokens, joined by |", TRANSLATOR, "I love programming.",
     TRANSLATE ",\"stream\":true", FRENCH, TOKENS, 29, 21},
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
static const char *const MODELS[] = {"haiku", "haiku", "sonnet", "nova"};
static const char *const TENANTS[] = {"acme", "globex", "initech"};

const struct demo_conversation *demo_conversation(size_t index)
{
    CHECK(index < DEMO_CONVERSATIONS);
    return &CONVERSATIONS[index];
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
    char prompt[128];
    const struct prompt *parts = &PROMPTS[index % COUNT_OF(PROMPTS)];
    (void)snprintf(prompt, sizeof prompt, "%s %zu%s", parts->before, index, parts->after);
    buf_addf(ret_value,
             "\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}],"
             "\"stream\":%s,\"labels\":{\"source\":\"demo\"},\"metadata\":{\"number\":%zu}}",
             MODELS[index % COUNT_OF(MODELS)], prompt, index % 5 == 0 ? "true" : "false", index);
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
