#include "sim/bodies/shapes.h"
#include "sim/bodies/shapes_write.h"

STRING(TEXT, 0, 0, 0);
STRING(TEXT_NOT_EMPTY, 1, 0, 0);
STRING(NAME_64, 1, 64, "_-");
STRING(TOOL_USE_ID, 1, 64, "_.:-");
static const struct shape DOCUMENT = {.kind = SHAPE_DOCUMENT};
static const struct shape BOOLEAN = {.kind = SHAPE_BOOLEAN};
static const struct shape BLOB = {.kind = SHAPE_BLOB};
static const struct shape BLOB_NOT_EMPTY = {.kind = SHAPE_BLOB, .min = 1};
static const struct shape INDEX = {.kind = SHAPE_INTEGER, .min = 0};
static const struct shape EMPTY = {.kind = SHAPE_STRUCTURE};

/* media */
STRING(S3_URI, 1, 1024, 0);
STRING(ACCOUNT, 12, 12, "");
STRUCTURE(S3_LOCATION, NEEDS("uri", S3_URI), MAY("bucketOwner", ACCOUNT));
STRUCTURE(ERROR_BLOCK, MAY("message", TEXT));
UNION(MEDIA_SOURCE, MAY("bytes", BLOB_NOT_EMPTY), MAY("s3Location", S3_LOCATION));
ENUM(IMAGE_FORMAT, "png", "jpeg", "gif", "webp");
STRUCTURE(IMAGE, NEEDS("format", IMAGE_FORMAT), NEEDS("source", MEDIA_SOURCE),
          MAY("error", ERROR_BLOCK));
ENUM(VIDEO_FORMAT, "mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp");
STRUCTURE(VIDEO, NEEDS("format", VIDEO_FORMAT), NEEDS("source", MEDIA_SOURCE));
ENUM(AUDIO_FORMAT, "mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "x-aac", "m4a",
     "mpeg", "mpga", "pcm", "webm");
STRUCTURE(AUDIO, NEEDS("format", AUDIO_FORMAT), NEEDS("source", MEDIA_SOURCE),
          MAY("error", ERROR_BLOCK));
ENUM(DOCUMENT_FORMAT, "pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md");
STRING(DOCUMENT_NAME, 1, 200, 0);
UNION(TEXT_BLOCK, MAY("text", TEXT));
LIST(TEXT_BLOCKS, TEXT_BLOCK, 0, 0);
STRUCTURE(CITATIONS_SWITCH, NEEDS("enabled", BOOLEAN));
UNION(DOCUMENT_SOURCE, MAY("bytes", BLOB_NOT_EMPTY), MAY("s3Location", S3_LOCATION),
      MAY("text", TEXT), MAY("content", TEXT_BLOCKS));
STRUCTURE(DOCUMENT_BLOCK, MAY("format", DOCUMENT_FORMAT), NEEDS("name", DOCUMENT_NAME),
          NEEDS("source", DOCUMENT_SOURCE), MAY("context", TEXT),
          MAY("citations", CITATIONS_SWITCH));
STRUCTURE(SEARCH_TEXT, NEEDS("text", TEXT));
LIST(SEARCH_TEXTS, SEARCH_TEXT, 0, 0);
STRUCTURE(SEARCH_RESULT, NEEDS("source", TEXT), NEEDS("title", TEXT),
          NEEDS("content", SEARCH_TEXTS), MAY("citations", CITATIONS_SWITCH));

/* tools in the conversation */
ENUM(TOOL_USE_TYPE, "server_tool_use");
STRUCTURE(TOOL_USE, NEEDS("toolUseId", TOOL_USE_ID), NEEDS("name", NAME_64),
          NEEDS("input", DOCUMENT), MAY("type", TOOL_USE_TYPE));
UNION(TOOL_RESULT_BLOCK, MAY("json", DOCUMENT), MAY("text", TEXT), MAY("image", IMAGE),
      MAY("document", DOCUMENT_BLOCK), MAY("video", VIDEO), MAY("searchResult", SEARCH_RESULT));
LIST(TOOL_RESULT_BLOCKS, TOOL_RESULT_BLOCK, 0, 0);
ENUM(TOOL_STATUS, "success", "error");
STRUCTURE(TOOL_RESULT, NEEDS("toolUseId", TOOL_USE_ID), NEEDS("content", TOOL_RESULT_BLOCKS),
          MAY("status", TOOL_STATUS), MAY("type", TEXT));
STRING(TOOL_NAME_128, 1, 128, 0);
STRING(TOOL_TYPE_64, 1, 64, 0);
STRUCTURE(TOOL_REFERENCE, MAY("type", TOOL_TYPE_64), MAY("name", TOOL_NAME_128),
          MAY("serverName", TOOL_NAME_128));
STRUCTURE(TOOL_CHANGE, NEEDS("tool", TOOL_REFERENCE));

