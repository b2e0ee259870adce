#include "wire/aws/profiles.h"

#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "wire/aws/words.h"

#define ARENA_BYTES_MAX    ((size_t)32 * 1024 * 1024)
#define CONTINUED_BYTES    ((size_t)1024 * 1024)
#define KIND_HEADING       16 /* an entry that is a section as it stands in the file */
#define KIND_PROPERTY      17
#define SLOTS_PER_LINE_MAX 4

/* A heading, the name of a section (which points to its heading), or a property. */
struct profiles_entry {
    const struct profiles_entry *parent; /* of a property: its section, or the property around it */
    const struct profiles_entry *section; /* of a name: the heading that counts */
    int kind;
    struct slice name;
    struct slice value;
    size_t line;
};

struct reader {
    struct profiles *profiles;
    struct profiles_read *file;
    bool is_config;
    size_t line;
    size_t entries;
    struct profiles_entry *section;  /* NULL = before the first one */
    struct profiles_entry *property; /* NULL = a continuation cannot follow */
    size_t indent;                   /* of the property */
    bool is_nested;                  /* its value is empty: what follows are nested properties */
    struct buf continued;            /* the value with its continuations; empty = it has none */
    const char *fault;
    bool is_out_of_memory;
};

/* ---- the table ---- */

static uint64_t hash_of(const struct profiles_entry *parent, int kind, struct slice name)
{
    return slice_hash(name, (uint64_t)(uintptr_t)parent + (uint64_t)kind);
}

/* The slot of the entry, or the free one where it belongs. */
static struct profiles_entry **slot_of(const struct profiles_read *file,
                                       const struct profiles_entry *parent, int kind,
                                       struct slice name)
{
    size_t at = (size_t)hash_of(parent, kind, name) & (file->slots - 1);
    for (;; at = (at + 1) & (file->slots - 1)) {
        const struct profiles_entry *entry = file->table[at];
        if (entry == NULL ||
            (entry->parent == parent && entry->kind == kind && slice_equal(entry->name, name)))
            return &file->table[at];
    }
}

static bool table_make(struct reader *reader, struct slice text)
{
    size_t lines = 1;
    for (size_t i = 0; i < text.len; i++)
        lines += text.ptr[i] == '\n';
    if (lines > PROFILES_PROPERTIES_MAX)
        lines = PROFILES_PROPERTIES_MAX;
    size_t slots = 16;
    while (slots < SLOTS_PER_LINE_MAX * lines)
        slots *= 2;
    struct profiles_read *file = reader->file;
    file->table = arena_new_array(&reader->profiles->arena, slots, sizeof(struct profiles_entry *));
    file->slots = slots;
    return file->table != NULL;
}

/* Fills a free slot. NULL: out of memory, or over the limit. */
static struct profiles_entry *entry_add(struct reader *reader, struct profiles_entry **slot,
                                        const struct profiles_entry *parent, int kind,
                                        struct slice name)
{
    if (reader->entries == PROFILES_PROPERTIES_MAX) {
        reader->fault = "the file has too many properties";
        return NULL;
    }
    *slot = arena_new(&reader->profiles->arena, sizeof **slot);
    if (*slot == NULL) {
        reader->is_out_of_memory = true;
        return NULL;
    }
    reader->entries++;
    **slot =
        (struct profiles_entry){.parent = parent, .kind = kind, .name = name, .line = reader->line};
    return *slot;
}

static struct slice lowered(struct reader *reader, struct slice name)
{
    struct slice copy = SLICE_NULL;
    if (!arena_copy(&reader->profiles->arena, name, &copy)) {
        reader->is_out_of_memory = true;
        return SLICE_NULL;
    }
    char *bytes = memcpy((char *)(uintptr_t)copy.ptr, name.ptr, name.len);
    for (size_t i = 0; i < copy.len; i++)
        if (bytes[i] >= 'A' && bytes[i] <= 'Z')
            bytes[i] = (char)(bytes[i] - 'A' + 'a');
    return copy;
}

/* ---- headings ---- */

