#include "wire/bedrock/invoke/parts.h"

#include "wire/bedrock/invoke/tool_calls.h"
#include "wire/bedrock/invoke/places.h"
#include "wire/bedrock/invoke/prompt.h"

/*
 * Families whose answers are texts: their bodies, by what they call the parameters (names) and
 * where they have what was said:
 *
 *     prompt    one text with the vendor's marks            Titan, Llama, Mistral, DeepSeek
 *     message   the last one, the earlier ones beside it    Cohere Command R
 *     nothing   the request gives the whole body            custom
 */

/* --- texts as JSON strings --- */

static void add_prompt(struct invoke_body *body, const char *name, enum prompt prompt)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, body->buf->limit);
    if (!body_needs(body, name))
        return;
    prompt_add(&text, prompt, body->request);
    if (text.failed != OK)
        body->buf->failed = text.failed;
    else
        json_add_text_member(body->buf, name, text.len > 0 ? buf_slice(&text) : SLICE(""));
}

static void write_prompt(struct invoke_body *body)
{
    const struct shape *shape = body->row->shape;
    add_prompt(body, shape->prompt_name, shape->prompt);
    body_add_parameters(body);
}

/* --- Cohere --- */

static void add_spoken(struct invoke_body *body, const char *name, const struct spoken *spoken)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, body->buf->limit);
    spoken_add_text(&text, spoken);
    if (text.failed != OK)
        body->buf->failed = text.failed;
    else
        json_add_text_member(body->buf, name, text.len > 0 ? buf_slice(&text) : SLICE(""));
}

static void add_earlier(struct invoke_body *body, enum role role, const struct spoken *spoken)
{
    json_add_comma(body->buf);
    buf_add_byte(body->buf, '{');
    json_add_text_member(body->buf, "role", role == ROLE_USER ? SLICE("USER") : SLICE("CHATBOT"));
    add_spoken(body, "message", spoken);
    buf_add_byte(body->buf, '}');
}

/* All messages but the user's last one, which is `ret_last`. */
static void add_history(struct invoke_body *body, struct spoken *ret_last)
{
    const struct request *request = body->request;
    *ret_last = (struct spoken){.count = 0};
    json_add_name(body->buf, "chat_history");
    buf_add_byte(body->buf, '[');
    for (size_t i = 0; i < request->turn_count; i++) {
        const struct turn *turn = &request->turns[i];
        bool is_last = i + 1 == request->turn_count && turn->role == ROLE_USER;
        struct spoken spoken;
        size_t at = 0;
        while (turn->role != ROLE_SYSTEM && spoken_next(turn->blocks, turn->count, &at, &spoken)) {
            if (is_last && at == turn->count)
                *ret_last = spoken;
            else
                add_earlier(body, turn->role, &spoken);
        }
    }
    buf_add_byte(body->buf, ']');
}

/* What the system says, wherever it stands. */
static void add_preamble(struct invoke_body *body)
{
    const struct request *request = body->request;
    struct buf text OWNED_BY(buf_done);
    bool is_first = true;
    buf_init(&text, body->buf->limit);
    for (size_t i = 0; i < request->turn_count; i++) {
        const struct turn *turn = &request->turns[i];
        for (size_t j = 0; turn->role == ROLE_SYSTEM && j < turn->count; j++)
            block_add_text(&text, &turn->blocks[j], &is_first);
    }
    if (text.failed != OK)
        body->buf->failed = text.failed;
    else if (text.len > 0)
        json_add_text_member(body->buf, "preamble", buf_slice(&text));
}

static void write_cohere(struct invoke_body *body)
{
    struct spoken last;
    if (body_needs(body, "message")) {
        add_history(body, &last);
        add_spoken(body, "message", &last);
    }
    if (body_needs(body, "preamble"))
        add_preamble(body);
    body_add_parameters(body);
}

/* --- the whole body given --- */

static void write_given(struct invoke_body *body)
{
    (void)body;
}

static enum err read_given(struct said *said, const struct json *root)
{
    return said_text(said, root->source);
}

/* A chunk a line. */
static enum err hear_given(struct said *said, const struct json *chunk)
{
    enum err err = said->text.len > 0 ? said_text(said, SLICE("\n")) : OK;
    return err == OK ? said_text(said, chunk->source) : err;
}

/* --- the shapes --- */

#define PROMPT_SHAPE(id)                                                                           \
    .write = write_prompt, .read = places_read, .hear = places_hear, .keep = tool_calls_keep,      \
    .done = tool_calls_done, .is_free = true, .prompt = PROMPT_##id

#define NAMES(max_tokens, temperature, top_p, top_k)                                               \
    .names = {[PARAMETER_MAX_TOKENS] = (max_tokens),                                               \
              [PARAMETER_TEMPERATURE] = (temperature),                                             \
              [PARAMETER_TOP_P] = (top_p),                                                         \
              [PARAMETER_TOP_K] = (top_k)}

const struct shape shape_titan = {
    PROMPT_SHAPE(TITAN),        NAMES("maxTokenCount", "temperature", "topP", NULL),
    .prompt_name = "inputText", .config = "textGenerationConfig",
    .config_has_fields = true,
};

const struct shape shape_llama3 = {
    PROMPT_SHAPE(LLAMA3),
    NAMES("max_gen_len", "temperature", "top_p", NULL),
    .prompt_name = "prompt",
};

const struct shape shape_llama4 = {
    PROMPT_SHAPE(LLAMA4),
    NAMES("max_gen_len", "temperature", "top_p", NULL),
    .prompt_name = "prompt",
};

const struct shape shape_mistral = {
    PROMPT_SHAPE(MISTRAL),
    NAMES("max_tokens", "temperature", "top_p", "top_k"),
    .prompt_name = "prompt",
};

const struct shape shape_deepseek = {
    PROMPT_SHAPE(DEEPSEEK),
    NAMES("max_tokens", "temperature", "top_p", NULL),
    .prompt_name = "prompt",
};

const struct shape shape_cohere = {
    .write = write_cohere,
    .read = places_read,
    .hear = places_hear,
    .keep = tool_calls_keep,
    .done = tool_calls_done,
    .is_free = true,
    NAMES("max_tokens", "temperature", "p", "k"),
};

const struct shape shape_custom = {
    .write = write_given,
    .read = read_given,
    .hear = hear_given,
    .is_given = true,
};
