#include "wire/bedrock/converse/forms.h"

#include "wire/bedrock/converse/parts.h"
#include "wire/formats/json_snake.h"

#define RENAMED_DEPTH_MAX                                                                          \
    4                       /* citation, location, its kind, its numbers; deeper stays as it came  \
                             */
#define RENAMED_NAME_MAX 64 /* bytes of a name that may be Bedrock's own */
#define CITED_GROWTH_MAX 8

static void open_block(struct form_list *list, struct slice type)
{
    json_add_comma(list->json);
    buf_add_byte(list->json, '{');
    json_add_member(list->json, "type", type);
    list->count++;
}

/* The members of `object` that LangChain's form has no other name for, as they came. */
static void add_others(struct buf *json, const struct json *object, const char *const *except,
                       size_t count)
{
    for (const struct json *member = object->first; member != NULL; member = member->next)
        if (!slice_is_one_of(member->name, except, count))
            json_add_copy(json, member);
}

void form_add_raw(struct form_list *list, const struct json *block)
{
    if (block->kind != JSON_OBJECT || json_member(block, "type") != NULL) {
        open_block(list, SLICE("\"non_standard\""));
        json_add_member(list->json, "value", block->source);
        buf_add_byte(list->json, '}');
        return;
    }
    json_add_comma(list->json);
    buf_add(list->json, block->source);
    list->count++;
}

/* --- texts, reasoning, citations --- */

void form_add_text(struct form_list *list, struct slice json_string)
{
    open_block(list, SLICE("\"text\""));
    json_add_member(list->json, "text", json_string);
    list->text_to = list->json->len;
    list->text_from = list->text_to - json_string.len;
    buf_add_byte(list->json, '}');
}

static bool add_text(struct form_list *list, const struct json *text)
{
    if (text->kind != JSON_STRING)
        return false;
    form_add_text(list, text->source);
    return true;
}

void form_add_reasoning(struct form_list *list, struct slice json_string, struct slice signature)
{
    open_block(list, SLICE("\"reasoning_content\""));
    json_add_name(list->json, "reasoning_content");
    buf_add_byte(list->json, '{');
    json_add_member(list->json, "text", json_string);
    json_add_member(list->json, "signature", signature);
    buf_add_text(list->json, "}}");
}

/* LangChain has a signature always, an empty one where the model does not sign. */
static bool add_reasoning(struct form_list *list, const struct json *reasoning)
{
    static const char *const renamed[] = {"text", "signature"};
    const struct json *said = converse_only_member(reasoning);
    if (said == NULL)
        return false;
    bool is_redacted = slice_equal_text(said->name, "redactedContent");
    const struct json *text = json_member(said, "text");
    const struct json *signature = json_member(said, "signature");
    if (is_redacted
            ? said->kind != JSON_STRING
            : !slice_equal_text(said->name, "reasoningText") || !json_is(text, JSON_STRING) ||
                  (signature != NULL && signature->kind != JSON_STRING))
        return false;
    open_block(list, SLICE("\"reasoning_content\""));
    json_add_name(list->json, "reasoning_content");
    buf_add_byte(list->json, '{');
    if (is_redacted) {
        json_add_member(list->json, "redacted_content", said->source);
    } else {
        json_add_member(list->json, "text", text->source);
        json_add_member(list->json, "signature",
                        signature == NULL ? SLICE("\"\"") : signature->source);
        add_others(list->json, said, renamed, COUNT_OF(renamed));
    }
    buf_add_text(list->json, "}}");
    return true;
}

void form_add_citation(struct buf *json, const struct json *citation)
{
    json_add_snake(json, citation);
}

bool form_has_index(const struct json *citation)
{
    for (const struct json *member = citation->first; member != NULL; member = member->next)
        if (slice_equal_nocase(member->name, SLICE("index")))
            return true;
    return false;
}

/* Nothing but texts. */
static bool are_texts(const struct json *content)
{
    if (!json_is(content, JSON_ARRAY) || content->count == 0)
        return false;
    for (const struct json *part = content->first; part != NULL; part = part->next)
        if (!json_is(part, JSON_OBJECT) || part->count != 1 ||
            !json_is(json_member(part, "text"), JSON_STRING))
            return false;
    return true;
}

bool form_is_citation(const struct json *citation)
{
    const struct json *quotes = json_member(citation, "sourceContent");
    if (citation->kind != JSON_OBJECT)
        return false;
    if (json_is(quotes, JSON_ARRAY))
        for (const struct json *quote = quotes->first; quote != NULL; quote = quote->next) {
            const struct json *text = json_member(quote, "text");
            if (text != NULL && text->kind != JSON_STRING)
                return false;
        }
    return true;
}

