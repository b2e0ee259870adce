#include "wire/chat/blocks_media.h"

#include "wire/chat/media_formats.h"
#include "wire/formats/json_camel.h"

#define TYPE_SHOWN_BYTES 64

/* The members that blocks of media may have, in all forms of LangChain's and of the vendors. */
static const char *const members[] = {
    "type",     "base64",    "data",          "url",       "text",        "file_id",
    "fileId",   "id",        "mime_type",     "mimeType",  "source_type", "source",
    "index",    "metadata",  "extras",        "name",      "filename",    "title",
    "context",  "citations", "cache_control", "image",     "video",       "audio",
    "document", "file",      "image_url",     "video_url", "input_audio",
};

static enum err refuse_member(const struct medium *medium, const char *member, const char *words)
{
    return piece_refuse(medium->piece, member, ERR_INVALID, words);
}

static enum err begin(struct medium *medium, const struct piece *piece)
{
    *medium = (struct medium){.piece = piece, .block.kind = piece->kind};
    medium->type_path = path_member(piece->path, SLICE("mime_type"));
    enum err err = blocks_check_members(piece, members, COUNT_OF(members));
    return err == OK ? blocks_read_cache(piece, &medium->block.cache) : err;
}

/* --- the media type and what Bedrock calls it --- */

/* LangChain's names, JavaScript's and Anthropic's. */
static enum err read_type(struct medium *medium, const char *path, const struct json *object)
{
    static const char *const names[] = {"mime_type", "mimeType", "media_type", "mediaType"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct json *type = json_member(object, names[i]);
        if (type == NULL || type->kind == JSON_NULL)
            continue;
        medium->type_path = path_member(path, slice_of_text(names[i]));
        return medium_string(medium, medium->type_path.text, type, &medium->type);
    }
    return OK;
}

static enum err refuse_type(const struct medium *medium, struct slice type)
{
    struct reader *reader = medium->piece->reader;
    struct buf formats OWNED_BY(buf_done);
    buf_init(&formats, WHY_MESSAGE_MAX);
    media_add_formats(&formats, medium->block.kind);
    if (type.len == 0)
        return why_set(&reader->why, ERR_INVALID, medium->type_path.text,
                       "missing: the media type, for a format that Bedrock takes (%s)",
                       buf_text(&formats));
    return why_set(&reader->why, ERR_INVALID, medium->type_path.text,
                   "Bedrock has no format of this kind for \"%.*s\"; it takes %s",
                   SLICE_ARG(slice_sub(type, 0, TYPE_SHOWN_BYTES)), buf_text(&formats));
}

static struct slice extension_of(struct slice uri)
{
    size_t at = uri.len;
    while (at > 0 && uri.ptr[at - 1] != '.' && uri.ptr[at - 1] != '/')
        at--;
    return at > 0 && uri.ptr[at - 1] == '.' ? slice_sub(uri, at, SIZE_MAX) : SLICE("");
}

static enum err settle_format(struct medium *medium)
{
    enum block_kind kind = medium->block.kind;
    struct slice type = medium->type, *format = &medium->block.media.format;
    if (type.len > 0) {
        type = slice_trim(slice_sub(type, 0, slice_find(type, ';')));
        *format = media_format(kind, type);
    } else if (medium->block.media.uri.ptr != NULL) {
        *format = media_format_of_extension(kind, extension_of(medium->block.media.uri));
    }
    return format->ptr != NULL ? OK : refuse_type(medium, type);
}

/* --- where the data is --- */

typedef enum err read_data(struct medium *medium, const char *path, const struct json *node);

static enum err refuse_id(struct medium *medium, const char *path, const struct json *node)
{
    struct slice id;
    enum err err = medium_string(medium, path, node, &id);
    if (err == OK && slice_starts(id, SLICE("s3://")))
        return medium_read_url(medium, path, node);
    return err != OK ? err
                     : why_set(&medium->piece->reader->why, ERR_INVALID, path,
                               "Bedrock keeps no files; send the bytes as base64, or name an "
                               "object in S3 (s3://…)");
}

static const struct {
    const char *name;
    read_data *read;
} carriers[] = {
    {"base64", medium_read_base64}, {"data", medium_read_base64},   {"url", medium_read_url},
    {"text", medium_read_text},     {"file_data", medium_read_url}, {"file_id", refuse_id},
    {"fileId", refuse_id},
};