static const struct {
    struct slice word;
    enum profiles_kind kind;
} KINDS[] = {
    {{"profile", 7}, PROFILES_PROFILE},
    {{"sso-session", 11}, PROFILES_SSO_SESSION},
    {{"services", 8}, PROFILES_SERVICES},
};

/* The kind and name of a section of `config`; a null name = it is none that counts. As botocore, it
 * looks only at how the heading begins, and takes the second of exactly two words. */
static struct slice name_in_config(struct reader *reader, struct slice heading,
                                   enum profiles_kind *ret_kind)
{
    struct slice words[2];
    size_t count;
    *ret_kind = PROFILES_PROFILE;
    if (slice_equal(heading, SLICE("default")))
        return heading;
    for (size_t i = 0; i < COUNT_OF(KINDS); i++) {
        if (!slice_starts(heading, KINDS[i].word))
            continue;
        *ret_kind = KINDS[i].kind;
        enum err err = words_split(&reader->profiles->arena, heading, words, 2, &count);
        reader->is_out_of_memory = reader->is_out_of_memory || err == ERR_NO_MEMORY;
        return err == OK && count == 2 ? words[1] : SLICE_NULL;
    }
    return SLICE_NULL;
}

static void name_section(struct reader *reader, struct slice heading)
{
    enum profiles_kind kind = PROFILES_PROFILE;
    struct slice name = reader->is_config ? name_in_config(reader, heading, &kind) : heading;
    if (name.ptr == NULL || reader->is_out_of_memory)
        return;
    struct profiles_entry **slot = slot_of(reader->file, NULL, (int)kind, name);
    struct profiles_entry *entry =
        *slot != NULL ? *slot : entry_add(reader, slot, NULL, (int)kind, name);
    if (entry != NULL)
        entry->section = reader->section;
}

static bool is_comment(char byte)
{
    return byte == '#' || byte == ';';
}

/* The text between the brackets: up to the first ']' that only a comment follows, or else, as in
 * configparser, up to the last one. A null one has none. */
static struct slice heading_of(struct slice line)
{
    size_t end = slice_find(line, ']');
    struct slice rest = slice_trim(slice_sub(line, end + 1, line.len));
    if (end < line.len && rest.len > 0 && !is_comment(rest.ptr[0])) {
        for (size_t i = end; i < line.len; i++)
            end = line.ptr[i] == ']' ? i : end;
    }
    return end == line.len ? SLICE_NULL : slice_trim(slice_sub(line, 1, end - 1));
}

static const char *read_heading(struct reader *reader, struct slice line)
{
    struct slice heading = heading_of(line);
    if (heading.ptr == NULL)
        return "a section must end with ']'";
    if (heading.len == 0)
        return "a section needs a name";
    bool is_defaults = slice_equal(heading, SLICE("DEFAULT"));
    struct profiles_entry **slot = slot_of(reader->file, NULL, KIND_HEADING, heading);
    if (*slot != NULL && !is_defaults)
        return "a second section of this name; put all of its properties in one";
    reader->section = *slot != NULL ? *slot : entry_add(reader, slot, NULL, KIND_HEADING, heading);
    if (reader->section == NULL)
        return reader->fault;
    if (is_defaults)
        reader->file->defaults = reader->section;
    else
        name_section(reader, heading);
    return reader->fault;
}

/* ---- properties ---- */

/* A comment behind a value begins with white space before its sign. A command keeps its signs,
 * because they may be quoted. */
static struct slice without_comment(struct slice name, struct slice text)
{
    if (slice_equal(name, SLICE("credential_process")))
        return slice_trim(text);
    for (size_t i = 1; i < text.len; i++) {
        if (is_comment(text.ptr[i]) && (text.ptr[i - 1] == ' ' || text.ptr[i - 1] == '\t'))
            return slice_trim(slice_sub(text, 0, i));
    }
    return slice_trim(text);
}

