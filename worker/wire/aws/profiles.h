/* AWS's shared files, `config` and `credentials`, as one set of profiles. The rules are those of
 * botocore (configloader.py and Python's configparser in strict mode), because the AWS CLI and
 * boto3 read the same files; from the "AWS SDKs and Tools Reference Guide" come comments behind
 * values. A file is sections of `name = value` lines (`:` is as good as `=`); names have no case;
 * a line that is indented deeper than its property continues the value, and when the value is empty
 * it is a nested property. A second section or property of one name is an error, as any broken line
 * is. In `config` a profile is `[profile x]` or `[default]`, the later of two spellings replaces
 * the earlier; `[sso-session x]` and `[services x]` are sections of other kinds. In `credentials`
 * each section is a profile. A property of `credentials` goes before the one of `config`, and those
 * of
 * `[DEFAULT]` hold for all sections of their file.
 *
 * Values borrow the text, which the caller keeps until profiles_done; it holds secrets. What the
 * reader copies lies in its arena, which profiles_done wipes. */
#ifndef WIRE_AWS_PROFILES_H
#define WIRE_AWS_PROFILES_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/slice.h"

#define PROFILES_PROPERTIES_MAX 65536 /* of one file, with its sections */

enum profiles_file { PROFILES_CREDENTIALS, PROFILES_CONFIG, PROFILES_FILES };

enum profiles_kind { PROFILES_PROFILE, PROFILES_SSO_SESSION, PROFILES_SERVICES };

struct profiles_entry;

/* One file that was read. */
struct profiles_read {
    struct profiles_entry **table; /* sections and properties by hash; NULL = nothing was read */
    size_t slots;                  /* of the table, a power of two */
    struct profiles_entry *defaults;
};

struct profiles {
    struct arena arena;
    struct profiles_read files[PROFILES_FILES];
};

/* One property that was found. */
struct profiles_value {
    struct slice value; /* "" = an empty one; continued lines are joined by line feeds */
    enum profiles_file file;
    size_t line; /* from 1 */
};

struct profiles_fault {
    size_t line;       /* from 1 */
    const char *words; /* static text without data */
};

/* Makes an empty set. */
void profiles_init(struct profiles *profiles);
/* Reads a file, each at most once. ERR_FORMAT: ret_fault says where and why; ERR_NO_MEMORY. On an
 * error the file counts as empty. */
MUST_CHECK enum err profiles_read(struct profiles *profiles, enum profiles_file file,
                                  struct slice text, struct profiles_fault *ret_fault);
/* Wipes and frees what was read. */
void profiles_done(struct profiles *profiles);

/* Does either file have the section? Sections other than profiles are those of `config`. */
bool profiles_have(const struct profiles *profiles, enum profiles_kind kind, struct slice name);
/* Does this file have the section? */
bool profiles_have_in(const struct profiles *profiles, enum profiles_file file,
                      enum profiles_kind kind, struct slice name);
/* Finds a property (`name` in lower case) of a section, in `credentials` or else in `config`. */
MUST_CHECK bool profiles_find(const struct profiles *profiles, enum profiles_kind kind,
                              struct slice section, const char *name,
                              struct profiles_value *ret_value);
/* As profiles_find, in one of the files. */
MUST_CHECK bool profiles_find_in(const struct profiles *profiles, enum profiles_file file,
                                 enum profiles_kind kind, struct slice section, const char *name,
                                 struct profiles_value *ret_value);
/* Finds a nested property of the property `parent`. */
MUST_CHECK bool profiles_find_nested(const struct profiles *profiles, enum profiles_kind kind,
                                     struct slice section, const char *parent, const char *name,
                                     struct profiles_value *ret_value);

#endif
