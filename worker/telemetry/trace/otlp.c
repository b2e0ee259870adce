#include "telemetry/trace/otlp.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb-c.h"

/* protoc-c's names, shortened. */
typedef Opentelemetry__Proto__Common__V1__AnyValue any_value;
typedef Opentelemetry__Proto__Common__V1__ArrayValue array_value;
typedef Opentelemetry__Proto__Common__V1__KeyValue key_value;
typedef Opentelemetry__Proto__Common__V1__InstrumentationScope otlp_scope;
typedef Opentelemetry__Proto__Resource__V1__Resource resource;
typedef Opentelemetry__Proto__Trace__V1__Span span_message;
typedef Opentelemetry__Proto__Trace__V1__Span__Link span_link;
typedef Opentelemetry__Proto__Trace__V1__Status status_message;
typedef Opentelemetry__Proto__Trace__V1__ScopeSpans scope_spans;
typedef Opentelemetry__Proto__Trace__V1__ResourceSpans resource_spans;
typedef Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest export_request;
typedef Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceResponse export_response;

#define FLAG_SAMPLED      0x001u
#define FLAG_HAS_REMOTE   0x100u
#define FLAG_IS_REMOTE    0x200u
#define SCOPE_SPANS_FIELD 2 /* the number of ScopeSpans.spans */
#define LENGTH_MAX        10
#define NS_PER_MS         1000000

/* ---- texts ---- */

/* A constant as libprotobuf-c, which never writes to it, wants it. */
static char *constant(const char *text)
{
    union {
        const char *from;
        char *to;
    } same = {.from = text};
    return same.to;
}

/* A copy with a NUL; what is not UTF-8, and a NUL, becomes `?`. NULL: no memory. */
static char *text_of(struct arena *scratch, struct slice text)
{
    char *copy = arena_new(scratch, text.len + 1);
    if (copy == NULL)
        return NULL;
    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    for (size_t i = 0; i < text.len; i++)
        if (copy[i] == '\0')
            copy[i] = '?';
    for (size_t valid = 0; valid < text.len;) {
        valid += utf8_valid_len(slice_of(copy + valid, text.len - valid));
        if (valid < text.len)
            copy[valid++] = '?';
    }
    return copy;
}

/* ---- attributes ---- */

static bool fill_text(struct arena *scratch, struct slice text, any_value *ret_value)
{
    opentelemetry__proto__common__v1__any_value__init(ret_value);
    ret_value->value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE;
    ret_value->string_value = text_of(scratch, text);
    return ret_value->string_value != NULL;
}

/* A list of one text. */
static bool fill_list(struct arena *scratch, struct slice text, any_value *ret_value)
{
    array_value *array = arena_new(scratch, sizeof *array);
    any_value *item = arena_new(scratch, sizeof *item);
    any_value **items = arena_new(scratch, sizeof(any_value *));
    if (array == NULL || item == NULL || items == NULL || !fill_text(scratch, text, item))
        return false;
    items[0] = item;
    opentelemetry__proto__common__v1__array_value__init(array);
    array->n_values = 1;
    array->values = items;
    opentelemetry__proto__common__v1__any_value__init(ret_value);
    ret_value->value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_ARRAY_VALUE;
    ret_value->array_value = array;
    return true;
}

static bool fill_value(struct arena *scratch, const struct span_attribute *attribute,
                       any_value *ret_value)
{
    if (attribute->is_list)
        return fill_list(scratch, attribute->text, ret_value);
    if (attribute->text.ptr != NULL)
        return fill_text(scratch, attribute->text, ret_value);
    opentelemetry__proto__common__v1__any_value__init(ret_value);
    ret_value->value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE;
    ret_value->int_value = attribute->number;
    return true;
}

/* NULL: no memory. */
static key_value **attributes_of(struct arena *scratch, const struct span_attribute *attributes,
                                 size_t count)
{
    key_value **list = arena_new_array(scratch, count + 1, sizeof(key_value *));
    key_value *pairs = arena_new_array(scratch, count + 1, sizeof *pairs);
    any_value *values = arena_new_array(scratch, count + 1, sizeof *values);
    if (list == NULL || pairs == NULL || values == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (!fill_value(scratch, &attributes[i], &values[i]))
            return NULL;
        opentelemetry__proto__common__v1__key_value__init(&pairs[i]);
        pairs[i].key = constant(attributes[i].name);
        pairs[i].value = &values[i];
        list[i] = &pairs[i];
    }
    return list;
}

