#include "io/aws/environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/aws/file.h"

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

static bool copy(char *ret_text, size_t room, const char *text)
{
    size_t len = slice_of_text(text).len;
    if (len >= room)
        return false;
    memcpy(ret_text, text, len + 1);
    return true;
}

/* ---- the files ---- */

static bool is_name(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_';
}

/* Reads `$NAME` or `${NAME}` at the beginning; returns its length, 0 = there is none. */
static size_t read_reference(struct slice text, struct slice *ret_name)
{
    bool is_braced = text.len > 1 && text.ptr[1] == '{';
    size_t start = is_braced ? 2 : 1, end = start;
    while (end < text.len && is_name(text.ptr[end]))
        end++;
    *ret_name = slice_sub(text, start, end - start);
    if (text.len == 0 || text.ptr[0] != '$' || ret_name->len == 0)
        return 0;
    if (!is_braced)
        return end;
    return end < text.len && text.ptr[end] == '}' ? end + 1 : 0;
}

/* Appends the path with the values of its variables. */
static void add_path(const struct aws_environment *environment, struct slice path,
                     struct buf *ret_path)
{
    while (path.len > 0) {
        char name[128];
        struct slice found;
        size_t len = read_reference(path, &found);
        const char *value = NULL;
        if (len > 0 && found.len < sizeof name) {
            slice_write(found, name, sizeof name);
            value = environment->lookup(environment->self, name);
        }
        if (value != NULL)
            buf_add_text(ret_path, value);
        else
            buf_add(ret_path, slice_sub(path, 0, len > 0 ? len : 1));
        path = slice_sub(path, len > 0 ? len : 1, path.len);
    }
}

bool aws_path(const struct aws_environment *environment, struct slice path,
              char ret_path[AWS_PATH_MAX])
{
    struct buf whole OWNED_BY(buf_done);
    buf_init(&whole, AWS_PATH_MAX - 1);
    add_path(environment, path, &whole);
    struct slice expanded = buf_slice(&whole);
    const char *home = "";
    bool is_in_home = slice_starts(expanded, SLICE("~/"));
    if (is_in_home && (home = aws_variable(environment, "HOME")) == NULL)
        return false;
    int len = snprintf(ret_path, AWS_PATH_MAX, "%s%.*s", home,
                       SLICE_ARG(slice_sub(expanded, is_in_home ? 1 : 0, expanded.len)));
    return whole.failed == OK && len > 0 && len < AWS_PATH_MAX &&
           slice_find(expanded, '\0') == expanded.len;
}

/* Finds the path of a file: that of the variable, or `<home>/.aws/<name>`. False: it is too long.
 */
static bool find_path(const struct aws_environment *environment, const char *variable,
                      const char *name, struct aws_file *file)
{
    char usual[32];
    const char *path = aws_variable(environment, variable);
    (void)snprintf(usual, sizeof usual, "~/.aws/%s", name);
    bool needs_home = path == NULL || strncmp(path, "~/", 2) == 0;
    if (needs_home && aws_variable(environment, "HOME") == NULL)
        return true;
    return aws_path(environment, slice_of_text(path != NULL ? path : usual), file->path);
}

/* Reads a file into the profiles. A file that is not there is empty; one that cannot be read is
 * trouble. */
static enum err read_file(struct aws_environment *environment, enum profiles_file which,
                          char ret_reason[AWS_REASON_MAX])
{
    struct aws_file *file =
        which == PROFILES_CONFIG ? &environment->config : &environment->credentials;
    struct profiles_fault fault;
    const char *cause;
    if (file->path[0] == '\0')
        return OK;
    enum err err = file_read(file->path, &file->text, &cause);
    file->is_there = err == OK;
    file->is_directory = err == ERR_IO && cause == FILE_IS_DIRECTORY;
    if (file->is_directory)
        return OK;
    if (err == ERR_NO_MEMORY)
        (void)snprintf(ret_reason, AWS_REASON_MAX, "%s: %s", file->path, err_words(err));
    else if (err == ERR_IO || err == ERR_TOO_LARGE)
        (void)snprintf(environment->trouble, AWS_REASON_MAX, "%s cannot be read: %s", file->path,
                       err == ERR_IO ? cause : "it is over 1 MiB");
    if (err != OK)
        return err == ERR_NO_MEMORY ? err : OK;
    err = profiles_read(&environment->profiles, which, buf_slice(&file->text), &fault);
    if (err == ERR_FORMAT)
        (void)snprintf(ret_reason, AWS_REASON_MAX, "%s:%zu: %s", file->path, fault.line,
                       fault.words);
    else if (err != OK)
        (void)snprintf(ret_reason, AWS_REASON_MAX, "%s: %s", file->path, err_words(err));
    return err;
}

