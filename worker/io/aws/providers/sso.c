/* A login of IAM Identity Center (AWS SSO): the file that `aws sso login` wrote holds a token, for
 * which the portal gives keys of the profile's account and role ("AWS SDKs and Tools Reference
 * Guide", "IAM Identity Center credential provider"). The token of an sso-session is renewed in its
 * last minutes and written back; one of a profile without a session is not. */
#include <stdio.h>
#include <string.h>

#include "io/aws/asking.h"
#include "wire/aws/sso.h"

#define ATTEMPTS     2
#define PAUSE_MS     500
#define TIMEOUT_MS   8000
#define RENEW_MS     (INT64_C(15) * 60 * 1000) /* before the end, as botocore */
#define FILE_MAX     ((size_t)64 * 1024)
#define REGION_MAX   64
#define NAME_MAX_SSO 256

/* What profile and session say, and the login. */
struct sso {
    struct search *search;
    struct slice account_id, role_name, start_url, region;
    struct slice session; /* null = none */
    char path[AWS_PATH_MAX];
    struct arena arena;
    struct buf text; /* of the file */
    struct sso_login login;
    char trouble[192]; /* why the login was not renewed; "" = it was not tried, or it was renewed */
};

/* ---- settings ---- */

/* Takes the session's value for a name that the profile may have too, with the same value. */
static enum err take_of_session(struct sso *sso, const char *name, struct slice *value)
{
    struct profiles_value found;
    if (!profiles_find(&sso->search->environment->profiles, PROFILES_SSO_SESSION, sso->session,
                       name, &found))
        return OK;
    if (value->ptr != NULL && !slice_equal(*value, found.value))
        return search_fail(sso->search,
                           "%s of profile %s differs from the one of sso-session %.*s; remove it "
                           "from the profile",
                           name, sso->search->profile, SLICE_ARG(sso->session));
    *value = found.value;
    return OK;
}

static enum err read_session(struct sso *sso)
{
    const struct profiles *profiles = &sso->search->environment->profiles;
    if (!profiles_have(profiles, PROFILES_SSO_SESSION, sso->session))
        return search_fail(sso->search,
                           "profile %s names the sso-session %.*s, which the config file does not "
                           "have; run aws configure sso",
                           sso->search->profile, SLICE_ARG(sso->session));
    /* The session must have these itself. */
    struct profiles_value found;
    static const char *const OWN[] = {"sso_start_url", "sso_region"};
    for (size_t i = 0; i < COUNT_OF(OWN); i++) {
        if (!profiles_find(profiles, PROFILES_SSO_SESSION, sso->session, OWN[i], &found))
            return search_fail(sso->search, "sso-session %.*s has no %s; run aws configure sso",
                               SLICE_ARG(sso->session), OWN[i]);
    }
    enum err err = take_of_session(sso, "sso_start_url", &sso->start_url);
    if (err == OK)
        err = take_of_session(sso, "sso_region", &sso->region);
    if (err == OK)
        err = take_of_session(sso, "sso_account_id", &sso->account_id);
    return err == OK ? take_of_session(sso, "sso_role_name", &sso->role_name) : err;
}

/* ERR_NOT_FOUND: the profile does not log in this way. */
static enum err read_profile(struct sso *sso)
{
    struct search *search = sso->search;
    sso->account_id = search_property(search, "sso_account_id");
    sso->role_name = search_property(search, "sso_role_name");
    if (sso->account_id.ptr == NULL && sso->role_name.ptr == NULL)
        return search_lacks(search, "profile %s has no sso_account_id", search->profile);
    sso->start_url = search_property(search, "sso_start_url");
    sso->region = search_property(search, "sso_region");
    sso->session = search_property(search, "sso_session");
    enum err err = sso->session.ptr != NULL ? read_session(sso) : OK;
    if (err != OK)
        return err;
    const char *missing = sso->account_id.len == 0  ? "sso_account_id"
                          : sso->role_name.len == 0 ? "sso_role_name"
                          : sso->start_url.len == 0 ? "sso_start_url"
                          : sso->region.len == 0    ? "sso_region"
                                                    : NULL;
    return missing == NULL ? OK
                           : search_fail(search, "profile %s has no %s; run aws configure sso",
                                         search->profile, missing);
}

/* ---- the file ---- */

static enum err fail_login(struct sso *sso, const char *why)
{
    return search_fail(sso->search, "%s; run aws sso login --profile %s", why,
                       sso->search->profile);
}

static enum err find_path(struct sso *sso)
{
    struct buf path OWNED_BY(buf_done);
    buf_init(&path, AWS_PATH_MAX);
    buf_add_text(&path, "~/.aws/sso/cache/");
    sso_add_file_name(&path, sso->session.ptr != NULL ? sso->session : sso->start_url);
    if (path.failed == OK && aws_path(sso->search->environment, buf_slice(&path), sso->path))
        return OK;
    return path.failed == ERR_NO_MEMORY
               ? ERR_NO_MEMORY
               : fail_login(sso, "HOME is not set, so there is no SSO login");
}

