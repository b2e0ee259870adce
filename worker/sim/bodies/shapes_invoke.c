#include "sim/bodies/shapes.h"
#include "sim/bodies/shapes_write.h"

STRING(TEXT, 0, 0, 0);
STRING(TEXT_NOT_EMPTY, 1, 0, 0);
static const struct shape DOCUMENT = {.kind = SHAPE_DOCUMENT};
static const struct shape BOOLEAN = {.kind = SHAPE_BOOLEAN};
static const struct shape BLOB_NOT_EMPTY = {.kind = SHAPE_BLOB, .min = 1};
static const struct shape SHARE = {.kind = SHAPE_FLOAT, .min = 0, .max = 1};
static const struct shape TO_TWO = {.kind = SHAPE_FLOAT, .min = 0, .max = 2};
static const struct shape ABOUT_ZERO = {.kind = SHAPE_FLOAT, .min = -2, .max = 2};
static const struct shape POSITIVE = {.kind = SHAPE_INTEGER, .min = 1};
static const struct shape COUNT = {.kind = SHAPE_INTEGER, .min = 0};
LIST(TEXTS, TEXT, 0, 0);
LIST(STOPS, TEXT_NOT_EMPTY, 0, 0);
LIST(FEW_STOPS, TEXT_NOT_EMPTY, 0, 10);
EITHER(STOP_OR_STOPS, TEXT, STOPS);

/* ---- anthropic: the Messages API ---- */
ENUM(CACHE_TYPE, "ephemeral");
ENUM(CACHE_TTL, "5m", "1h");
STRUCTURE(CACHE_CONTROL, NEEDS("type", CACHE_TYPE), MAY("ttl", CACHE_TTL));
STRUCTURE(CITATIONS_SWITCH, MAY("enabled", BOOLEAN));
STRUCTURE(TEXT_BLOCK, NEEDS("type", TEXT), NEEDS("text", TEXT), MAY("cache_control", CACHE_CONTROL),
          MAY("citations", DOCUMENT));
ENUM(IMAGE_TYPE, "image/jpeg", "image/png", "image/gif", "image/webp");
STRUCTURE(IMAGE_BASE64, NEEDS("type", TEXT), NEEDS("media_type", IMAGE_TYPE),
          NEEDS("data", BLOB_NOT_EMPTY));
TAGGED(IMAGE_SOURCE, MAY("base64", IMAGE_BASE64));
STRUCTURE(IMAGE_BLOCK, NEEDS("type", TEXT), NEEDS("source", IMAGE_SOURCE),
          MAY("cache_control", CACHE_CONTROL));
ENUM(PDF_TYPE, "application/pdf");
STRUCTURE(PDF, NEEDS("type", TEXT), NEEDS("media_type", PDF_TYPE), NEEDS("data", BLOB_NOT_EMPTY));
ENUM(PLAIN_TYPE, "text/plain");
STRUCTURE(PLAIN, NEEDS("type", TEXT), NEEDS("media_type", PLAIN_TYPE), NEEDS("data", TEXT));
STRUCTURE(PARTS, NEEDS("type", TEXT), NEEDS("content", DOCUMENT));
TAGGED(DOCUMENT_SOURCE, MAY("base64", PDF), MAY("text", PLAIN), MAY("content", PARTS));
STRUCTURE(DOCUMENT_BLOCK, NEEDS("type", TEXT), NEEDS("source", DOCUMENT_SOURCE), MAY("title", TEXT),
          MAY("context", TEXT), MAY("citations", CITATIONS_SWITCH),
          MAY("cache_control", CACHE_CONTROL));
STRING(TOOL_ID, 1, 0, "_-");
STRING(TOOL_NAME, 1, 200, "_-");
STRUCTURE(TOOL_USE, NEEDS("type", TEXT), NEEDS("id", TOOL_ID), NEEDS("name", TOOL_NAME),
          NEEDS("input", DOCUMENT), MAY("cache_control", CACHE_CONTROL));
LIST(SEARCH_TEXTS, TEXT_BLOCK, 1, 0);
STRUCTURE(SEARCH_RESULT, NEEDS("type", TEXT), NEEDS("source", TEXT), NEEDS("title", TEXT),
          NEEDS("content", SEARCH_TEXTS), MAY("citations", CITATIONS_SWITCH),
          MAY("cache_control", CACHE_CONTROL));
