/* What the environment says to every program that calls AWS: variables and the shared files
 * `config` and `credentials` (AWS SDKs and Tools Reference Guide). Read once; variables win over
 * files. The texts of the files hold secrets: they are cleared by aws_environment_done. */
#ifndef IO_AWS_ENVIRONMENT_H
#define IO_AWS_ENVIRONMENT_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/bedrock/endpoint.h"
#include "wire/bedrock/profile.h"

#define AWS_FILE_BYTES_MAX  (1024 * 1024)
#define AWS_VALUE_BYTES_MAX 8192
#define AWS_WORDS_MAX       1024
#define AWS_SOURCE_MAX      864

/* As getenv: NULL = not set. */
typedef const char *aws_lookup(void *self, const char *name);
/* The process's own environment; self is not used. */
const char *aws_lookup_process(void *self, const char *name);

struct aws_file {
    char path[512]; /* "" = no home to look in */
    struct buf text;
    bool is_there;
};

/* Values are NUL-terminated; "" = not said. A source is where a value was said, in words:
 * `AWS_CA_BUNDLE of the environment`, `ca_bundle of profile default in /home/me/.aws/config`. */
struct aws_environment {
    aws_lookup *lookup;
    void *self;
    char profile[256];
    bool is_chosen; /* by the settings: its keys go before those of the environment */
    struct aws_file config, credentials;
    char region[128];
    char endpoint_url[ENDPOINT_URL_MAX + 1];
    char ca_bundle[1024];
    char region_source[AWS_SOURCE_MAX], endpoint_source[AWS_SOURCE_MAX];
    char ca_bundle_source[AWS_SOURCE_MAX];
    bool fips, dual_stack;
};

/* profile: of the settings; "" or NULL = AWS_PROFILE, else `default`. ERR_FORMAT: a broken file or
 * value; ERR_NOT_FOUND: a profile is named, but is in neither file; ERR_IO: a file is there, but
 * cannot be read; ERR_NO_MEMORY. ret_words then says which and where (no values). To be done in any
 * case. */
MUST_CHECK enum err aws_environment_load(struct aws_environment *environment, aws_lookup *lookup,
                                         void *self, const char *profile,
                                         char ret_words[AWS_WORDS_MAX]);
void aws_environment_done(struct aws_environment *environment);

/* A variable that is set and not empty, else NULL. */
const char *aws_variable(const struct aws_environment *environment, const char *name);
/* A property of the profile: of `credentials`, else of `config`; appended. ERR_NOT_FOUND = none. */
MUST_CHECK enum err aws_property(const struct aws_environment *environment, const char *name,
                                 struct buf *ret_value);
/* Where such a property is said, in words. */
void aws_property_source(const struct aws_environment *environment, const char *name,
                         char ret_source[AWS_SOURCE_MAX]);

#endif
