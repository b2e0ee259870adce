/* The configuration that every AWS program shares: environment variables and the files `config` and
 * `credentials` (AWS SDKs and Tools Reference Guide; where it is silent, botocore). Variables win
 * over files. The struct owns the content of the files, which holds secrets; aws_environment_done
 * overwrites it. */
#ifndef IO_AWS_ENVIRONMENT_H
#define IO_AWS_ENVIRONMENT_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/aws/profiles.h"
#include "wire/bedrock/endpoint.h"

#define AWS_FILE_BYTES_MAX (1024 * 1024)
#define AWS_PROFILE_MAX    256  /* of a profile's name, with its NUL */
#define AWS_PATH_MAX       512  /* of a file's path, with its NUL */
#define AWS_REASON_MAX     1024 /* of an error text, with its NUL */
#define AWS_SOURCE_MAX     864

/* Returns the value of a variable as getenv does; NULL = not set. */
typedef const char *aws_lookup(void *self, const char *name);
/* Looks in the process's environment; ignores `self`. */
const char *aws_lookup_process(void *self, const char *name);

/* One of the shared files. */
struct aws_file {
    char path[AWS_PATH_MAX]; /* "" = unknown, because there is no home */
    struct buf text;
    bool is_there, is_directory; /* a directory counts as a file that is not there */
};

/* Values are NUL-terminated; "" = not set. A source says for people where a value comes from:
 * `AWS_CA_BUNDLE of the environment`, `ca_bundle of profile default in /home/me/.aws/config`. */
struct aws_environment {
    aws_lookup *lookup;
    void *self;
    char profile[AWS_PROFILE_MAX];
    bool is_chosen; /* by the settings: it goes before the keys of the environment */
    struct aws_file config, credentials;
    struct profiles profiles;
    char trouble[AWS_REASON_MAX]; /* a file that exists and cannot be read; "" = none */
    char region[128];
    char endpoint_url[ENDPOINT_URL_MAX + 1];
    char ca_bundle[1024];
    char region_source[AWS_SOURCE_MAX], endpoint_source[AWS_SOURCE_MAX];
    char ca_bundle_source[AWS_SOURCE_MAX];
    bool fips, dual_stack;
};

/* Reads variables and files. `profile` is that of the settings; "" or NULL = AWS_DEFAULT_PROFILE,
 * AWS_PROFILE, or else `default`. ERR_FORMAT: a file or value is invalid. ERR_NOT_FOUND: neither
 * file has the named profile. ERR_NO_MEMORY. On an error ret_reason says what and where, without
 * values. A file that cannot be read is `trouble`: nothing that it might have is found, and only
 * the keys of the environment can be used. Call aws_environment_done in any case. */
MUST_CHECK enum err aws_environment_load(struct aws_environment *environment, aws_lookup *lookup,
                                         void *self, const char *profile,
                                         char ret_reason[AWS_REASON_MAX]);
/* Overwrites and frees the content of the files. */
void aws_environment_done(struct aws_environment *environment);

/* The value of a variable; NULL when it is not set or empty. */
const char *aws_variable(const struct aws_environment *environment, const char *name);
/* A property of a profile, from `credentials` or else from `config`; the null slice: it is missing
 * or empty. Borrows the environment. */
struct slice aws_property(const struct aws_environment *environment, struct slice profile,
                          const char *name);
/* Writes the source of a property of a profile. */
void aws_property_source(const struct aws_environment *environment, struct slice profile,
                         const char *name, char ret_source[AWS_SOURCE_MAX]);
/* The path with values for `$VARIABLE` and `${VARIABLE}`, and the home directory for `~/`, as
 * Python's expandvars and expanduser replace them; a variable that is not set stays. False: it is
 * too long, or there is no home. */
MUST_CHECK bool aws_path(const struct aws_environment *environment, struct slice path,
                         char ret_path[AWS_PATH_MAX]);
/* Finds the URL that variables, `services` or the profile name for a service, whose name has one
 * form in variables and one in files: `BEDROCK_RUNTIME`, `bedrock_runtime`. ERR_NOT_FOUND: there is
 * none; ERR_TOO_LARGE; then ret_url is "". */
MUST_CHECK enum err aws_endpoint(const struct aws_environment *environment,
                                 const char *in_variables, const char *in_files,
                                 char ret_url[ENDPOINT_URL_MAX + 1],
                                 char ret_source[AWS_SOURCE_MAX]);

#endif
