/* The blocks of an answer in the form that LangChain's messages have (langchain-aws 1.9.1,
 * _bedrock_to_lc): `{"image":{"format":"png",…}}` becomes `{"type":"image","source":{…}}`. A block
 * that has no such form, or odd members, has none here: its owner keeps it as it came. What a tool,
 * a document or a user says is copied byte for byte; only Bedrock's own names are LangChain's.
 * Private to this folder. Writes into the caller's buf, whose failure sticks. */
#ifndef WIRE_BEDROCK_CONVERSE_FORMS_H
#define WIRE_BEDROCK_CONVERSE_FORMS_H

#include "wire/formats/json.h"

/* An array of blocks while it grows; the brackets are the owner's. */
struct form_list {
    struct buf *json;
    size_t count;
    /* Where in `json` the last text without citations stands, as a JSON string; empty = none. */
    size_t text_from, text_to;
};

/* The form of a block, which is an object with one member. false = none, and nothing was added. */
MUST_CHECK bool form_add(struct form_list *list, const struct json *block);
/* As it came. LangChain takes objects only and reads their `type`: a value of another kind, or with
 * a type that is not LangChain's, is wrapped as `non_standard`. */
void form_add_raw(struct form_list *list, const struct json *block);
void form_add_text(struct form_list *list, struct slice json_string);
/* `{"type":"reasoning_content",…}` around a text. */
void form_add_reasoning(struct form_list *list, struct slice json_string, struct slice signature);

/* A tool use that has a form: name and id are texts, and its type is none that LangChain reads as
 * something else. */
bool form_is_use(const struct json *use);
/* A tool use that the client has to answer; Bedrock runs the others itself. */
bool form_is_call(const struct json *use);
/* One that LangChain can read: an object, its quotes are texts. */
bool form_is_citation(const struct json *citation);
/* With the names of its members in snake case: `sourceContent` → `source_content`. */
void form_add_citation(struct buf *json, const struct json *citation);
/* A citation that LangChain would merge with others in a stream. */
bool form_has_index(const struct json *citation);
/* `"media_type":"image/png"` for the format png. */
void form_add_media_type(struct buf *json, const char *medium, const struct json *format);
/* What is in a source of bytes or of S3, as members: `"type":"base64","data":…`. */
bool form_is_source(const struct json *source);
void form_add_source(struct buf *json, const struct json *source);

#endif