/* guardrail content, cache points, reasoning, citations */
ENUM(GUARD_QUALIFIER, "grounding_source", "query", "guard_content");
LIST(GUARD_QUALIFIERS, GUARD_QUALIFIER, 0, 0);
STRUCTURE(GUARD_TEXT, NEEDS("text", TEXT), MAY("qualifiers", GUARD_QUALIFIERS));
ENUM(GUARD_IMAGE_FORMAT, "png", "jpeg");
UNION(GUARD_IMAGE_SOURCE, MAY("bytes", BLOB_NOT_EMPTY));
STRUCTURE(GUARD_IMAGE, NEEDS("format", GUARD_IMAGE_FORMAT), NEEDS("source", GUARD_IMAGE_SOURCE));
UNION(GUARD_CONTENT, MAY("text", GUARD_TEXT), MAY("image", GUARD_IMAGE));
ENUM(CACHE_TYPE, "default");
ENUM(CACHE_TTL, "5m", "1h");
STRUCTURE(CACHE_POINT, NEEDS("type", CACHE_TYPE), MAY("ttl", CACHE_TTL));
STRUCTURE(REASONING_TEXT, NEEDS("text", TEXT), MAY("signature", TEXT));
UNION(REASONING, MAY("reasoningText", REASONING_TEXT), MAY("redactedContent", BLOB));
STRUCTURE(WEB_LOCATION, MAY("url", TEXT), MAY("domain", TEXT));
STRUCTURE(DOCUMENT_LOCATION, MAY("documentIndex", INDEX), MAY("start", INDEX), MAY("end", INDEX));
STRUCTURE(SEARCH_LOCATION, MAY("searchResultIndex", INDEX), MAY("start", INDEX), MAY("end", INDEX));
UNION(CITATION_LOCATION, MAY("web", WEB_LOCATION), MAY("documentChar", DOCUMENT_LOCATION),
      MAY("documentPage", DOCUMENT_LOCATION), MAY("documentChunk", DOCUMENT_LOCATION),
      MAY("searchResultLocation", SEARCH_LOCATION));
STRUCTURE(CITATION, MAY("title", TEXT), MAY("source", TEXT), MAY("sourceContent", TEXT_BLOCKS),
          MAY("location", CITATION_LOCATION));
LIST(CITATIONS, CITATION, 0, 0);
STRUCTURE(CITATIONS_CONTENT, MAY("content", TEXT_BLOCKS), MAY("citations", CITATIONS));

/* messages */
UNION(CONTENT_BLOCK, MAY("text", TEXT), MAY("image", IMAGE), MAY("document", DOCUMENT_BLOCK),
      MAY("video", VIDEO), MAY("audio", AUDIO), MAY("toolUse", TOOL_USE),
      MAY("toolResult", TOOL_RESULT), MAY("guardContent", GUARD_CONTENT),
      MAY("cachePoint", CACHE_POINT), MAY("reasoningContent", REASONING),
      MAY("citationsContent", CITATIONS_CONTENT), MAY("searchResult", SEARCH_RESULT),
      MAY("toolAddition", TOOL_CHANGE), MAY("toolRemoval", TOOL_CHANGE));
LIST(CONTENT, CONTENT_BLOCK, 0, 0);
ENUM(ROLE, "user", "assistant", "system");
STRUCTURE(MESSAGE, NEEDS("role", ROLE), NEEDS("content", CONTENT));
const struct shape SHAPE_CONVERSE_MESSAGES = {.kind = SHAPE_LIST, .element = &MESSAGE};
UNION(SYSTEM_BLOCK, MAY("text", TEXT_NOT_EMPTY), MAY("guardContent", GUARD_CONTENT),
      MAY("cachePoint", CACHE_POINT));
const struct shape SHAPE_CONVERSE_SYSTEM = {.kind = SHAPE_LIST, .element = &SYSTEM_BLOCK};

/* settings of the call */
static const struct shape MAX_TOKENS = {.kind = SHAPE_INTEGER, .min = 1};
static const struct shape SHARE = {.kind = SHAPE_FLOAT, .min = 0, .max = 1};
LIST(STOP_SEQUENCES, TEXT_NOT_EMPTY, 0, 2500);
STRUCTURE(INFERENCE, MAY("maxTokens", MAX_TOKENS), MAY("temperature", SHARE), MAY("topP", SHARE),
          MAY("stopSequences", STOP_SEQUENCES));
UNION(TOOL_SCHEMA, MAY("json", DOCUMENT));
STRUCTURE(TOOL_SPEC, NEEDS("name", NAME_64), MAY("description", TEXT_NOT_EMPTY),
          NEEDS("inputSchema", TOOL_SCHEMA), MAY("strict", BOOLEAN));
