/* AWS's shared files, `config` and `credentials`: sections of properties, after the rules of the
 * "AWS SDKs and Tools Reference Guide". Sections and properties with names that cannot be are
 * ignored, broken lines are errors with their number. Nothing is kept: every question reads the
 * text again. */
#ifndef WIRE_BEDROCK_PROFILE_H
#define WIRE_BEDROCK_PROFILE_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

enum profile_file { PROFILE_CONFIG, PROFILE_CREDENTIALS };

enum profile_section { SECTION_PROFILE, SECTION_SSO_SESSION, SECTION_SERVICES };

/* One property: `parent` is the property whose indented lines are asked for, null = none. Names
 * without case. */
struct profile_question {
    enum profile_file file;
    enum profile_section section; /* in PROFILE_CREDENTIALS only SECTION_PROFILE */
    struct slice section_name;
    struct slice parent;
    struct slice name; /* null: does the section exist? */
};

struct profile_fault {
    size_t line;       /* from 1 */
    const char *words; /* static text without data */
};

/* OK: the value is appended (a continued one with line feeds). ERR_NOT_FOUND; ERR_FORMAT: ret_fault
 * says where and why; ERR_TOO_LARGE, ERR_NO_MEMORY of the buf. Of several the last one counts. */
MUST_CHECK enum err profile_ask(struct slice text, const struct profile_question *question,
                                struct buf *ret_value, struct profile_fault *ret_fault);

#endif