TAGGED(RESULT_BLOCK, MAY("text", TEXT_BLOCK), MAY("image", IMAGE_BLOCK),
       MAY("document", DOCUMENT_BLOCK), MAY("search_result", SEARCH_RESULT));
LIST(RESULT_BLOCKS, RESULT_BLOCK, 0, 0);
EITHER(RESULT_CONTENT, TEXT, RESULT_BLOCKS);
STRUCTURE(TOOL_RESULT, NEEDS("type", TEXT), NEEDS("tool_use_id", TOOL_ID),
          MAY("content", RESULT_CONTENT), MAY("is_error", BOOLEAN),
          MAY("cache_control", CACHE_CONTROL));
STRUCTURE(THINKING_BLOCK, NEEDS("type", TEXT), NEEDS("thinking", TEXT), NEEDS("signature", TEXT));
STRUCTURE(REDACTED_BLOCK, NEEDS("type", TEXT), NEEDS("data", TEXT));
TAGGED(CLAUDE_BLOCK, MAY("text", TEXT_BLOCK), MAY("image", IMAGE_BLOCK),
       MAY("document", DOCUMENT_BLOCK), MAY("tool_use", TOOL_USE), MAY("tool_result", TOOL_RESULT),
       MAY("search_result", SEARCH_RESULT), MAY("thinking", THINKING_BLOCK),
       MAY("redacted_thinking", REDACTED_BLOCK));
LIST(CLAUDE_BLOCKS, CLAUDE_BLOCK, 0, 0);
EITHER(CLAUDE_CONTENT, TEXT, CLAUDE_BLOCKS);
ENUM(CLAUDE_ROLE, "user", "assistant");
STRUCTURE(CLAUDE_MESSAGE, NEEDS("role", CLAUDE_ROLE), NEEDS("content", CLAUDE_CONTENT));
LIST(CLAUDE_MESSAGES, CLAUDE_MESSAGE, 1, 0);
TAGGED(CLAUDE_SYSTEM_BLOCK, MAY("text", TEXT_BLOCK));
LIST(CLAUDE_SYSTEM_BLOCKS, CLAUDE_SYSTEM_BLOCK, 0, 0);
EITHER(CLAUDE_SYSTEM, TEXT, CLAUDE_SYSTEM_BLOCKS);
OPEN(CLAUDE_TOOL, NEEDS("name", TOOL_NAME), MAY("description", TEXT), MAY("type", TEXT),
     MAY("cache_control", CACHE_CONTROL), MAY("strict", BOOLEAN));
LIST(CLAUDE_TOOLS, CLAUDE_TOOL, 0, 0);
STRUCTURE(CHOICE_ANY_TOOL, NEEDS("type", TEXT), MAY("disable_parallel_tool_use", BOOLEAN));
STRUCTURE(CHOICE_ONE_TOOL, NEEDS("type", TEXT), NEEDS("name", TOOL_NAME),
          MAY("disable_parallel_tool_use", BOOLEAN));
STRUCTURE(CHOICE_NO_TOOL, NEEDS("type", TEXT));
TAGGED(CLAUDE_CHOICE, MAY("auto", CHOICE_ANY_TOOL), MAY("any", CHOICE_ANY_TOOL),
       MAY("tool", CHOICE_ONE_TOOL), MAY("none", CHOICE_NO_TOOL));
STRUCTURE(THINKING_ON, NEEDS("type", TEXT), NEEDS("budget_tokens", COUNT), MAY("display", TEXT));
STRUCTURE(THINKING_FREE, NEEDS("type", TEXT), MAY("display", TEXT));
TAGGED(CLAUDE_THINKING, MAY("enabled", THINKING_ON), MAY("adaptive", THINKING_FREE),
       MAY("disabled", THINKING_FREE));
ENUM(CLAUDE_VERSION, "bedrock-2023-05-31");
static const struct shape CLAUDE_TOKENS = {.kind = SHAPE_INTEGER, .min = 1};
const struct shape SHAPE_ANTHROPIC = {
    .kind = SHAPE_STRUCTURE,
    .voice = VOICE_ANTHROPIC,
    .members = {NEEDS("anthropic_version", CLAUDE_VERSION), NEEDS("max_tokens", CLAUDE_TOKENS),
                NEEDS("messages", CLAUDE_MESSAGES), MAY("system", CLAUDE_SYSTEM),
                MAY("anthropic_beta", TEXTS), MAY("temperature", SHARE), MAY("top_p", SHARE),
                MAY("top_k", COUNT), MAY("stop_sequences", STOPS), MAY("tools", CLAUDE_TOOLS),
                MAY("tool_choice", CLAUDE_CHOICE), MAY("thinking", CLAUDE_THINKING),
                MAY("metadata", DOCUMENT), MAY("output_config", DOCUMENT),
                MAY("output_format", DOCUMENT), MAY("context_management", DOCUMENT)}};

