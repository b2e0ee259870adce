/* A session of `aws login`: the AWS CLI keeps keys that live 15 minutes in a file, beside a token
 * for new ones and the private key that proves who may use it (wire/aws/console_login.h). As
 * botocore does, the worker renews keys in their last five minutes and writes the file back for the
 * CLI and other programs, which renew it too. */
#include <stdio.h>
#include <string.h>

#include "base/uuid.h"
#include "io/aws/asking.h"
#include "io/aws/es256.h"
#include "io/loop/clock.h"
#include "wire/aws/console_login.h"

#define ATTEMPTS    2
#define PAUSE_MS    500
#define TIMEOUT_MS  8000
#define RENEW_MS    (INT64_C(5) * 60 * 1000) /* before the end */
#define FILE_MAX    ((size_t)64 * 1024)
#define HEADERS_MAX 8192
#define FOLDER      "AWS_LOGIN_CACHE_DIRECTORY"

struct login {
    struct search *search;
    char path[AWS_PATH_MAX];
    struct arena arena;
    struct buf text; /* of the file */
    struct console_login login;
};

static enum err fail_login(struct login *login, const char *why)
{
    return search_fail(login->search, "%s; run aws login --profile %s", why,
                       login->search->profile);
}

/* ---- the file ---- */

static enum err find_path(struct login *login, struct slice session)
{
    struct buf path OWNED_BY(buf_done);
    const char *folder = aws_variable(login->search->environment, FOLDER);
    buf_init(&path, AWS_PATH_MAX);
    buf_add_text(&path, folder != NULL ? folder : "~/.aws/login/cache");
    buf_add_byte(&path, '/');
    console_login_add_file_name(&path, session);
    if (path.failed == OK && aws_path(login->search->environment, buf_slice(&path), login->path))
        return OK;
    return path.failed == ERR_NO_MEMORY
               ? ERR_NO_MEMORY
               : fail_login(login, "HOME is not set or " FOLDER " is too long");
}

/* Reads the file, again if it was read. */
static enum err read_file(struct login *login)
{
    char reason[AWS_REASON_MAX];
    struct document_fault fault;
    file_wipe(&login->text);
    arena_wipe(&login->arena);
    buf_init(&login->text, FILE_MAX);
    enum err err =
        search_read_file(login->search, slice_of_text(login->path), FILE_MAX, &login->text, reason);
    if (err == ERR_IO || err == ERR_TOO_LARGE)
        return fail_login(login, reason);
    if (err == OK)
        err = console_login_read(&login->arena, buf_slice(&login->text), &login->login, &fault);
    if (err != ERR_FORMAT)
        return err;
    (void)snprintf(reason, sizeof reason, "%s is not a login: %s", login->path, fault.words);
    return fail_login(login, reason);
}

/* Writes the renewed keys back. When that is not possible, they are good all the same, once. */
static enum err write_file(struct login *login)
{
    const char *cause = "";
    char note[AWS_REASON_MAX];
    struct search_answer file; /* its buf is wiped */
    search_answer_init(&file);
    bool has_room = buf_reserve(&file.body, 2 * FILE_MAX) != NULL; /* it never moves */
    console_login_add(&file.body, &login->login);
    enum err err = !has_room ? ERR_NO_MEMORY : file.body.failed;
    if (err == OK && asking_replace_file(login->path, buf_slice(&file.body), &cause) != OK) {
        (void)snprintf(note, sizeof note, "%s cannot be replaced: %s", login->path, cause);
        search_note(login->search, "login", slice_of_text(note));
    }
    search_answer_done(&file);
    return err;
}

/* ---- renewal ---- */

static enum err add_url(struct login *login, struct buf *ret_url)
{
    char own[ENDPOINT_URL_MAX + 1], source[AWS_SOURCE_MAX];
    const struct aws_environment *environment = login->search->environment;
    enum err err = aws_endpoint(environment, "SIGNIN", "signin", own, source);
    struct slice region = login->login.sign_in_region;
    if (region.ptr == NULL)
        region = slice_of_text(environment->region);
    if (err == OK) {
        struct slice url = slice_of_text(own);
        while (slice_ends(url, SLICE("/")))
            url.len--;
        buf_add(ret_url, url);
    } else if (err != ERR_NOT_FOUND) {
        return search_fail(login->search, "the endpoint of signin cannot be used; correct it");
    } else if (console_login_add_url(ret_url, region) == ERR_FORMAT) {
        return search_fail(login->search,
                           "the login of profile %s cannot be renewed without a region; set "
                           "AWS_REGION, or region in the profile",
                           login->search->profile);
    }
    buf_add_text(ret_url, "/v1/token");
    return ret_url->failed;
}

/* Appends the header with the proof of possession. */
static enum err add_proof(struct login *login, struct slice url, struct buf *headers)
{
    struct es256_key key;
    uint8_t signature[ES256_SIGNATURE];
    struct random random;
    struct uuid id;
    int64_t wall_ms = search_wall_ms(login->search);
    enum err err = es256_key_read(&key, login->login.dpop_key);
    if (err == ERR_FORMAT || err == ERR_TOO_LARGE)
        return fail_login(login, "the dpopKey of the login is not a key of P-256");
    if (err != OK)
        return err;
    random_init(&random, clock_seed());
    uuid_new(&id, wall_ms, &random);
    const struct dpop_proof proof = {
        .x = key.x, .y = key.y, .url = url, .wall_ms = wall_ms, .id = uuid_slice(&id)};
    buf_add_text(headers, "DPoP: ");
    size_t start = headers->len;
    dpop_add_signed_text(headers, &proof);
    err = headers->failed;
    if (err == OK)
        err = es256_sign(&key, slice_of(headers->ptr + start, headers->len - start), signature);
    es256_key_done(&key);
    if (err != OK)
        return err;
    buf_add_byte(headers, '.');
    dpop_add_base64url(headers, slice_of(signature, sizeof signature));
    buf_add_text(headers, "\r\n");
    return headers->failed;
}

