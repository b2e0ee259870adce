#include "wire/formats/path.h"

#include <stdio.h>

static void add(struct path *path, struct slice text)
{
    size_t len = slice_of_text(path->text).len;
    why_copy(path->text + len, sizeof path->text - len, text);
}

struct path path_member(const char *base, struct slice name)
{
    struct path path = {.text = ""};
    add(&path, slice_of_text(base));
    if (path.text[0] != '\0')
        add(&path, SLICE("."));
    add(&path, name);
    return path;
}

struct path path_element(const char *base, size_t index)
{
    struct path path = {.text = ""};
    char number[24];
    int len = snprintf(number, sizeof number, "[%zu]", index);
    add(&path, slice_of_text(base));
    add(&path, slice_of(number, len > 0 ? (size_t)len : 0));
    return path;
}