/* ---- nova: Converse's messages ---- */
ENUM(NOVA_VERSION, "messages-v1");
STRUCTURE(NOVA_INFERENCE, MAY("maxTokens", POSITIVE), MAY("max_new_tokens", POSITIVE),
          MAY("temperature", SHARE), MAY("topP", SHARE), MAY("top_p", SHARE), MAY("topK", COUNT),
          MAY("top_k", COUNT), MAY("stopSequences", STOPS), MAY("reasoningConfig", DOCUMENT));
const struct shape SHAPE_NOVA = {
    .kind = SHAPE_STRUCTURE,
    .members = {MAY("schemaVersion", NOVA_VERSION), NEEDS("messages", SHAPE_CONVERSE_MESSAGES),
                MAY("system", SHAPE_CONVERSE_SYSTEM), MAY("inferenceConfig", NOVA_INFERENCE),
                MAY("toolConfig", SHAPE_CONVERSE_TOOLS), MAY("reasoningConfig", DOCUMENT),
                MAY("additionalModelRequestFields", DOCUMENT)}};

/* ---- a prompt and parameters ---- */
STRUCTURE(TITAN_CONFIG, MAY("maxTokenCount", COUNT), MAY("temperature", SHARE), MAY("topP", SHARE),
          MAY("stopSequences", STOPS));
const struct shape SHAPE_TITAN = {
    .kind = SHAPE_STRUCTURE,
    .members = {NEEDS("inputText", TEXT_NOT_EMPTY), MAY("textGenerationConfig", TITAN_CONFIG)}};
static const struct shape LLAMA_LENGTH = {.kind = SHAPE_INTEGER, .min = 1, .max = 8192};
const struct shape SHAPE_LLAMA = {
    .kind = SHAPE_STRUCTURE,
    .members = {NEEDS("prompt", TEXT_NOT_EMPTY), MAY("max_gen_len", LLAMA_LENGTH),
                MAY("temperature", SHARE), MAY("top_p", SHARE), MAY("images", DOCUMENT)}};
const struct shape SHAPE_MISTRAL = {.kind = SHAPE_STRUCTURE,
                                    .members = {NEEDS("prompt", TEXT_NOT_EMPTY),
                                                MAY("max_tokens", POSITIVE),
                                                MAY("temperature", SHARE), MAY("top_p", SHARE),
                                                MAY("top_k", COUNT), MAY("stop", FEW_STOPS)}};
const struct shape SHAPE_DEEPSEEK = {
    .kind = SHAPE_STRUCTURE,
    .members = {NEEDS("prompt", TEXT_NOT_EMPTY), MAY("max_tokens", POSITIVE),
                MAY("temperature", SHARE), MAY("top_p", SHARE), MAY("stop", FEW_STOPS)}};

/* ---- cohere command-r ---- */
ENUM(COMMAND_ROLE, "USER", "CHATBOT", "SYSTEM", "TOOL");
OPEN(COMMAND_TURN, NEEDS("role", COMMAND_ROLE), MAY("message", TEXT));
LIST(COMMAND_TURNS, COMMAND_TURN, 0, 0);
static const struct shape COMMAND_TOP = {.kind = SHAPE_FLOAT, .min = 0, .max = 500};
const struct shape SHAPE_COMMAND = {
    .kind = SHAPE_STRUCTURE,
    .members = {NEEDS("message", TEXT_NOT_EMPTY), MAY("chat_history", COMMAND_TURNS),
                MAY("preamble", TEXT), MAY("max_tokens", POSITIVE), MAY("temperature", SHARE),
                MAY("p", SHARE), MAY("k", COMMAND_TOP), MAY("stop_sequences", STOPS),
                MAY("documents", DOCUMENT), MAY("search_queries_only", BOOLEAN),
                MAY("prompt_truncation", TEXT), MAY("frequency_penalty", SHARE),
                MAY("presence_penalty", SHARE), MAY("seed", COUNT), MAY("return_prompt", BOOLEAN),
                MAY("tools", DOCUMENT), MAY("tool_results", DOCUMENT),
                MAY("raw_prompting", BOOLEAN)}};