/* The member of `object` that has the data, read as its name or the source's type says. */
static enum err read_carrier(struct medium *medium, const char *path, const struct json *object,
                             const struct json *form)
{
    const struct json *data = json_member(object, "data");
    struct path data_path = path_member(path, SLICE("data"));
    if (json_equal_text(form, "s3Location"))
        return medium_read_s3(medium, data_path.text, data);
    if (json_equal_text(form, "text") && data != NULL)
        return medium_read_text(medium, data_path.text, data);
    if (json_equal_text(form, "id") && json_member(object, "id") != NULL)
        return refuse_id(medium, path_member(path, SLICE("id")).text, json_member(object, "id"));
    for (size_t i = 0; i < COUNT_OF(carriers); i++) {
        const struct json *node = json_member(object, carriers[i].name);
        if (node != NULL && node->kind != JSON_NULL)
            return carriers[i].read(medium, path_member(path, slice_of_text(carriers[i].name)).text,
                                    node);
    }
    return why_set(&medium->piece->reader->why, ERR_INVALID, path,
                   "has no data; give base64 (with mime_type), or a data URL or s3:// URL as url");
}

/* `source` is Anthropic's object {type, media_type, data}, `file` OpenAI's {file_data, filename}.
 */
static enum err read_data_of(struct medium *medium)
{
    static const char *const objects[] = {"source", "file"};
    const struct piece *piece = medium->piece;
    const struct json *object = piece->node, *form = json_member(object, "source_type");
    struct path path = {.text = ""};
    slice_write(slice_of_text(piece->path), path.text, sizeof path.text);
    for (size_t i = 0; i < COUNT_OF(objects); i++) {
        const struct json *inner = json_member(piece->node, objects[i]);
        if (!json_is(inner, JSON_OBJECT))
            continue;
        object = inner;
        form = json_member(inner, "type");
        path = path_member(piece->path, slice_of_text(objects[i]));
        medium->type_path = path_member(path.text, SLICE("media_type"));
    }
    enum err err = read_type(medium, path.text, object);
    return err == OK ? read_carrier(medium, path.text, object, form) : err;
}

/* --- documents --- */

static enum err read_citations(struct medium *medium)
{
    const struct json *citations = json_member(medium->piece->node, "citations");
    const struct json *enabled = json_member(citations, "enabled");
    if (citations == NULL || citations->kind == JSON_NULL)
        return OK;
    if (!json_is(enabled, JSON_TRUE) && !json_is(enabled, JSON_FALSE))
        return refuse_member(medium, "citations", "must be {\"enabled\": true} or false");
    medium->block.cites = enabled->kind == JSON_TRUE ? CITES : CITES_NOT;
    return OK;
}

/* What a document has beside its data. */
static enum err read_document(struct medium *medium)
{
    const struct json *context = json_member(medium->piece->node, "context");
    struct path path = path_member(medium->piece->path, SLICE("context"));
    enum err err = read_citations(medium);
    if (err == OK && context != NULL && context->kind != JSON_NULL)
        err = medium_string(medium, path.text, context, &medium->block.text);
    return err == OK ? medium_read_name(medium) : err;
}

static enum err add(struct medium *medium)
{
    enum err err = settle_format(medium);
    if (err == OK && medium->block.kind == BLOCK_DOCUMENT)
        err = read_document(medium);
    if (err == OK)
        turns_add_block(medium->piece->turns, medium->piece->role, &medium->block);
    return err;
}

/* --- Converse's form --- */

static enum err read_optional(struct medium *medium, const char *path, const struct json *node,
                              struct slice *ret_text)
{
    return json_is(node, JSON_STRING) ? reader_string(medium->piece->reader, path, node, ret_text)
                                      : OK;
}

static const struct json *member_of(const struct json *object, const char *name,
                                    const char *snake_name)
{
    const struct json *member = json_member(object, name);
    return member != NULL ? member : json_member(object, snake_name);
}

/* Fills what the block says, for dialects that have another form for it. */
static enum err read_converse(struct medium *medium, const char *path, const struct json *inner)
{
    const struct json *source = json_member(inner, "source");
    const struct json *bytes = json_member(source, "bytes");
    const struct json *s3 = member_of(source, "s3Location", "s3_location");
    struct path source_path = path_member(path, SLICE("source"));
    struct path bytes_path = path_member(source_path.text, SLICE("bytes"));
    struct block *block = &medium->block;
    enum err err = read_optional(medium, path, json_member(inner, "format"), &block->media.format);
    if (err == OK)
        err = read_optional(medium, path, json_member(inner, "name"), &block->media.name);
    if (err == OK)
        err = read_optional(medium, path, json_member(inner, "context"), &block->text);
    if (err == OK)
        err = read_optional(medium, path, json_member(s3, "uri"), &block->media.uri);
    if (err == OK)
        err = read_optional(medium, path, member_of(s3, "bucketOwner", "bucket_owner"),
                            &block->media.owner);
    if (err == OK && json_is(bytes, JSON_STRING))
        err = medium_read_base64(medium, bytes_path.text, bytes);
    const struct json *enabled = json_member(json_member(inner, "citations"), "enabled");
    if (json_is(enabled, JSON_TRUE))
        block->cites = CITES;
    return err;
}