static bool are_citations(const struct json *citations)
{
    if (!json_is(citations, JSON_ARRAY))
        return false;
    for (const struct json *citation = citations->first; citation != NULL;
         citation = citation->next)
        if (!form_is_citation(citation))
            return false;
    return true;
}

static void add_citations(struct buf *json, const struct json *citations)
{
    json_add_name(json, "citations");
    buf_add_byte(json, '[');
    for (const struct json *citation = citations->first; citation != NULL;
         citation = citation->next) {
        json_add_comma(json);
        form_add_citation(json, citation);
    }
    buf_add_byte(json, ']');
}

/* Whether each of the texts may have all of the citations, which makes the answer longer. */
static bool are_repeatable(const struct json *content, const struct json *citations)
{
    return content->count <= CITED_GROWTH_MAX ||
           citations->source.len <= CITED_GROWTH_MAX * content->source.len / content->count;
}

/* Every text has the citations; of a great many texts the last one has them. */
static bool add_cited(struct form_list *list, const struct json *cited)
{
    const struct json *content = json_member(cited, "content"),
                      *citations = json_member(cited, "citations");
    if (!are_texts(content) || cited->count != (citations == NULL ? 1 : 2) ||
        (citations != NULL && !are_citations(citations)))
        return false;
    bool has_citations = citations != NULL && citations->count > 0;
    bool is_repeated = has_citations && are_repeatable(content, citations);
    for (const struct json *part = content->first; part != NULL; part = part->next) {
        if (!has_citations || (!is_repeated && part->next != NULL)) {
            form_add_text(list, part->first->source);
            continue;
        }
        open_block(list, SLICE("\"text\""));
        json_add_member(list->json, "text", part->first->source);
        add_citations(list->json, citations);
        buf_add_byte(list->json, '}');
    }
    return true;
}

/* --- media --- */

/* Formats are words: no escapes. */
static struct slice word_of(const struct json *string)
{
    return slice_sub(string->source, 1, string->source.len - 2);
}

void form_add_media_type(struct buf *json, const char *medium, const struct json *format)
{
    json_add_name(json, "media_type");
    buf_addf(json, "\"%s/", medium);
    buf_add(json, word_of(format));
    buf_add_byte(json, '"');
}

bool form_is_source(const struct json *source)
{
    const struct json *where = converse_only_member(source);
    if (where == NULL)
        return false;
    if (slice_equal_text(where->name, "bytes"))
        return where->kind == JSON_STRING;
    return slice_equal_text(where->name, "s3Location") && where->kind == JSON_OBJECT;
}

void form_add_source(struct buf *json, const struct json *source)
{
    const struct json *where = converse_only_member(source);
    bool is_bytes = where->kind == JSON_STRING;
    json_add_member(json, "type", is_bytes ? SLICE("\"base64\"") : SLICE("\"s3Location\""));
    json_add_name(json, "data");
    if (is_bytes)
        buf_add(json, where->source);
    else
        json_add_snake(json, where);
}

static bool add_media(struct form_list *list, const struct json *block)
{
    static const char *const renamed[] = {"format", "source", "type"};
    const struct json *format = json_member(block, "format"),
                      *source = json_member(block, "source");
    if (!json_is(format, JSON_STRING) || !form_is_source(source))
        return false;
    bool is_image = slice_equal_text(block->name, "image");
    open_block(list, is_image ? SLICE("\"image\"") : SLICE("\"video\""));
    json_add_name(list->json, "source");
    buf_add_byte(list->json, '{');
    form_add_media_type(list->json, is_image ? "image" : "video", format);
    form_add_source(list->json, source);
    buf_add_byte(list->json, '}');
    add_others(list->json, block, renamed, COUNT_OF(renamed));
    buf_add_byte(list->json, '}');
    return true;
}

/* Around the block as it came. */
static bool add_document(struct form_list *list, const struct json *document)
{
    if (document->kind != JSON_OBJECT)
        return false;
    open_block(list, SLICE("\"document\""));
    json_add_member(list->json, "document", document->source);
    buf_add_byte(list->json, '}');
    return true;
}

/* --- tools --- */

bool form_is_use(const struct json *use)
{
    return json_is(json_member(use, "name"), JSON_STRING) &&
           json_is(json_member(use, "toolUseId"), JSON_STRING) && json_member(use, "id") == NULL &&
           !json_equal_text(json_member(use, "type"), "text");
}