STRUCTURE(TOOL_NAMED, NEEDS("name", NAME_64));
UNION(TOOL, MAY("toolSpec", TOOL_SPEC), MAY("systemTool", TOOL_NAMED),
      MAY("cachePoint", CACHE_POINT));
LIST(TOOLS, TOOL, 1, 0);
UNION(TOOL_CHOICE, MAY("auto", EMPTY), MAY("any", EMPTY), MAY("tool", TOOL_NAMED));
const struct shape SHAPE_CONVERSE_TOOLS = {
    .kind = SHAPE_STRUCTURE, .members = {NEEDS("tools", TOOLS), MAY("toolChoice", TOOL_CHOICE)}};
STRING(GUARDRAIL_ID, 0, 2048, ":/-");
STRING(GUARDRAIL_VERSION, 0, 8, "");
ENUM(GUARDRAIL_TRACE, "enabled", "disabled", "enabled_full");
ENUM(GUARDRAIL_MODE, "sync", "async");
STRUCTURE(GUARDRAIL, MAY("guardrailIdentifier", GUARDRAIL_ID),
          MAY("guardrailVersion", GUARDRAIL_VERSION), MAY("trace", GUARDRAIL_TRACE));
STRUCTURE(GUARDRAIL_STREAM, MAY("guardrailIdentifier", GUARDRAIL_ID),
          MAY("guardrailVersion", GUARDRAIL_VERSION), MAY("trace", GUARDRAIL_TRACE),
          MAY("streamProcessingMode", GUARDRAIL_MODE));
UNION(PROMPT_VALUE, MAY("text", TEXT));
static const struct shape PROMPT_VARIABLES = {.kind = SHAPE_MAP, .element = &PROMPT_VALUE};
STRING(FIELD_PATH, 1, 256, 0);
LIST(FIELD_PATHS, FIELD_PATH, 0, 10);
#define METADATA_BESIDE " \t\n\r\f\v:_@$#=/+,-."
STRING(METADATA_VALUE, 0, 256, METADATA_BESIDE);
const struct shape SHAPE_METADATA = {
    .kind = SHAPE_MAP, .element = &METADATA_VALUE, .min = 1, .max = 16, .allowed = METADATA_BESIDE};
ENUM(LATENCY, "standard", "optimized");
STRUCTURE(PERFORMANCE, MAY("latency", LATENCY));
ENUM(TIER, "priority", "default", "flex", "reserved");
STRUCTURE(SERVICE_TIER, NEEDS("type", TIER));
ENUM(OUTPUT_TYPE, "json_schema");
STRUCTURE(OUTPUT_SCHEMA, NEEDS("schema", TEXT), MAY("name", TEXT), MAY("description", TEXT));
UNION(OUTPUT_STRUCTURE, MAY("jsonSchema", OUTPUT_SCHEMA));
STRUCTURE(TEXT_FORMAT, NEEDS("type", OUTPUT_TYPE), NEEDS("structure", OUTPUT_STRUCTURE));
STRING(EFFORT, 0, 16, 0);
STRUCTURE(OUTPUT_CONFIG, MAY("textFormat", TEXT_FORMAT), MAY("effort", EFFORT));

/* the parts of a whole body; its guardrail differs between the operations */
#define BODY(id, ...)                                                                              \
    const struct shape id = {                                                                      \
        .kind = SHAPE_STRUCTURE,                                                                   \
        .members = {MAY("messages", SHAPE_CONVERSE_MESSAGES),                                      \
                    MAY("system", SHAPE_CONVERSE_SYSTEM), MAY("toolConfig", SHAPE_CONVERSE_TOOLS), \
                    MAY("additionalModelRequestFields", DOCUMENT), __VA_ARGS__}}
#define CALL(guardrail)                                                                            \
    MAY("inferenceConfig", INFERENCE), MAY("guardrailConfig", guardrail),                          \
        MAY("promptVariables", PROMPT_VARIABLES),                                                  \
        MAY("additionalModelResponseFieldPaths", FIELD_PATHS),                                     \
        MAY("requestMetadata", SHAPE_METADATA), MAY("performanceConfig", PERFORMANCE),             \
        MAY("serviceTier", SERVICE_TIER), MAY("outputConfig", OUTPUT_CONFIG)

BODY(SHAPE_CONVERSE, CALL(GUARDRAIL));
BODY(SHAPE_CONVERSE_STREAM, CALL(GUARDRAIL_STREAM));
BODY(SHAPE_CONVERSE_TOKENS, {0});
STRUCTURE(INVOKE_TOKENS, NEEDS("body", BLOB));
UNION(COUNTED, MAY("invokeModel", INVOKE_TOKENS), MAY("converse", SHAPE_CONVERSE_TOKENS));
const struct shape SHAPE_COUNT_TOKENS = {.kind = SHAPE_STRUCTURE,
                                         .members = {NEEDS("input", COUNTED)}};
