/* The configuration that every AWS program shares: environment variables and the files `config` and
 * `credentials` (AWS SDKs and Tools Reference Guide). Variables win over files. The struct owns the
 * content of the files, which holds secrets; aws_environment_done overwrites it. */
#ifndef IO_AWS_ENVIRONMENT_H
#define IO_AWS_ENVIRONMENT_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/bedrock/endpoint.h"
#include "wire/bedrock/profile.h"

#define AWS_FILE_BYTES_MAX  (1024 * 1024)
#define AWS_VALUE_BYTES_MAX 8192
#define AWS_REASON_MAX      1024 /* of an error text, with its NUL */
#define AWS_SOURCE_MAX      864

/* Returns the value of a variable as getenv does; NULL = not set. */
typedef const char *aws_lookup(void *self, const char *name);
/* Looks in the process's environment; ignores `self`. */
const char *aws_lookup_process(void *self, const char *name);

/* One of the shared files. */
struct aws_file {
    char path[512]; /* "" = unknown, because HOME is not set */
    struct buf text;
    bool is_there;
};

/* Values are NUL-terminated; "" = not set. A source says for people where a value comes from:
 * `AWS_CA_BUNDLE of the environment`, `ca_bundle of profile default in /home/me/.aws/config`. */
struct aws_environment {
    aws_lookup *lookup;
    void *self;
    char profile[256];
    bool is_chosen; /* by the settings; its keys then win over those of the environment */
    struct aws_file config, credentials;
    char region[128];
    char endpoint_url[ENDPOINT_URL_MAX + 1];
    char ca_bundle[1024];
    char region_source[AWS_SOURCE_MAX], endpoint_source[AWS_SOURCE_MAX];
    char ca_bundle_source[AWS_SOURCE_MAX];
    bool fips, dual_stack;
};

/* Reads variables and files. `profile` is that of the settings; "" or NULL = AWS_PROFILE, or else
 * `default`. ERR_FORMAT: a file or value is invalid. ERR_NOT_FOUND: neither file has the named
 * profile. ERR_IO: a file exists but cannot be read. ERR_NO_MEMORY. On an error ret_reason says
 * what and where, without values. Call aws_environment_done in any case. */
MUST_CHECK enum err aws_environment_load(struct aws_environment *environment, aws_lookup *lookup,
                                         void *self, const char *profile,
                                         char ret_reason[AWS_REASON_MAX]);
/* Overwrites and frees the content of the files. */
void aws_environment_done(struct aws_environment *environment);

/* The value of a variable; NULL when it is not set or empty. */
const char *aws_variable(const struct aws_environment *environment, const char *name);
/* Appends a property of the profile, from `credentials` or else from `config`. ERR_NOT_FOUND:
 * neither has it. ERR_FORMAT, ERR_TOO_LARGE, ERR_NO_MEMORY. */
MUST_CHECK enum err aws_property(const struct aws_environment *environment, const char *name,
                                 struct buf *ret_value);
/* Writes the source of a property of the profile. */
void aws_property_source(const struct aws_environment *environment, const char *name,
                         char ret_source[AWS_SOURCE_MAX]);

#endif
