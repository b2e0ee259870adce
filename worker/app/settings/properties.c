/* Reads librdkafka properties, and knows which values are secret. */
#include "app/settings/parts.h"

#include <string.h>

#include "base/secrets.h"

#define QUOTE_BYTES 8 /* this many bytes of a secret in a text must be hidden */

bool settings_property_is_secret(struct slice name)
{
    static const char *const PARTS[] = {"password", "secret", "key.pem", "oauthbearer.config",
                                        "jaas"};
    for (size_t i = 0; i < COUNT_OF(PARTS); i++) {
        struct slice part = slice_of_text(PARTS[i]);
        for (size_t at = 0; at + part.len <= name.len; at++) {
            if (slice_equal_nocase(slice_sub(name, at, part.len), part))
                return true;
        }
    }
    return false;
}

/* The length of the part of the value that stands there; 0 = too short to hide. */
static size_t quoted_len(struct slice text, size_t at, struct slice value)
{
    size_t len = 0;
    while (len < value.len && at + len < text.len && text.ptr[at + len] == value.ptr[len])
        len++;
    bool is_clipped = at + len == text.len && len > 0;
    return len == value.len || len >= QUOTE_BYTES || is_clipped ? len : 0;
}

void settings_add_hidden(struct buf *buf, struct slice text, struct slice value)
{
    size_t at = 0;
    while (at < text.len) {
        size_t len = quoted_len(text, at, value);
        if (len > 0)
            buf_add_text(buf, "***");
        else
            buf_add_byte(buf, text.ptr[at]);
        at += len > 0 ? len : 1;
    }
}

static void check_property(struct settings_reader *reader, const struct kafka_property *property,
                           const struct document_node *node, struct slice path)
{
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, KAFKA_ERROR_MAX);
    enum err err = kafka_conf_check(property->name, property->value, &text);
    bool may_be_secret =
        settings_property_is_secret(property->name) || !slice_equal(node->text, property->value);
    if (err == ERR_NOT_ALLOWED)
        problems_add(reader->problems, node->place, path, "is rejected: %s; remove it",
                     buf_text(&text));
    else if (err != OK) {
        struct buf shown OWNED_BY(buf_done);
        buf_init(&shown, 4 * KAFKA_ERROR_MAX);
        settings_add_hidden(&shown, buf_slice(&text), may_be_secret ? property->value : SLICE_NULL);
        problems_add(reader->problems, node->place, path, "librdkafka rejects it: %s",
                     buf_text(&shown));
    }
}

void settings_take_properties(struct settings_reader *reader, const struct setting_row *row,
                              const struct document_node *node,
                              struct setting_properties *ret_value)
{
    struct arena *arena = &reader->settings->arena;
    struct kafka_property *list = arena_new_array(arena, node->count, sizeof *list);
    struct place *places = arena_new_array(arena, node->count, sizeof *places);
    size_t count = 0;
    if (list == NULL || places == NULL) {
        problems_add(reader->problems, node->place, slice_of_text(row->path), "out of memory");
        return;
    }
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct slice path =
            document_path(&reader->settings->arena, slice_of_text(row->path), item->key);
        if (!settings_may_take(reader, node, item, path) ||
            !settings_take_text(reader, item, path, &list[count].value))
            continue;
        list[count].name = item->key;
        places[count] = item->place;
        if (settings_property_is_secret(item->key)) {
            secrets_learn(list[count].value, true);
            settings_reject_shown(reader, item, path, list[count].value);
        }
        check_property(reader, &list[count], item, path);
        count++;
    }
    *ret_value = (struct setting_properties){{list, count}, places};
}

void settings_forget_secrets(struct settings *settings)
{
    struct kafka_properties *all[] = {&settings->kafka_client.set, &settings->kafka_consumer.set,
                                      &settings->kafka_producer.set};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        for (size_t j = 0; j < all[i]->count; j++) {
            struct slice value = all[i]->list[j].value;
            if (!settings_property_is_secret(all[i]->list[j].name) || value.len == 0)
                continue;
            /* The arena has the only copy. */
            union {
                const char *read;
                char *write;
            } bytes = {.read = value.ptr};
            explicit_bzero(bytes.write, value.len);
        }
    }
}