static const char *read_property(struct reader *reader, struct slice line)
{
    size_t end = slice_find(line, '='), colon = slice_find(line, ':');
    end = colon < end ? colon : end;
    struct slice name = slice_trim(slice_sub(line, 0, end));
    if (reader->section == NULL)
        return "a property outside of a section";
    if (end == line.len)
        return "expected a '=' in a property";
    if (name.len == 0)
        return "a property without a name";
    name = lowered(reader, name);
    if (name.ptr == NULL)
        return NULL;
    struct profiles_entry **slot = slot_of(reader->file, reader->section, KIND_PROPERTY, name);
    if (*slot != NULL)
        return "a second property of this name in the section; keep one of them";
    struct profiles_entry *entry = entry_add(reader, slot, reader->section, KIND_PROPERTY, name);
    if (entry == NULL)
        return reader->fault;
    /* The blank before the value is kept, so that a comment right behind `=` is seen. */
    entry->value = without_comment(name, slice_sub(line, end + 1, line.len));
    reader->property = entry;
    reader->is_nested = entry->value.len == 0;
    return NULL;
}

static const char *read_nested(struct reader *reader, struct slice line)
{
    size_t equals = slice_find(line, '=');
    struct slice name = slice_trim(slice_sub(line, 0, equals));
    if (equals == line.len)
        return "expected a '=' in an indented property";
    if (name.len == 0)
        return "an indented property without a name";
    name = lowered(reader, name);
    if (name.ptr == NULL)
        return NULL;
    struct profiles_entry **slot = slot_of(reader->file, reader->property, KIND_PROPERTY, name);
    struct profiles_entry *entry = *slot;
    if (entry == NULL)
        entry = entry_add(reader, slot, reader->property, KIND_PROPERTY, name);
    if (entry == NULL)
        return reader->fault;
    entry->value = slice_trim(slice_sub(line, equals + 1, line.len));
    entry->line = reader->line;
    return NULL;
}

static const char *read_continuation(struct reader *reader, struct slice line)
{
    if (reader->is_nested)
        return read_nested(reader, line);
    if (reader->continued.len == 0)
        buf_add(&reader->continued, reader->property->value);
    buf_add_byte(&reader->continued, '\n');
    buf_add(&reader->continued, line);
    return NULL;
}

/* Keeps the continued value of the property that ends here. */
static void end_property(struct reader *reader)
{
    if (reader->property != NULL && reader->continued.len > 0 &&
        !arena_copy(&reader->profiles->arena, buf_slice(&reader->continued),
                    &reader->property->value))
        reader->is_out_of_memory = true;
    if (reader->continued.failed != OK)
        reader->is_out_of_memory = true;
    if (reader->continued.ptr != NULL)
        explicit_bzero(reader->continued.ptr, reader->continued.len);
    buf_reset(&reader->continued);
    reader->property = NULL;
}

/* ---- lines ---- */

static size_t indent_of(struct slice line)
{
    size_t indent = 0;
    while (indent < line.len && (line.ptr[indent] == ' ' || line.ptr[indent] == '\t'))
        indent++;
    return indent;
}

static const char *read_line(struct reader *reader, struct slice line)
{
    struct slice text = slice_trim(line);
    size_t indent = indent_of(line);
    if (text.len == 0 || is_comment(text.ptr[0]))
        return NULL;
    if (reader->property != NULL && indent > reader->indent)
        return read_continuation(reader, text);
    end_property(reader);
    reader->indent = indent;
    if (text.ptr[0] == '[')
        return read_heading(reader, text);
    return read_property(reader, text);
}

static enum err read_lines(struct reader *reader, struct slice text,
                           struct profiles_fault *ret_fault)
{
    size_t valid = utf8_valid_len(text);
    for (size_t at = 0; at < text.len;) {
        struct slice rest = slice_sub(text, at, text.len);
        struct slice line = slice_sub(rest, 0, slice_find(rest, '\n'));
        reader->line++;
        const char *words =
            at + line.len > valid ? "a byte that is not UTF-8" : read_line(reader, line);
        if (reader->is_out_of_memory)
            return ERR_NO_MEMORY;
        if (words != NULL) {
            *ret_fault = (struct profiles_fault){reader->line, words};
            return ERR_FORMAT;
        }
        at += line.len + 1;
    }
    end_property(reader);
    return reader->is_out_of_memory ? ERR_NO_MEMORY : OK;
}