/* ---- a span ---- */

static ProtobufCBinaryData bytes_of(struct arena *scratch, const uint8_t *bytes, size_t len)
{
    uint8_t *copy = arena_new(scratch, len);
    if (copy == NULL)
        return (ProtobufCBinaryData){0, NULL};
    memcpy(copy, bytes, len);
    return (ProtobufCBinaryData){len, copy};
}

static span_link **links_of(struct arena *scratch, const struct span_context *links, size_t count)
{
    span_link **list = arena_new_array(scratch, count + 1, sizeof(span_link *));
    span_link *each = arena_new_array(scratch, count + 1, sizeof *each);
    if (list == NULL || each == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        opentelemetry__proto__trace__v1__span__link__init(&each[i]);
        each[i].trace_id = bytes_of(scratch, links[i].trace.bytes, sizeof links[i].trace.bytes);
        each[i].span_id = bytes_of(scratch, links[i].span.bytes, sizeof links[i].span.bytes);
        each[i].flags = links[i].is_sampled ? FLAG_SAMPLED : 0;
        list[i] = &each[i];
    }
    return list;
}

static bool fill_status(struct arena *scratch, const struct span *span, span_message *ret_message)
{
    if (span->error.ptr == NULL)
        return true;
    status_message *status = arena_new(scratch, sizeof *status);
    if (status == NULL)
        return false;
    opentelemetry__proto__trace__v1__status__init(status);
    status->code = OPENTELEMETRY__PROTO__TRACE__V1__STATUS__STATUS_CODE__STATUS_CODE_ERROR;
    status->message = text_of(scratch, span->error);
    ret_message->status = status;
    return status->message != NULL;
}

static void fill_place(struct arena *scratch, const struct span *span, span_message *ret_message)
{
    ret_message->trace_id = bytes_of(scratch, span->at.trace.bytes, sizeof span->at.trace.bytes);
    ret_message->span_id = bytes_of(scratch, span->at.span.bytes, sizeof span->at.span.bytes);
    ret_message->flags = FLAG_SAMPLED | FLAG_HAS_REMOTE;
    if (span->is_parent_remote)
        ret_message->flags |= FLAG_IS_REMOTE;
    if (!span_id_is_none(&span->parent))
        ret_message->parent_span_id =
            bytes_of(scratch, span->parent.bytes, sizeof span->parent.bytes);
}

static bool fill_span(struct arena *scratch, const struct span *span, span_message *ret_message)
{
    opentelemetry__proto__trace__v1__span__init(ret_message);
    fill_place(scratch, span, ret_message);
    ret_message->name = text_of(scratch, span->name);
    if (span->state.ptr != NULL)
        ret_message->trace_state = text_of(scratch, span->state);
    ret_message->kind = (Opentelemetry__Proto__Trace__V1__Span__SpanKind)span->kind;
    ret_message->start_time_unix_nano = (uint64_t)span->start_wall_ms * NS_PER_MS;
    ret_message->end_time_unix_nano = (uint64_t)span->end_wall_ms * NS_PER_MS;
    ret_message->n_attributes = span->attribute_count;
    ret_message->attributes = attributes_of(scratch, span->attributes, span->attribute_count);
    ret_message->n_links = span->link_count;
    ret_message->links = links_of(scratch, span->links, span->link_count);
    ret_message->dropped_links_count = (uint32_t)span->links_left;
    return ret_message->trace_id.data != NULL && ret_message->span_id.data != NULL &&
           ret_message->name != NULL && ret_message->trace_state != NULL &&
           ret_message->attributes != NULL && ret_message->links != NULL &&
           fill_status(scratch, span, ret_message);
}

/* A length as protobuf writes it. Returns its bytes. */
static size_t write_length(size_t length, uint8_t ret_bytes[LENGTH_MAX])
{
    size_t count = 0;
    while (length >= 0x80) {
        ret_bytes[count++] = (uint8_t)(length | 0x80);
        length >>= 7;
    }
    ret_bytes[count++] = (uint8_t)length;
    return count;
}