/* Reads the file, again if it was read. */
static enum err read_file(struct sso *sso)
{
    char reason[AWS_REASON_MAX];
    struct document_fault fault;
    file_wipe(&sso->text);
    arena_wipe(&sso->arena);
    buf_init(&sso->text, FILE_MAX);
    enum err err =
        search_read_file(sso->search, slice_of_text(sso->path), FILE_MAX, &sso->text, reason);
    if (err == ERR_IO || err == ERR_TOO_LARGE)
        return fail_login(sso, reason);
    if (err == OK)
        err = sso_read_login(&sso->arena, buf_slice(&sso->text), &sso->login, &fault);
    if (err != ERR_FORMAT)
        return err;
    (void)snprintf(reason, sizeof reason, "%s is not a login: %s", sso->path, fault.words);
    return fail_login(sso, reason);
}

/* ---- requests ---- */

/* Appends the address of one of the two services. */
static enum err add_url(struct sso *sso, const char *in_variables, const char *in_files,
                        const char *host, struct buf *ret_url)
{
    char own[ENDPOINT_URL_MAX + 1], source[AWS_SOURCE_MAX];
    enum err err = aws_endpoint(sso->search->environment, in_variables, in_files, own, source);
    if (err == OK) {
        struct slice url = slice_of_text(own);
        while (slice_ends(url, SLICE("/")))
            url.len--;
        buf_add(ret_url, url);
        return ret_url->failed;
    }
    if (err != ERR_NOT_FOUND)
        return search_fail(sso->search, "the endpoint of %s cannot be used; correct it", in_files);
    if (endpoint_add_service_url(ret_url, host, sso->region, false, false) == ERR_FORMAT)
        return search_fail(sso->search, "sso_region of profile %s is not a region; correct it",
                           sso->search->profile);
    return ret_url->failed;
}

static enum err send(struct sso *sso, enum http_method method, struct buf *url,
                     struct slice headers, struct slice body, struct search_answer *ret_answer)
{
    const struct search_request request = {
        .method = method,
        .url = slice_of(buf_text(url), url->len),
        .headers = headers,
        .body = body,
        .timeout_ms = TIMEOUT_MS,
    };
    return url->failed != OK ? url->failed
                             : asking_send(sso->search, &request, ATTEMPTS, PAUSE_MS, ret_answer);
}

/* ---- renewal ---- */

/* Writes the renewed login back. When that is not possible, the token is good all the same, once.
 */
static enum err write_file(struct sso *sso)
{
    const char *cause = "";
    char note[AWS_REASON_MAX];
    struct search_answer file; /* its buf is wiped */
    search_answer_init(&file);
    bool has_room = buf_reserve(&file.body, 2 * FILE_MAX) != NULL; /* it never moves */
    sso_add_login(&file.body, &sso->login);
    enum err err = !has_room ? ERR_NO_MEMORY : file.body.failed;
    if (err == OK && asking_replace_file(sso->path, buf_slice(&file.body), &cause) != OK) {
        (void)snprintf(note, sizeof note, "%s cannot be replaced: %s", sso->path, cause);
        search_note(sso->search, "sso", slice_of_text(note));
    }
    search_answer_done(&file);
    return err;
}

/* Keeps why there is no new token. */
static enum err note_trouble(struct sso *sso, enum err err, const struct search_answer *answer,
                             const struct document_fault *fault)
{
    const char *why = err == ERR_FORMAT ? fault->words : answer->reason;
    if (err == OK)
        (void)snprintf(sso->trouble, sizeof sso->trouble,
                       ", and the SSO OIDC service answers %d to its renewal", answer->status);
    else
        (void)snprintf(sso->trouble, sizeof sso->trouble,
                       ", and the SSO OIDC service does not renew it (%.120s)", why);
    return OK;
}

/* Asks for a new token. OK whether there is one or not; then the old one is kept. */
static enum err renew(struct sso *sso)
{
    struct buf url OWNED_BY(buf_done);
    struct search_answer answer, body;
    struct document_fault fault;
    buf_init(&url, ASKING_URL_MAX);
    enum err err = add_url(sso, "SSO_OIDC", "sso_oidc", "oidc", &url);
    if (err != OK)
        return err;
    buf_add_text(&url, "/token");
    search_answer_init(&answer);
    search_answer_init(&body);
    bool has_room = buf_reserve(&body.body, FILE_MAX) != NULL;
    sso_add_renewal(&body.body, &sso->login);
    err = !has_room ? ERR_NO_MEMORY
                    : send(sso, HTTP_POST, &url, SLICE("Content-Type: application/json\r\n"),
                           buf_slice(&body.body), &answer);
    if (err == OK && answer.status == 200)
        err = sso_read_renewal(&sso->arena, buf_slice(&answer.body), search_wall_ms(sso->search),
                               &sso->login, &fault);
    if (err == OK && answer.status == 200)
        err = write_file(sso);
    else if (err != ERR_NO_MEMORY && err != ERR_CANCELLED)
        err = note_trouble(sso, err, &answer, &fault);
    search_answer_done(&body);
    search_answer_done(&answer);
    return err;
}