void profiles_init(struct profiles *profiles)
{
    memset(profiles, 0, sizeof *profiles);
    arena_init(&profiles->arena, ARENA_BYTES_MAX);
}

enum err profiles_read(struct profiles *profiles, enum profiles_file file, struct slice text,
                       struct profiles_fault *ret_fault)
{
    struct reader reader = {
        .profiles = profiles, .file = &profiles->files[file], .is_config = file == PROFILES_CONFIG};
    buf_init(&reader.continued, CONTINUED_BYTES);
    enum err err = table_make(&reader, text) ? read_lines(&reader, text, ret_fault) : ERR_NO_MEMORY;
    reader.property = NULL;
    end_property(&reader);
    buf_done(&reader.continued);
    if (err != OK)
        profiles->files[file] = (struct profiles_read){.table = NULL};
    return err;
}

void profiles_done(struct profiles *profiles)
{
    arena_wipe(&profiles->arena);
    arena_done(&profiles->arena);
    memset(profiles->files, 0, sizeof profiles->files);
}

/* ---- answers ---- */

static const struct profiles_entry *section_of(const struct profiles_read *file,
                                               enum profiles_kind kind, struct slice name)
{
    if (file->table == NULL)
        return NULL;
    const struct profiles_entry *entry = *slot_of(file, NULL, (int)kind, name);
    return entry == NULL ? NULL : entry->section;
}

static const struct profiles_entry *
property_of(const struct profiles_read *file, const struct profiles_entry *parent, const char *name)
{
    return *slot_of(file, parent, KIND_PROPERTY, slice_of_text(name));
}

static const struct profiles_entry *find(const struct profiles_read *file, enum profiles_kind kind,
                                         struct slice section, const char *name)
{
    const struct profiles_entry *heading = section_of(file, kind, section);
    if (heading == NULL)
        return NULL;
    const struct profiles_entry *entry = property_of(file, heading, name);
    if (entry == NULL && file->defaults != NULL)
        entry = property_of(file, file->defaults, name);
    return entry;
}

static bool answer(const struct profiles_entry *entry, enum profiles_file file,
                   struct profiles_value *ret_value)
{
    if (entry != NULL)
        *ret_value =
            (struct profiles_value){.value = entry->value, .file = file, .line = entry->line};
    return entry != NULL;
}

bool profiles_have_in(const struct profiles *profiles, enum profiles_file file,
                      enum profiles_kind kind, struct slice name)
{
    return section_of(&profiles->files[file], kind, name) != NULL;
}

bool profiles_have(const struct profiles *profiles, enum profiles_kind kind, struct slice name)
{
    return profiles_have_in(profiles, PROFILES_CONFIG, kind, name) ||
           (kind == PROFILES_PROFILE &&
            profiles_have_in(profiles, PROFILES_CREDENTIALS, kind, name));
}

bool profiles_find_in(const struct profiles *profiles, enum profiles_file file,
                      enum profiles_kind kind, struct slice section, const char *name,
                      struct profiles_value *ret_value)
{
    if (file == PROFILES_CREDENTIALS && kind != PROFILES_PROFILE)
        return false;
    return answer(find(&profiles->files[file], kind, section, name), file, ret_value);
}

bool profiles_find(const struct profiles *profiles, enum profiles_kind kind, struct slice section,
                   const char *name, struct profiles_value *ret_value)
{
    return profiles_find_in(profiles, PROFILES_CREDENTIALS, kind, section, name, ret_value) ||
           profiles_find_in(profiles, PROFILES_CONFIG, kind, section, name, ret_value);
}

bool profiles_find_nested(const struct profiles *profiles, enum profiles_kind kind,
                          struct slice section, const char *parent, const char *name,
                          struct profiles_value *ret_value)
{
    for (enum profiles_file file = 0; file < PROFILES_FILES; file++) {
        if (file == PROFILES_CREDENTIALS && kind != PROFILES_PROFILE)
            continue;
        const struct profiles_read *read = &profiles->files[file];
        const struct profiles_entry *outer = find(read, kind, section, parent);
        if (outer != NULL)
            return answer(property_of(read, outer, name), file, ret_value);
    }
    return false;
}