bool otlp_write_span(struct arena *scratch, const struct span *span, struct otlp_span *ret_written)
{
    span_message message;
    uint8_t length[LENGTH_MAX];
    if (!fill_span(scratch, span, &message))
        return false;
    size_t len = opentelemetry__proto__trace__v1__span__get_packed_size(&message);
    size_t length_len = write_length(len, length);
    uint8_t *bytes = memory_new(length_len + len);
    if (bytes == NULL)
        return false;
    memcpy(bytes, length, length_len);
    (void)opentelemetry__proto__trace__v1__span__pack(&message, bytes + length_len);
    *ret_written = (struct otlp_span){bytes, length_len + len};
    return true;
}

/* ---- a request ---- */

/* Embeds written spans as fields that libprotobuf-c does not know: it writes them as they are. */
static ProtobufCMessageUnknownField *embedded(struct arena *scratch, const struct otlp_span *spans,
                                              size_t count)
{
    ProtobufCMessageUnknownField *fields = arena_new_array(scratch, count, sizeof *fields);
    if (fields == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        fields[i] = (ProtobufCMessageUnknownField){
            .tag = SCOPE_SPANS_FIELD,
            .wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
            .len = spans[i].len,
            .data = spans[i].bytes,
        };
    return fields;
}

static void pack_request(const export_request *request, struct buf *ret_body)
{
    size_t len =
        opentelemetry__proto__collector__trace__v1__export_trace_service_request__get_packed_size(
            request);
    char *to = buf_reserve(ret_body, len);
    if (to == NULL)
        return;
    ret_body->len += opentelemetry__proto__collector__trace__v1__export_trace_service_request__pack(
        request, (uint8_t *)to);
}

void otlp_add_request(struct arena *scratch, const struct otlp_resource *resource_of,
                      const struct otlp_span *spans, size_t count, struct buf *ret_body)
{
    otlp_scope scope = OPENTELEMETRY__PROTO__COMMON__V1__INSTRUMENTATION_SCOPE__INIT;
    scope_spans in_scope = OPENTELEMETRY__PROTO__TRACE__V1__SCOPE_SPANS__INIT;
    resource of = OPENTELEMETRY__PROTO__RESOURCE__V1__RESOURCE__INIT;
    resource_spans in_resource = OPENTELEMETRY__PROTO__TRACE__V1__RESOURCE_SPANS__INIT;
    export_request request =
        OPENTELEMETRY__PROTO__COLLECTOR__TRACE__V1__EXPORT_TRACE_SERVICE_REQUEST__INIT;
    scope_spans *scopes[] = {&in_scope};
    resource_spans *resources[] = {&in_resource};
    scope.name = constant("bedrock-worker");
    scope.version = text_of(scratch, resource_of->version);
    in_scope.scope = &scope;
    in_scope.base.n_unknown_fields = (unsigned)count;
    in_scope.base.unknown_fields = embedded(scratch, spans, count);
    of.n_attributes = resource_of->count;
    of.attributes = attributes_of(scratch, resource_of->attributes, resource_of->count);
    in_resource.resource = &of;
    in_resource.n_scope_spans = COUNT_OF(scopes);
    in_resource.scope_spans = scopes;
    request.n_resource_spans = COUNT_OF(resources);
    request.resource_spans = resources;
    if (scope.version == NULL || in_scope.base.unknown_fields == NULL || of.attributes == NULL)
        ret_body->failed = ERR_NO_MEMORY;
    else
        pack_request(&request, ret_body);
}

size_t otlp_rejected(struct slice answer, size_t count)
{
    export_response *response =
        opentelemetry__proto__collector__trace__v1__export_trace_service_response__unpack(
            NULL, answer.len, (const uint8_t *)answer.ptr);
    int64_t rejected = 0;
    if (response != NULL && response->partial_success != NULL)
        rejected = response->partial_success->rejected_spans;
    if (response != NULL)
        opentelemetry__proto__collector__trace__v1__export_trace_service_response__free_unpacked(
            response, NULL);
    if (rejected < 0)
        return 0;
    return (uint64_t)rejected > count ? count : (size_t)rejected;
}
