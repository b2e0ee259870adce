#include "io/aws/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *aws_lookup_process(void *self, const char *name)
{
    (void)self;
    return getenv(name);
}

const char *aws_variable(const struct aws_environment *environment, const char *name)
{
    const char *value = environment->lookup(environment->self, name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

static void wipe(struct buf *buf)
{
    if (buf->ptr != NULL)
        explicit_bzero(buf->ptr, buf->room);
    buf_done(buf);
}

static bool copy(char *ret_text, size_t room, const char *text)
{
    size_t len = slice_of_text(text).len;
    if (len >= room)
        return false;
    memcpy(ret_text, text, len + 1);
    return true;
}

/* ---- the files ---- */

/* Finds the path of a file: that of the variable, with `~/` for the home, or `<home>/.aws/<name>`.
 * False: it is too long. */
static bool find_path(const struct aws_environment *environment, const char *variable,
                      const char *name, struct aws_file *file)
{
    const char *home = aws_variable(environment, "HOME");
    const char *path = aws_variable(environment, variable);
    int len = 0;
    if (path != NULL && (path[0] != '~' || path[1] != '/'))
        return copy(file->path, sizeof file->path, path);
    if (home == NULL)
        return true;
    if (path != NULL)
        len = snprintf(file->path, sizeof file->path, "%s%s", home, path + 1);
    else
        len = snprintf(file->path, sizeof file->path, "%s/.aws/%s", home, name);
    return len > 0 && (size_t)len < sizeof file->path;
}

/* Reads a file. Reserves its size at once, because a reallocation would leave secrets in freed
 * memory. */
static enum err read_all(int fd, struct buf *text)
{
    struct stat stat;
    if (fstat(fd, &stat) != 0 || S_ISDIR(stat.st_mode) || stat.st_size < 0)
        return ERR_IO;
    for (;;) {
        size_t rest = text->len == 0 ? (size_t)stat.st_size : 0;
        char *room = buf_reserve(text, rest > 4096 ? rest : 4096);
        if (room == NULL)
            return text->failed;
        ssize_t len = read(fd, room, rest > 4096 ? rest : 4096);
        if (len == 0)
            return OK;
        if (len < 0 && errno != EINTR)
            return ERR_IO;
        text->len += len > 0 ? (size_t)len : 0;
    }
}

static enum err read_file(struct aws_file *file, char ret_reason[AWS_REASON_MAX])
{
    if (file->path[0] == '\0')
        return OK;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return OK;
    enum err err = fd < 0 ? ERR_IO : read_all(fd, &file->text);
    if (fd >= 0)
        (void)close(fd);
    file->is_there = err == OK;
    if (err != OK)
        (void)snprintf(ret_reason, AWS_REASON_MAX, "%s: %s", file->path,
                       err == ERR_IO ? "cannot be read" : err_words(err));
    return err;
}

static enum err find_in_file(const struct aws_file *file, const struct profile_question *question,
                             struct buf *ret_value, char ret_reason[AWS_REASON_MAX])
{
    struct profile_fault fault;
    if (!file->is_there)
        return ERR_NOT_FOUND;
    enum err err = profile_ask(buf_slice(&file->text), question, ret_value, &fault);
    if (err == ERR_FORMAT)
        (void)snprintf(ret_reason, AWS_REASON_MAX, "%s:%zu: %s", file->path, fault.line,
                       fault.words);
    else if (err != OK && err != ERR_NOT_FOUND)
        (void)snprintf(ret_reason, AWS_REASON_MAX, "%s: %s", file->path, err_words(err));
    return err;
}

static enum err find_in_profile(const struct aws_environment *environment, struct slice name,
                                struct buf *ret_value, char ret_reason[AWS_REASON_MAX])
{
    struct profile_question question = {
        .file = PROFILE_CREDENTIALS,
        .section = SECTION_PROFILE,
        .section_name = slice_of_text(environment->profile),
        .name = name,
    };
    enum err err = find_in_file(&environment->credentials, &question, ret_value, ret_reason);
    if (err != ERR_NOT_FOUND)
        return err;
    question.file = PROFILE_CONFIG;
    return find_in_file(&environment->config, &question, ret_value, ret_reason);
}

enum err aws_property(const struct aws_environment *environment, const char *name,
                      struct buf *ret_value)
{
    char reason[AWS_REASON_MAX];
    return find_in_profile(environment, slice_of_text(name), ret_value, reason);
}

void aws_property_source(const struct aws_environment *environment, const char *name,
                         char ret_source[AWS_SOURCE_MAX])
{
    struct buf value;
    char reason[AWS_REASON_MAX];
    const struct profile_question question = {
        .file = PROFILE_CREDENTIALS,
        .section = SECTION_PROFILE,
        .section_name = slice_of_text(environment->profile),
        .name = slice_of_text(name),
    };
    buf_init(&value, AWS_VALUE_BYTES_MAX);
    bool is_there = buf_reserve(&value, AWS_VALUE_BYTES_MAX) != NULL &&
                    find_in_file(&environment->credentials, &question, &value, reason) == OK;
    wipe(&value); /* it may be a secret */
    (void)snprintf(ret_source, AWS_SOURCE_MAX, "%s of profile %s in %s", name, environment->profile,
                   is_there ? environment->credentials.path : environment->config.path);
}

/* ---- the values ---- */

/* The first variable of the list that is set, or else the property (NULL = none); an empty value
 * counts as not set. Writes its source to ret_source (AWS_SOURCE_MAX). */
static enum err find_value(const struct aws_environment *environment, const char *const *variables,
                           const char *property, struct buf *ret_value, char *ret_source)
{
    buf_reset(ret_value);
    for (size_t i = 0; variables[i] != NULL; i++) {
        const char *value = aws_variable(environment, variables[i]);
        if (value != NULL) {
            (void)snprintf(ret_source, AWS_SOURCE_MAX, "%s of the environment", variables[i]);
            buf_add_text(ret_value, value);
            return ret_value->failed;
        }
    }
    enum err err =
        property == NULL ? ERR_NOT_FOUND : aws_property(environment, property, ret_value);
    if (err == OK)
        aws_property_source(environment, property, ret_source);
    return err == OK && ret_value->len == 0 ? ERR_NOT_FOUND : err;
}

static enum err find_flag(const struct aws_environment *environment, const char *variable,
                          const char *property, bool *ret_flag)
{
    struct buf value OWNED_BY(buf_done);
    const char *const variables[] = {variable, NULL};
    char source[AWS_SOURCE_MAX];
    buf_init(&value, AWS_VALUE_BYTES_MAX);
    enum err err = find_value(environment, variables, property, &value, source);
    *ret_flag = err == OK && slice_equal_nocase(buf_slice(&value), SLICE("true"));
    return err == ERR_NOT_FOUND ? OK : err;
}

/* The endpoint of the section that `services = name` refers to, which has an indented part for each
 * service. */
static enum err find_service_url(const struct aws_environment *environment, struct buf *ret_value,
                                 char *ret_source)
{
    struct buf name OWNED_BY(buf_done);
    char reason[AWS_REASON_MAX];
    buf_init(&name, AWS_VALUE_BYTES_MAX);
    buf_reset(ret_value);
    enum err err = aws_property(environment, "services", &name);
    if (err != OK)
        return err;
    const struct profile_question question = {
        .file = PROFILE_CONFIG,
        .section = SECTION_SERVICES,
        .section_name = buf_slice(&name),
        .parent = SLICE("bedrock_runtime"),
        .name = SLICE("endpoint_url"),
    };
    (void)snprintf(ret_source, AWS_SOURCE_MAX, "endpoint_url of services %.*s in %s",
                   name.len < sizeof environment->profile ? (int)name.len : 0, name.ptr,
                   environment->config.path);
    return find_in_file(&environment->config, &question, ret_value, reason);
}

/* Variables win over files; in each, the URL of the service wins over the one for all services. */
static enum err find_endpoint(const struct aws_environment *environment, struct buf *ret_value,
                              char *ret_source)
{
    static const char *const VARIABLES[] = {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL",
                                            NULL};
    static const char *const NONE[] = {NULL};
    bool ignored;
    enum err err = find_flag(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
                             "ignore_configured_endpoint_urls", &ignored);
    if (err != OK || ignored)
        return err != OK ? err : ERR_NOT_FOUND;
    err = find_value(environment, VARIABLES, NULL, ret_value, ret_source);
    if (err == ERR_NOT_FOUND)
        err = find_service_url(environment, ret_value, ret_source);
    if (err == ERR_NOT_FOUND || (err == OK && ret_value->len == 0))
        err = find_value(environment, NONE, "endpoint_url", ret_value, ret_source);
    return err;
}

/* Copies a value that was found; leaves the text empty when none was. ERR_TOO_LARGE: it does not
 * fit. */
static enum err keep(enum err found, const struct buf *value, char *ret_text, size_t room)
{
    if (found != OK)
        return found == ERR_NOT_FOUND ? OK : found;
    if (value->len >= room || slice_find(buf_slice(value), '\0') < value->len)
        return ERR_TOO_LARGE;
    memcpy(ret_text, value->ptr, value->len);
    ret_text[value->len] = '\0';
    return OK;
}

static enum err find_values(struct aws_environment *environment, char ret_reason[AWS_REASON_MAX])
{
    static const char *const REGION[] = {"AWS_REGION", "AWS_DEFAULT_REGION", NULL};
    static const char *const CA_BUNDLE[] = {"AWS_CA_BUNDLE", NULL};
    struct buf value OWNED_BY(buf_done);
    buf_init(&value, AWS_VALUE_BYTES_MAX);
    const char *what = "region";
    enum err err =
        keep(find_value(environment, REGION, "region", &value, environment->region_source), &value,
             environment->region, sizeof environment->region);
    if (err == OK) {
        what = "endpoint URL";
        err = keep(find_endpoint(environment, &value, environment->endpoint_source), &value,
                   environment->endpoint_url, sizeof environment->endpoint_url);
    }
    if (err == OK) {
        what = "CA bundle's path";
        err = keep(
            find_value(environment, CA_BUNDLE, "ca_bundle", &value, environment->ca_bundle_source),
            &value, environment->ca_bundle, sizeof environment->ca_bundle);
    }
    if (err == OK) {
        what = "FIPS flag";
        err = find_flag(environment, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint",
                        &environment->fips);
    }
    if (err == OK) {
        what = "dual-stack flag";
        err = find_flag(environment, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint",
                        &environment->dual_stack);
    }
    if (err == OK)
        return OK;
    (void)snprintf(ret_reason, AWS_REASON_MAX, "the %s of the AWS environment is %s", what,
                   err == ERR_TOO_LARGE ? "too long" : err_words(err));
    return err == ERR_TOO_LARGE ? ERR_FORMAT : err;
}

/* Looks for the profile in both files, which also finds what is invalid in them. */
static enum err find_profile(struct aws_environment *environment, bool is_named,
                             char ret_reason[AWS_REASON_MAX])
{
    struct buf none OWNED_BY(buf_done);
    buf_init(&none, AWS_VALUE_BYTES_MAX);
    enum err err = find_in_profile(environment, SLICE_NULL, &none, ret_reason);
    if (err != ERR_NOT_FOUND)
        return err;
    if (!is_named)
        return OK;
    (void)snprintf(ret_reason, AWS_REASON_MAX, "profile %s is neither in %.150s nor in %.150s",
                   environment->profile,
                   environment->credentials.path[0] != '\0' ? environment->credentials.path
                                                            : "a credentials file",
                   environment->config.path[0] != '\0' ? environment->config.path
                                                       : "a config file");
    return ERR_NOT_FOUND;
}

enum err aws_environment_load(struct aws_environment *environment, aws_lookup *lookup, void *self,
                              const char *profile, char ret_reason[AWS_REASON_MAX])
{
    memset(environment, 0, sizeof *environment);
    environment->lookup = lookup;
    environment->self = self;
    buf_init(&environment->config.text, AWS_FILE_BYTES_MAX);
    buf_init(&environment->credentials.text, AWS_FILE_BYTES_MAX);
    ret_reason[0] = '\0';
    environment->is_chosen = profile != NULL && profile[0] != '\0';
    if (!environment->is_chosen)
        profile = aws_variable(environment, "AWS_PROFILE");
    bool is_named = profile != NULL;
    if (!copy(environment->profile, sizeof environment->profile, is_named ? profile : "default") ||
        !find_path(environment, "AWS_CONFIG_FILE", "config", &environment->config) ||
        !find_path(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials",
                   &environment->credentials)) {
        (void)snprintf(ret_reason, AWS_REASON_MAX,
                       "the name of the AWS profile or of its files is too long");
        return ERR_FORMAT;
    }
    enum err err = read_file(&environment->config, ret_reason);
    if (err == OK)
        err = read_file(&environment->credentials, ret_reason);
    if (err == OK)
        err = find_profile(environment, is_named, ret_reason);
    return err == OK ? find_values(environment, ret_reason) : err;
}

void aws_environment_done(struct aws_environment *environment)
{
    wipe(&environment->config.text);
    wipe(&environment->credentials.text);
}