bool form_is_call(const struct json *use)
{
    const struct json *type = json_member(use, "type");
    return slice_equal_text(use->name, "toolUse") &&
           (!json_is(type, JSON_STRING) || json_equal_text(type, "tool_use"));
}

static bool add_tool_use(struct form_list *list, const struct json *use)
{
    static const char *const renamed[] = {"toolUseId", "name", "input", "type", "id"};
    const struct json *name = json_member(use, "name"), *id = json_member(use, "toolUseId");
    const struct json *input = json_member(use, "input"), *type = json_member(use, "type");
    if (!form_is_use(use))
        return false;
    struct slice shown = SLICE("\"tool_use\"");
    if (!form_is_call(use))
        shown = json_is(type, JSON_STRING) ? type->source : SLICE("\"server_tool_use\"");
    open_block(list, shown);
    json_add_member(list->json, "name", name->source);
    json_add_member(list->json, "input", input == NULL ? SLICE("{}") : input->source);
    json_add_member(list->json, "id", id->source);
    add_others(list->json, use, renamed, COUNT_OF(renamed));
    buf_add_byte(list->json, '}');
    return true;
}

/* What only tool results have. */
static bool add_json(struct form_list *list, const struct json *value)
{
    open_block(list, SLICE("\"json\""));
    json_add_member(list->json, "json", value->source);
    buf_add_byte(list->json, '}');
    return true;
}

struct form {
    const char *member; /* Converse's */
    bool (*add)(struct form_list *list, const struct json *member);
};

/* Of blocks that may stand in a tool's result, too. */
static const struct form part_forms[] = {
    {"text", add_text},   {"json", add_json},         {"image", add_media},
    {"video", add_media}, {"document", add_document},
};

static bool add_by(const struct form *forms, size_t count, struct form_list *list,
                   const struct json *member)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal_text(member->name, forms[i].member))
            return forms[i].add(list, member);
    return false;
}

static void add_parts(struct buf *json, const struct json *content)
{
    struct form_list parts = {.json = json};
    buf_add_byte(json, '[');
    for (const struct json *part = content->first; part != NULL; part = part->next) {
        const struct json *only = converse_only_member(part);
        if (only == NULL || !add_by(part_forms, COUNT_OF(part_forms), &parts, only))
            form_add_raw(&parts, part);
    }
    buf_add_byte(json, ']');
}

/* A result without content has an empty text, where a server's tool gave it an empty list, too. */
static bool add_tool_result(struct form_list *list, const struct json *result)
{
    static const char *const renamed[] = {"toolUseId", "status",      "content",
                                          "type",      "tool_use_id", "is_error"};
    const struct json *id = json_member(result, "toolUseId"),
                      *content = json_member(result, "content");
    bool is_server = slice_equal_text(result->name, "serverToolResult");
    bool is_absent = content == NULL || content->kind == JSON_NULL;
    if (!json_is(id, JSON_STRING) || (!is_absent && content->kind != JSON_ARRAY))
        return false;
    open_block(list, is_server ? SLICE("\"server_tool_result\"") : SLICE("\"tool_result\""));
    json_add_member(list->json, "tool_use_id", id->source);
    json_add_bool_member(list->json, "is_error",
                         json_equal_text(json_member(result, "status"), "error"));
    json_add_name(list->json, "content");
    if (is_absent || (is_server && content->count == 0))
        buf_add_text(list->json, "\"\"");
    else
        add_parts(list->json, content);
    add_others(list->json, result, renamed, COUNT_OF(renamed));
    buf_add_byte(list->json, '}');
    return true;
}

static bool add_guard(struct form_list *list, const struct json *guard)
{
    const struct json *only = converse_only_member(guard);
    const struct json *text = json_member(only, "text");
    if (only == NULL || !slice_equal_text(only->name, "text") || !json_is(text, JSON_STRING))
        return false;
    open_block(list, SLICE("\"guard_content\""));
    json_add_name(list->json, "guard_content");
    buf_add_text(list->json, "{\"type\":\"text\"");
    json_add_member(list->json, "text", text->source);
    buf_add_text(list->json, "}}");
    return true;
}

static const struct form forms[] = {
    {"toolUse", add_tool_use},
    {"reasoningContent", add_reasoning},
    {"citationsContent", add_cited},
    {"toolResult", add_tool_result},
    {"guardContent", add_guard},
    {"serverToolUse", add_tool_use},
    {"serverToolResult", add_tool_result},
};

bool form_add(struct form_list *list, const struct json *block)
{
    const struct json *only = converse_only_member(block);
    return only != NULL && (add_by(part_forms, COUNT_OF(part_forms), list, only) ||
                            add_by(forms, COUNT_OF(forms), list, only));
}
