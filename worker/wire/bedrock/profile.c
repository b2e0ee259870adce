#include "wire/bedrock/profile.h"

/* Where the reader stands. */
struct reader {
    const struct profile_question *question;
    struct buf *value;
    size_t start; /* of the value in the buf: an earlier one is cut off there */
    bool found;
    bool in_section;   /* any, ignored ones too */
    bool is_ours;      /* the section that is asked for */
    bool is_default;   /* `[default]`, which `[profile default]` overrides */
    bool saw_prefixed; /* `[profile default]`: the other does not count */
    bool has_property; /* a continuation may follow */
    bool is_ignored;   /* a property whose name cannot be */
    bool is_wanted;    /* the property that is asked for, or its parent */
    bool has_children; /* its value was empty: indented lines are properties */
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static bool is_comment(char byte)
{
    return byte == '#' || byte == ';';
}

static bool is_name(struct slice name, const char *punctuation)
{
    struct slice others = slice_of_text(punctuation);
    for (size_t i = 0; i < name.len; i++) {
        char byte = name.ptr[i];
        bool plain = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
                     (byte >= '0' && byte <= '9');
        if (!plain && slice_find(others, byte) == others.len)
            return false;
    }
    return name.len > 0;
}

/* `profile foo` → foo when the first word is `prefix`; else null. */
static struct slice after_word(struct slice text, const char *prefix)
{
    struct slice word = slice_of_text(prefix);
    if (!slice_starts(text, word) || text.len == word.len || !is_blank(text.ptr[word.len]))
        return SLICE_NULL;
    return slice_trim(slice_sub(text, word.len, text.len));
}

/* Is the section with this heading the one that is asked for? */
static bool is_asked_for(struct reader *reader, struct slice heading)
{
    static const char *const WORDS[] = {
        [SECTION_PROFILE] = "profile",
        [SECTION_SSO_SESSION] = "sso-session",
        [SECTION_SERVICES] = "services",
    };
    const struct profile_question *question = reader->question;
    struct slice name = heading;
    reader->is_default = false;
    if (question->file == PROFILE_CONFIG) {
        name = after_word(heading, WORDS[question->section]);
        if (question->section == SECTION_PROFILE && slice_equal(heading, SLICE("default"))) {
            name = heading;
            reader->is_default = true;
        }
    }
    return is_name(name, "_-/.%@:+") && slice_equal(name, question->section_name);
}

static void forget(struct reader *reader)
{
    buf_cut(reader->value, reader->start);
    reader->found = false;
}

static const char *read_heading(struct reader *reader, struct slice line)
{
    size_t end = slice_find(line, ']');
    struct slice rest = slice_trim(slice_sub(line, end + 1, line.len));
    if (end == line.len || (rest.len > 0 && !is_comment(rest.ptr[0])))
        return "a section must end with ']'";
    reader->in_section = true;
    reader->has_property = false;
    reader->is_ours = is_asked_for(reader, slice_trim(slice_sub(line, 1, end - 1)));
    if (!reader->is_ours)
        return NULL;
    if (reader->is_default && reader->saw_prefixed) {
        reader->is_ours = false;
        return NULL;
    }
    if (!reader->is_default && !reader->saw_prefixed) {
        reader->saw_prefixed = true;
        forget(reader);
    }
    if (reader->question->name.ptr == NULL)
        reader->found = true;
    return NULL;
}

/* A comment begins with white space before its sign. */
static struct slice without_comment(struct slice text)
{
    for (size_t i = 1; i < text.len; i++) {
        if (is_comment(text.ptr[i]) && is_blank(text.ptr[i - 1]))
            return slice_trim(slice_sub(text, 0, i));
    }
    return slice_trim(text);
}

static void take(struct reader *reader, struct slice value)
{
    buf_cut(reader->value, reader->start);
    buf_add(reader->value, value);
    reader->found = true;
}

static const char *read_property(struct reader *reader, struct slice line)
{
    size_t equals = slice_find(line, '=');
    struct slice name = slice_trim(slice_sub(line, 0, equals));
    /* The blank before the value is kept, so that a comment right behind `=` is seen. */
    struct slice value = without_comment(slice_sub(line, equals + 1, line.len));
    const struct profile_question *question = reader->question;
    if (!reader->in_section)
        return "a property outside of a section";
    if (equals == line.len)
        return "expected a '=' in a property";
    if (name.len == 0)
        return "a property without a name";
    reader->has_property = true;
    reader->is_ignored = !is_name(name, "_-.");
    reader->has_children = value.len == 0;
    bool is_parent = question->parent.ptr != NULL;
    reader->is_wanted = reader->is_ours && !reader->is_ignored && question->name.ptr != NULL &&
                        slice_equal_nocase(name, is_parent ? question->parent : question->name);
    if (!reader->is_wanted)
        return NULL;
    if (is_parent)
        forget(reader);
    else
        take(reader, value);
    return NULL;
}

static const char *read_child(struct reader *reader, struct slice line)
{
    size_t equals = slice_find(line, '=');
    struct slice name = slice_trim(slice_sub(line, 0, equals));
    if (equals == line.len)
        return "expected a '=' in an indented property";
    if (name.len == 0)
        return "an indented property without a name";
    if (reader->is_wanted && reader->question->parent.ptr != NULL &&
        slice_equal_nocase(name, reader->question->name))
        take(reader, slice_trim(slice_sub(line, equals + 1, line.len)));
    return NULL;
}

static const char *read_continuation(struct reader *reader, struct slice line)
{
    line = slice_trim(line);
    if (!reader->in_section)
        return "an indented line outside of a section";
    if (!reader->has_property)
        return "an indented line without a property before it";
    if (reader->is_ignored)
        return NULL;
    if (reader->has_children) {
        const char *fault = read_child(reader, line);
        if (fault != NULL || !reader->is_wanted || reader->question->parent.ptr != NULL)
            return fault;
    }
    if (reader->is_wanted && reader->question->parent.ptr == NULL) {
        buf_add_byte(reader->value, '\n');
        buf_add(reader->value, line);
    }
    return NULL;
}

static const char *read_line(struct reader *reader, struct slice line)
{
    if (slice_trim(line).len == 0 || is_comment(line.ptr[0]))
        return NULL;
    if (line.ptr[0] == '[')
        return read_heading(reader, line);
    return is_blank(line.ptr[0]) ? read_continuation(reader, line) : read_property(reader, line);
}

enum err profile_ask(struct slice text, const struct profile_question *question,
                     struct buf *ret_value, struct profile_fault *ret_fault)
{
    struct reader reader = {.question = question, .value = ret_value, .start = ret_value->len};
    size_t number = 0;
    for (size_t at = 0; at < text.len;) {
        struct slice rest = slice_sub(text, at, text.len);
        struct slice line = slice_sub(rest, 0, slice_find(rest, '\n'));
        at += line.len + 1;
        number++;
        const char *words = read_line(&reader, line);
        if (words != NULL) {
            *ret_fault = (struct profile_fault){number, words};
            buf_cut(ret_value, reader.start);
            return ERR_FORMAT;
        }
    }
    if (ret_value->failed != OK)
        return ret_value->failed;
    return reader.found ? OK : ERR_NOT_FOUND;
}