static enum err fail_refused(struct login *login, const struct search_answer *answer)
{
    struct slice error;
    char why[128];
    if (console_login_read_refusal(&login->arena, buf_slice(&answer->body), &error) != OK)
        return ERR_NO_MEMORY;
    if (slice_equal_text(error, "INSUFFICIENT_PERMISSIONS"))
        return search_fail(login->search,
                           "the user may not renew the login of profile %s; allow "
                           "signin:CreateOAuth2Token",
                           login->search->profile);
    (void)snprintf(why, sizeof why, "AWS Sign-In does not renew the login (%d%s%.*s)",
                   answer->status, error.len > 0 ? " " : "", SLICE_ARG(error));
    return fail_login(login, why);
}

static enum err read_answer(struct login *login, const struct search_answer *answer)
{
    struct document_fault fault;
    if (answer->status >= 500 || answer->status == 429)
        return search_fail(login->search, "AWS Sign-In answers %d; try again later",
                           answer->status);
    if (answer->status != 200)
        return fail_refused(login, answer);
    enum err err = console_login_read_renewal(&login->arena, buf_slice(&answer->body),
                                              search_wall_ms(login->search), &login->login, &fault);
    if (err == ERR_FORMAT)
        return search_fail(login->search,
                           "the answer of AWS Sign-In has no keys: %s; is there a proxy between?",
                           fault.words);
    return err == OK ? write_file(login) : err;
}

/* Sends one request. Each has another proof, because the service takes none twice. */
static enum err send(struct login *login, struct buf *url, struct slice body,
                     struct search_answer *ret_answer)
{
    struct buf headers OWNED_BY(buf_done);
    buf_init(&headers, HEADERS_MAX);
    enum err err = add_proof(login, buf_slice(url), &headers);
    buf_add_text(&headers, "Content-Type: application/json\r\n");
    if (err != OK || headers.failed != OK)
        return err != OK ? err : headers.failed;
    const struct search_request request = {
        .url = slice_of(buf_text(url), url->len),
        .headers = buf_slice(&headers),
        .body = body,
        .timeout_ms = TIMEOUT_MS,
    };
    err = asking_send(login->search, &request, 1, 0, ret_answer);
    return err == OK
               ? read_answer(login, ret_answer)
               : asking_fail(login->search, err, "AWS Sign-In", ret_answer, "try again later");
}

/* Did the service fail, rather than refuse? */
static bool is_worth_another(enum err err, const struct search_answer *answer)
{
    return err == ERR_NO_CREDENTIALS &&
           (answer->status == 0 || answer->status == 429 || answer->status >= 500);
}

static enum err renew(struct login *login)
{
    struct buf url OWNED_BY(buf_done);
    struct search_answer answer, body; /* the body in an answer's buf, because it is wiped */
    buf_init(&url, ASKING_URL_MAX);
    enum err err = add_url(login, &url);
    if (err != OK)
        return err;
    search_answer_init(&body);
    bool has_room = buf_reserve(&body.body, FILE_MAX) != NULL; /* it never moves */
    console_login_add_renewal(&body.body, &login->login);
    err = has_room ? body.body.failed : ERR_NO_MEMORY;
    for (int attempt = 1; err == OK; attempt++) {
        search_answer_init(&answer);
        err = send(login, &url, buf_slice(&body.body), &answer);
        bool goes_on = attempt < ATTEMPTS && is_worth_another(err, &answer);
        search_answer_done(&answer);
        if (!goes_on)
            break;
        err =
            login->search->ports->pause(login->search->ports->self, PAUSE_MS) ? OK : ERR_CANCELLED;
    }
    search_answer_done(&body);
    return err;
}

static bool is_fresh(const struct login *login)
{
    return login->login.keys.expires_wall_ms - search_wall_ms(login->search) > RENEW_MS;
}

/* Renews the keys. A refresh token is good for one use: another process may have used it a moment
 * ago, and then the file will have new keys. */
static enum err freshen(struct login *login)
{
    if (is_fresh(login))
        return OK;
    char reason[SEARCH_REASON_MAX];
    enum err err = renew(login);
    if (err != ERR_NO_CREDENTIALS)
        return err;
    memcpy(reason, login->search->reason, sizeof reason);
    if (!login->search->ports->pause(login->search->ports->self, PAUSE_MS))
        return ERR_CANCELLED;
    err = read_file(login);
    if (err == OK && is_fresh(login))
        return OK;
    return err == OK ? search_fail(login->search, "%s", reason) : err;
}

enum err provider_login(struct search *search, struct keys *ret_keys)
{
    struct slice session = search_property(search, "login_session");
    if (session.ptr == NULL)
        return search_lacks(search, "profile %s has no login_session", search->profile);
    struct login login = {.search = search};
    arena_init(&login.arena, DOCUMENT_ARENA_BYTES);
    buf_init(&login.text, FILE_MAX);
    enum err err = find_path(&login, session);
    if (err == OK)
        err = read_file(&login);
    if (err == OK)
        err = freshen(&login);
    if (err == OK)
        err = asking_take(search, ret_keys, &login.login.keys, "the session of aws login");
    file_wipe(&login.text);
    arena_wipe(&login.arena);
    return err;
}