enum err blocks_add_converse_media(const struct piece *piece, const struct json *inner)
{
    struct medium medium = {
        .piece = piece,
        .block = {.kind = piece->kind, .is_converse = true, .json = piece->node->source}};
    struct path path = path_member(piece->path, inner->name);
    enum err err = read_converse(&medium, path.text, inner);
    if (err == OK)
        turns_add_block(piece->turns, piece->role, &medium.block);
    return err;
}

/* {"type": "image", "image": {…}}: Converse's form inside, as answers print it. */
static enum err add_wrapped(struct medium *medium, const struct json *inner)
{
    const struct piece *piece = medium->piece;
    struct path path = path_member(piece->path, inner->name);
    enum err err = read_converse(medium, path.text, inner);
    if (err == OK && !json_camel(piece->reader->arena, inner->source, &medium->block.json))
        return reader_no_memory(piece->reader);
    if (err == OK)
        turns_add_block(piece->turns, piece->role, &medium->block);
    return err;
}

/* --- the types --- */

enum err blocks_add_media(const struct piece *piece)
{
    struct medium medium;
    const struct json *inner = json_member(piece->node, block_rows[piece->kind].member);
    enum err err = begin(&medium, piece);
    if (err != OK)
        return err;
    if (json_is(inner, JSON_OBJECT))
        return add_wrapped(&medium, inner);
    err = read_data_of(&medium);
    return err == OK ? add(&medium) : err;
}

enum err blocks_check_source(const struct piece *piece)
{
    const struct json *source = json_member(piece->node, "source");
    struct path path = path_member(piece->path, SLICE("source"));
    struct path data_path = path_member(path.text, SLICE("data"));
    struct medium medium = {.piece = piece};
    return json_equal_text(json_member(source, "type"), "base64")
               ? medium_read_base64(&medium, data_path.text, json_member(source, "data"))
               : OK;
}

/* {"type": "image_url", "image_url": "data:…"}, or {"url": "data:…", "detail": …} */
enum err blocks_add_media_url(const struct piece *piece)
{
    const char *name = piece->kind == BLOCK_VIDEO ? "video_url" : "image_url";
    const struct json *url = json_member(piece->node, name);
    struct path path = path_member(piece->path, slice_of_text(name));
    struct medium medium;
    enum err err = begin(&medium, piece);
    if (err == OK && json_is(url, JSON_OBJECT)) {
        url = json_member(url, "url");
        path = path_member(path.text, SLICE("url"));
    }
    if (err == OK)
        err = read_type(&medium, piece->path, piece->node);
    if (err == OK)
        err = medium_read_url(&medium, path.text, url);
    return err == OK ? add(&medium) : err;
}

/* OpenAI's {"type": "input_audio", "input_audio": {"data": …, "format": "wav"}} */
enum err blocks_add_input_audio(const struct piece *piece)
{
    const struct json *audio = json_member(piece->node, "input_audio");
    struct path path = path_member(piece->path, SLICE("input_audio"));
    struct path data_path = path_member(path.text, SLICE("data"));
    struct medium medium;
    struct slice format;
    enum err err = begin(&medium, piece);
    if (err == OK && !json_is(audio, JSON_OBJECT))
        err = refuse_member(&medium, "input_audio", "must be an object with data and format");
    if (err == OK)
        err = medium_read_base64(&medium, data_path.text, json_member(audio, "data"));
    medium.type_path = path_member(path.text, SLICE("format"));
    if (err == OK)
        err = medium_string(&medium, medium.type_path.text, json_member(audio, "format"), &format);
    if (err != OK)
        return err;
    medium.block.media.format = media_format_of_extension(BLOCK_AUDIO, format);
    if (medium.block.media.format.ptr == NULL)
        return refuse_type(&medium, format);
    turns_add_block(piece->turns, piece->role, &medium.block);
    return OK;
}