static bool is_valid(const struct sso *sso)
{
    return sso->login.expires_wall_ms > search_wall_ms(sso->search);
}

/* Renews the login when it ends soon. A refresh token is good for one use: another process may have
 * used it a moment ago, and then the file will have a new login. */
static enum err freshen(struct sso *sso)
{
    int64_t now_ms = search_wall_ms(sso->search);
    bool is_due = sso->login.expires_wall_ms - now_ms < RENEW_MS;
    enum err err = OK;
    if (sso->session.ptr != NULL && is_due && sso_is_renewable(&sso->login, now_ms)) {
        err = renew(sso);
        if (err == OK && !is_valid(sso))
            err = sso->search->ports->pause(sso->search->ports->self, PAUSE_MS) ? read_file(sso)
                                                                                : ERR_CANCELLED;
    }
    if (err != OK || is_valid(sso))
        return err;
    char why[256];
    (void)snprintf(why, sizeof why, "the SSO login has expired%s", sso->trouble);
    return fail_login(sso, why);
}

/* ---- keys ---- */

static enum err read_keys(struct sso *sso, const struct search_answer *answer,
                          struct keys *ret_keys)
{
    struct key_answer found;
    struct document_fault fault;
    if (answer->status == 401)
        return fail_login(sso, "the SSO portal does not accept the login (401)");
    if (answer->status == 403 || answer->status == 404)
        return search_fail(sso->search,
                           "the SSO portal gives no keys for sso_account_id and sso_role_name of "
                           "profile %s (%d); correct them, or ask for the assignment",
                           sso->search->profile, answer->status);
    if (answer->status != 200)
        return search_fail(sso->search,
                           "the SSO portal answers %d; try again later (is there a proxy between?)",
                           answer->status);
    enum err err = sso_read_keys(&sso->arena, buf_slice(&answer->body), &found, &fault);
    if (err == ERR_FORMAT)
        return search_fail(sso->search,
                           "the answer of the SSO portal has no keys: %s; is there a proxy "
                           "between?",
                           fault.words);
    return err == OK ? asking_take(sso->search, ret_keys, &found, "the SSO login") : err;
}

static bool is_header_text(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
            return false;
    }
    return true;
}

static enum err find_keys(struct sso *sso, struct keys *ret_keys)
{
    struct search_answer answer, headers;
    if (!is_header_text(sso->login.access_token))
        return fail_login(sso, "the token of the SSO login has a byte that no token has");
    struct buf url OWNED_BY(buf_done);
    buf_init(&url, ASKING_URL_MAX);
    enum err err = add_url(sso, "SSO", "sso", "portal.sso", &url);
    if (err != OK)
        return err;
    sso_add_keys_path(&url, sso->account_id, sso->role_name);
    search_answer_init(&answer);
    search_answer_init(&headers);
    bool has_room = buf_reserve(&headers.body, FILE_MAX) != NULL;
    buf_add_text(&headers.body, "x-amz-sso_bearer_token: ");
    buf_add(&headers.body, sso->login.access_token);
    buf_add_text(&headers.body, "\r\n");
    err = !has_room ? ERR_NO_MEMORY
                    : send(sso, HTTP_GET, &url, buf_slice(&headers.body), SLICE(""), &answer);
    if (err == OK)
        err = read_keys(sso, &answer, ret_keys);
    else
        err = asking_fail(sso->search, err, "the SSO portal", &answer, "try again later");
    search_answer_done(&headers);
    search_answer_done(&answer);
    return err;
}

enum err provider_sso(struct search *search, struct keys *ret_keys)
{
    struct sso sso = {.search = search};
    arena_init(&sso.arena, DOCUMENT_ARENA_BYTES);
    buf_init(&sso.text, FILE_MAX);
    enum err err = read_profile(&sso);
    if (err == OK)
        err = find_path(&sso);
    if (err == OK)
        err = read_file(&sso);
    if (err == OK)
        err = freshen(&sso);
    if (err == OK)
        err = find_keys(&sso, ret_keys);
    file_wipe(&sso.text);
    arena_wipe(&sso.arena);
    return err;
}
