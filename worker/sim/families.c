#include "sim/families.h"

#include "base/glob.h"
#include "sim/answers/forms.h"
#include "sim/bodies/readers.h"
#include "sim/bodies/shapes.h"

#define CHAT_REASONS                                                                               \
    {                                                                                              \
        "stop", "length", "stop", "tool_calls"                                                     \
    }

/* clang-format off */
static const struct family FAMILIES[] = {
    {.name = "anthropic", .globs = {"anthropic.*"}, .mark = "anthropic_version",
     .body = &SHAPE_ANTHROPIC, .read = check_anthropic, .form = &FORM_ANTHROPIC,
     .signs = true, .caches = true},
    {.name = "nova", .globs = {"amazon.nova*"}, .mark = "inferenceConfig",
     .body = &SHAPE_NOVA, .read = check_nova, .form = &FORM_NOVA, .caches = true},
    {.name = "titan", .globs = {"amazon.titan*"}, .mark = "inputText",
     .body = &SHAPE_TITAN, .read = check_prompt, .form = &FORM_TITAN,
     .reasons = {"FINISH", "LENGTH", "STOP_CRITERIA_MET", "FINISH"},
     .prompt = "inputText", .section = "textGenerationConfig", .max_tokens = "maxTokenCount", .stop = "stopSequences"},
    {.name = "llama", .globs = {"meta.llama*"}, .mark = "max_gen_len",
     .body = &SHAPE_LLAMA, .read = check_prompt, .form = &FORM_LLAMA,
     .reasons = {"stop", "length", "stop", "stop"},
     .prompt = "prompt", .max_tokens = "max_gen_len"},
    {.name = "mistral", .globs = {"mistral.*"},
     .body = &SHAPE_MISTRAL, .read = check_prompt, .form = &FORM_MISTRAL,
     .reasons = {"stop", "length", "stop", "stop"},
     .prompt = "prompt", .max_tokens = "max_tokens", .stop = "stop"},
    {.name = "deepseek", .globs = {"deepseek.r1*"},
     .body = &SHAPE_DEEPSEEK, .read = check_prompt, .form = &FORM_COMPLETION,
     .reasons = {"stop", "length", "stop", "stop"},
     .prompt = "prompt", .max_tokens = "max_tokens", .stop = "stop"},
    {.name = "cohere", .globs = {"cohere.command-r*"}, .mark = "message",
     .body = &SHAPE_COMMAND, .read = check_command, .form = &FORM_COMMAND,
     .reasons = {"COMPLETE", "MAX_TOKENS", "STOP_SEQUENCE", "COMPLETE"},
     .prompt = "message", .max_tokens = "max_tokens", .stop = "stop_sequences"},
    {.name = "writer", .globs = {"writer.*"},
     .body = &SHAPE_CHAT, .read = check_chat, .form = &FORM_WRITER, .reasons = CHAT_REASONS},
    {.name = "chat", .mark = "messages",
     .globs = {"openai.*", "qwen.*", "ai21.jamba*", "deepseek.v*", "moonshot*", "minimax.*", "google.*", "zai.*",
               "xai.*", "nvidia.*"},
     .body = &SHAPE_CHAT, .read = check_chat, .form = &FORM_CHAT, .reasons = CHAT_REASONS},
};
/* clang-format on */

const struct family FAMILY_CUSTOM = {.name = "custom",
                                     .body = &SHAPE_ANY_BODY,
                                     .read = check_prompt,
                                     .form = &FORM_COMPLETION,
                                     .reasons = {"stop", "length", "stop", "stop"},
                                     .counts = true,
                                     .prompt = "prompt",
                                     .max_tokens = "max_tokens",
                                     .stop = "stop"};

static const struct family *find(struct slice model)
{
    for (size_t i = 0; i < COUNT_OF(FAMILIES); i++)
        for (size_t j = 0; j < FAMILY_GLOBS_MAX && FAMILIES[i].globs[j] != NULL; j++)
            if (glob_match(slice_of_text(FAMILIES[i].globs[j]), model, false))
                return &FAMILIES[i];
    return NULL;
}

/* The id, or what follows the last `/` of an ARN; then the same without its geographic prefix. */
const struct family *family_of_model(struct slice model)
{
    for (size_t slash = slice_find(model, '/'); slash < model.len; slash = slice_find(model, '/'))
        model = slice_sub(model, slash + 1, model.len);
    const struct family *family = find(model);
    size_t dot = slice_find(model, '.');
    return family != NULL ? family : find(slice_sub(model, dot + 1, model.len));
}

const struct family *family_of_body(const struct json *root)
{
    for (size_t i = 0; i < COUNT_OF(FAMILIES); i++)
        if (FAMILIES[i].mark != NULL && json_member(root, FAMILIES[i].mark) != NULL)
            return &FAMILIES[i];
    return &FAMILY_CUSTOM;
}