struct slice aws_property(const struct aws_environment *environment, struct slice profile,
                          const char *name)
{
    struct profiles_value found;
    bool is_there = profiles_find(&environment->profiles, PROFILES_PROFILE, profile, name, &found);
    return is_there && found.value.len > 0 ? found.value : SLICE_NULL;
}

void aws_property_source(const struct aws_environment *environment, struct slice profile,
                         const char *name, char ret_source[AWS_SOURCE_MAX])
{
    struct profiles_value found;
    bool is_first = profiles_find_in(&environment->profiles, PROFILES_CREDENTIALS, PROFILES_PROFILE,
                                     profile, name, &found);
    (void)snprintf(ret_source, AWS_SOURCE_MAX, "%s of profile %.*s in %s", name, SLICE_ARG(profile),
                   is_first ? environment->credentials.path : environment->config.path);
}

/* ---- the values ---- */

/* The first variable of the list that is set, or else the property (NULL = none) of the profile; an
 * empty value counts as not set. Writes its source. The null slice: there is none. */
static struct slice find_value(const struct aws_environment *environment,
                               const char *const *variables, const char *property,
                               char ret_source[AWS_SOURCE_MAX])
{
    for (size_t i = 0; variables[i] != NULL; i++) {
        const char *value = aws_variable(environment, variables[i]);
        if (value != NULL) {
            (void)snprintf(ret_source, AWS_SOURCE_MAX, "%s of the environment", variables[i]);
            return slice_of_text(value);
        }
    }
    struct slice profile = slice_of_text(environment->profile);
    struct slice value =
        property == NULL ? SLICE_NULL : aws_property(environment, profile, property);
    if (value.ptr != NULL)
        aws_property_source(environment, profile, property, ret_source);
    return value;
}

static bool find_flag(const struct aws_environment *environment, const char *variable,
                      const char *property)
{
    const char *const variables[] = {variable, NULL};
    char source[AWS_SOURCE_MAX];
    return slice_equal_nocase(find_value(environment, variables, property, source), SLICE("true"));
}

/* The endpoint in the section that `services = name` refers to, which has an indented part for each
 * service. */
static struct slice find_service_url(const struct aws_environment *environment,
                                     const char *in_files, char ret_source[AWS_SOURCE_MAX])
{
    struct profiles_value found;
    struct slice name = aws_property(environment, slice_of_text(environment->profile), "services");
    if (name.ptr == NULL || !profiles_find_nested(&environment->profiles, PROFILES_SERVICES, name,
                                                  in_files, "endpoint_url", &found))
        return SLICE_NULL;
    (void)snprintf(ret_source, AWS_SOURCE_MAX, "endpoint_url of services %.*s in %s",
                   SLICE_ARG(slice_sub(name, 0, AWS_PROFILE_MAX)), environment->config.path);
    return found.value.len > 0 ? found.value : SLICE_NULL;
}

/* Copies a value; "" when there is none. False: it does not fit. */
static bool keep(struct slice value, char *ret_text, size_t room)
{
    ret_text[0] = '\0';
    if (value.ptr == NULL)
        return true;
    if (value.len >= room || slice_find(value, '\0') < value.len)
        return false;
    memcpy(ret_text, value.ptr, value.len);
    ret_text[value.len] = '\0';
    return true;
}

enum err aws_endpoint(const struct aws_environment *environment, const char *in_variables,
                      const char *in_files, char ret_url[ENDPOINT_URL_MAX + 1],
                      char ret_source[AWS_SOURCE_MAX])
{
    char variable[64];
    const char *const variables[] = {variable, "AWS_ENDPOINT_URL", NULL};
    static const char *const NONE[] = {NULL};
    (void)snprintf(variable, sizeof variable, "AWS_ENDPOINT_URL_%s", in_variables);
    ret_url[0] = '\0';
    if (find_flag(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
                  "ignore_configured_endpoint_urls"))
        return ERR_NOT_FOUND;
    struct slice url = find_value(environment, variables, NULL, ret_source);
    if (url.ptr == NULL)
        url = find_service_url(environment, in_files, ret_source);
    if (url.ptr == NULL)
        url = find_value(environment, NONE, "endpoint_url", ret_source);
    if (url.ptr == NULL)
        return ERR_NOT_FOUND;
    return keep(url, ret_url, ENDPOINT_URL_MAX + 1) ? OK : ERR_TOO_LARGE;
}