/* ---- OpenAI's chat completions: gpt-oss, qwen, jamba, writer and others ---- */
OPEN(CHAT_TEXT, NEEDS("text", TEXT));
OPEN(IMAGE_URL, NEEDS("url", TEXT));
OPEN(CHAT_IMAGE, NEEDS("image_url", IMAGE_URL));
OPEN(CHAT_OTHER, NEEDS("type", TEXT));
TAGGED(CHAT_PART, MAY("text", CHAT_TEXT), MAY("image_url", CHAT_IMAGE),
       MAY("input_audio", CHAT_OTHER), MAY("file", CHAT_OTHER));
LIST(CHAT_PARTS, CHAT_PART, 1, 0);
EITHER(CHAT_CONTENT, TEXT, CHAT_PARTS);
OPEN(CALLED_FUNCTION, NEEDS("name", TEXT_NOT_EMPTY), NEEDS("arguments", TEXT));
OPEN(CHAT_CALL, NEEDS("id", TEXT), NEEDS("function", CALLED_FUNCTION));
LIST(CHAT_CALLS, CHAT_CALL, 1, 0);
ENUM(CHAT_ROLE, "system", "developer", "user", "assistant", "tool");
OPEN(CHAT_MESSAGE, NEEDS("role", CHAT_ROLE), MAY("content", CHAT_CONTENT),
     MAY("tool_calls", CHAT_CALLS), MAY("tool_call_id", TEXT));
LIST(CHAT_MESSAGES, CHAT_MESSAGE, 1, 0);
STRING(FUNCTION_NAME, 1, 64, "_-");
STRUCTURE(FUNCTION, NEEDS("name", FUNCTION_NAME), MAY("description", TEXT),
          MAY("parameters", DOCUMENT), MAY("strict", BOOLEAN));
ENUM(FUNCTION_TYPE, "function");
STRUCTURE(CHAT_TOOL, NEEDS("type", FUNCTION_TYPE), NEEDS("function", FUNCTION));
LIST(CHAT_TOOLS, CHAT_TOOL, 1, 0);
ENUM(CHOICE_WORD, "auto", "none", "required", "any");
STRUCTURE(NAMED_FUNCTION, NEEDS("name", FUNCTION_NAME));
STRUCTURE(NAMED_CHOICE, NEEDS("type", FUNCTION_TYPE), NEEDS("function", NAMED_FUNCTION));
EITHER(CHAT_CHOICE, CHOICE_WORD, NAMED_CHOICE);
const struct shape SHAPE_CHAT = {.kind = SHAPE_STRUCTURE,
                                 .members = {NEEDS("messages", CHAT_MESSAGES),
                                             MAY("model", TEXT),
                                             MAY("max_tokens", POSITIVE),
                                             MAY("max_completion_tokens", POSITIVE),
                                             MAY("temperature", TO_TWO),
                                             MAY("top_p", SHARE),
                                             MAY("top_k", COUNT),
                                             MAY("stop", STOP_OR_STOPS),
                                             MAY("tools", CHAT_TOOLS),
                                             MAY("tool_choice", CHAT_CHOICE),
                                             MAY("parallel_tool_calls", BOOLEAN),
                                             MAY("n", POSITIVE),
                                             MAY("seed", COUNT),
                                             MAY("frequency_penalty", ABOUT_ZERO),
                                             MAY("presence_penalty", ABOUT_ZERO),
                                             MAY("response_format", DOCUMENT),
                                             MAY("reasoning_effort", TEXT),
                                             MAY("reasoning", DOCUMENT),
                                             MAY("stream", BOOLEAN),
                                             MAY("stream_options", DOCUMENT),
                                             MAY("logprobs", BOOLEAN),
                                             MAY("top_logprobs", COUNT),
                                             MAY("logit_bias", DOCUMENT),
                                             MAY("user", TEXT),
                                             MAY("service_tier", TEXT),
                                             MAY("metadata", DOCUMENT),
                                             MAY("min_p", SHARE),
                                             MAY("repetition_penalty", TO_TWO),
                                             MAY("min_tokens", COUNT),
                                             MAY("best_of", POSITIVE),
                                             MAY("verbosity", TEXT)}};

const struct shape SHAPE_ANY_BODY = {.kind = SHAPE_OPEN};
