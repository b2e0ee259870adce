/* XML as AWS's query services answer it (XML 1.0, UTF-8): elements, texts, and attributes that are
 * skipped. The reader is strict and small on purpose: no DOCTYPE and so no entities but the five of
 * XML and character references, no CDATA, no processing instruction but the declaration; each text
 * counts as often as it stands there, so nothing can grow. Elements that hold elements have no text
 * of their own. */
#ifndef WIRE_FORMATS_XML_H
#define WIRE_FORMATS_XML_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/slice.h"

#define XML_DEPTH_MAX    16
#define XML_ELEMENTS_MAX 512
#define XML_PATH_MAX     512 /* bytes of the names on the way to an element */

/* An element without elements in it. */
struct xml_leaf {
    const struct xml_leaf *next; /* in the order of the text */
    struct slice path;           /* names from the root: `A/B/C` */
    struct slice text;           /* decoded */
};

/* Reads the whole text. ERR_FORMAT: *ret_why says what is wrong, static text without data;
 * ERR_NO_MEMORY. What is read lies in the arena. */
MUST_CHECK enum err xml_parse(struct arena *arena, struct slice text,
                              const struct xml_leaf **ret_first, const char **ret_why);

/* The text of the first leaf with this path; the null slice = there is none. */
struct slice xml_text(const struct xml_leaf *first, const char *path);

#endif