/* The name of a value that is too long; NULL = none is. */
static const char *find_values(struct aws_environment *environment)
{
    static const char *const REGION[] = {"AWS_REGION", "AWS_DEFAULT_REGION", NULL};
    static const char *const CA_BUNDLE[] = {"AWS_CA_BUNDLE", NULL};
    environment->fips = find_flag(environment, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
    environment->dual_stack =
        find_flag(environment, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");
    if (!keep(find_value(environment, REGION, "region", environment->region_source),
              environment->region, sizeof environment->region))
        return "region";
    if (!keep(find_value(environment, CA_BUNDLE, "ca_bundle", environment->ca_bundle_source),
              environment->ca_bundle, sizeof environment->ca_bundle))
        return "CA bundle's path";
    return aws_endpoint(environment, "BEDROCK_RUNTIME", "bedrock_runtime",
                        environment->endpoint_url, environment->endpoint_source) == ERR_TOO_LARGE
               ? "endpoint URL"
               : NULL;
}

/* A profile that is named must be in one of the files. */
static enum err find_profile(const struct aws_environment *environment, bool is_named,
                             char ret_reason[AWS_REASON_MAX])
{
    struct slice name = slice_of_text(environment->profile);
    if (!is_named || profiles_have(&environment->profiles, PROFILES_PROFILE, name))
        return OK;
    if (environment->trouble[0] != '\0')
        (void)snprintf(ret_reason, AWS_REASON_MAX, "%s", environment->trouble);
    else
        (void)snprintf(ret_reason, AWS_REASON_MAX, "profile %s is neither in %.150s nor in %.150s",
                       environment->profile,
                       environment->credentials.path[0] != '\0' ? environment->credentials.path
                                                                : "a credentials file",
                       environment->config.path[0] != '\0' ? environment->config.path
                                                           : "a config file");
    return ERR_NOT_FOUND;
}

/* The profile by the variables; NULL = they name none. */
static const char *profile_of_variables(const struct aws_environment *environment)
{
    const char *profile = aws_variable(environment, "AWS_DEFAULT_PROFILE");
    return profile != NULL ? profile : aws_variable(environment, "AWS_PROFILE");
}

enum err aws_environment_load(struct aws_environment *environment, aws_lookup *lookup, void *self,
                              const char *profile, char ret_reason[AWS_REASON_MAX])
{
    memset(environment, 0, sizeof *environment);
    environment->lookup = lookup;
    environment->self = self;
    buf_init(&environment->config.text, AWS_FILE_BYTES_MAX);
    buf_init(&environment->credentials.text, AWS_FILE_BYTES_MAX);
    profiles_init(&environment->profiles);
    ret_reason[0] = '\0';
    environment->is_chosen = profile != NULL && profile[0] != '\0';
    if (!environment->is_chosen)
        profile = profile_of_variables(environment);
    bool is_named = profile != NULL;
    if (!copy(environment->profile, sizeof environment->profile, is_named ? profile : "default") ||
        !find_path(environment, "AWS_CONFIG_FILE", "config", &environment->config) ||
        !find_path(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials",
                   &environment->credentials)) {
        (void)snprintf(ret_reason, AWS_REASON_MAX,
                       "the name of the AWS profile or of its files is too long");
        return ERR_FORMAT;
    }
    enum err err = read_file(environment, PROFILES_CONFIG, ret_reason);
    if (err == OK)
        err = read_file(environment, PROFILES_CREDENTIALS, ret_reason);
    if (err == OK)
        err = find_profile(environment, is_named, ret_reason);
    const char *too_long = err == OK ? find_values(environment) : NULL;
    if (too_long == NULL)
        return err;
    (void)snprintf(ret_reason, AWS_REASON_MAX, "the %s of the AWS environment is too long",
                   too_long);
    return ERR_FORMAT;
}

void aws_environment_done(struct aws_environment *environment)
{
    profiles_done(&environment->profiles);
    file_wipe(&environment->config.text);
    file_wipe(&environment->credentials.text);
}
