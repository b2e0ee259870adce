/* The headers of a call: what Converse has in its body stands in them, because the body is the
 * vendor's. Source: AWS's service model of Bedrock Runtime, InvokeModel and
 * InvokeModelWithResponseStream; ChatBedrock for the form of the metadata, which is that of
 * Python's json.dumps. */
#include "base/check.h"
#include "wire/bedrock/invoke/parts.h"

static void add(struct call_headers *headers, const char *name, struct slice value)
{
    if (value.len == 0)
        return;
    CHECK(headers->count < COUNT_OF(headers->list));
    headers->list[headers->count++] = (struct call_header){name, value};
}

/* --- a guardrail's trace --- */

static struct slice trace_of(struct slice trace)
{
    static const struct {
        const char *converse, *invoke;
    } rows[] = {{"enabled", "ENABLED"}, {"disabled", "DISABLED"}, {"enabled_full", "ENABLED_FULL"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (slice_equal_text(trace, rows[i].converse))
            return slice_of_text(rows[i].invoke);
    return trace;
}

/* --- request metadata, in ASCII --- */

/* The code point at *at of valid UTF-8; moves *at behind it. */
static unsigned next_code(struct slice text, size_t *at)
{
    unsigned char byte = (unsigned char)text.ptr[(*at)++];
    int more = byte < 0x80 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    unsigned code = more == 0 ? byte : byte & (0x3fU >> more);
    for (; more > 0 && *at < text.len; more--)
        code = code << 6 | ((unsigned char)text.ptr[(*at)++] & 0x3fU);
    return code;
}

static void add_code(struct buf *buf, unsigned code)
{
    static const char NAMED[] = "\"\\\b\f\n\r\t", LETTERS[] = "\"\\bfnrt";
    for (size_t i = 0; i < COUNT_OF(NAMED) - 1; i++) {
        if (code == (unsigned char)NAMED[i]) {
            buf_addf(buf, "\\%c", LETTERS[i]);
            return;
        }
    }
    if (code >= 0x20 && code < 0x7f)
        buf_add_byte(buf, (char)code);
    else if (code < 0x10000)
        buf_addf(buf, "\\u%04x", code);
    else
        buf_addf(buf, "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10),
                 0xdc00 + ((code - 0x10000) & 0x3ff));
}

static void add_ascii(struct buf *buf, struct slice text)
{
    buf_add_byte(buf, '"');
    for (size_t at = 0; at < text.len && buf->failed == OK;)
        add_code(buf, next_code(text, &at));
    buf_add_byte(buf, '"');
}

/* An object of texts. ERR_NO_MEMORY, ERR_TOO_LARGE. */
static enum err add_metadata(struct buf *buf, struct slice metadata)
{
    struct arena scratch OWNED_BY(arena_done);
    const struct json *root;
    struct slice text;
    arena_init(&scratch, DIALECT_SCRATCH_BYTES(metadata.len));
    enum err err = json_parse(&scratch, metadata, &root, NULL);
    if (err != OK)
        return err;
    buf_add_byte(buf, '{');
    for (const struct json *member = root->first; member != NULL; member = member->next) {
        if (!json_string(&scratch, member, &text))
            return ERR_NO_MEMORY;
        buf_add_text(buf, member == root->first ? "" : ", ");
        add_ascii(buf, member->name);
        buf_add_text(buf, ": ");
        add_ascii(buf, text);
    }
    buf_add_byte(buf, '}');
    return buf->failed;
}

/* --- all of them --- */

enum err invoke_add_headers(const struct dialect *dialect, const struct request *request,
                            bool stream, struct call_headers *ret_headers)
{
    const struct guardrail *guardrail = &request->guardrail;
    (void)dialect;
    add(ret_headers, stream ? "X-Amzn-Bedrock-Accept" : "Accept", SLICE("application/json"));
    add(ret_headers, "X-Amzn-Bedrock-GuardrailIdentifier", guardrail->identifier);
    add(ret_headers, "X-Amzn-Bedrock-GuardrailVersion", guardrail->version);
    add(ret_headers, "X-Amzn-Bedrock-Trace", trace_of(guardrail->trace));
    add(ret_headers, "X-Amzn-Bedrock-PerformanceConfig-Latency", request->performance_latency);
    add(ret_headers, "X-Amzn-Bedrock-Service-Tier", request->service_tier);
    if (request->request_metadata.ptr == NULL)
        return OK;
    ret_headers->text.limit = INVOKE_METADATA_BYTES_MAX;
    enum err err = add_metadata(&ret_headers->text, request->request_metadata);
    add(ret_headers, "X-Amzn-Bedrock-Request-Metadata", buf_slice(&ret_headers->text));
    return err;
}
