/* Asks the worker's chain whom it would call Bedrock as, in this process's environment; one JSON
 * object on standard output: {"key", "token", "source", "region", "endpoint"}, {"bearer", …} or
 * {"refused"}. `find_identity [PROFILE]`: the settings name the profile. For the tests only, which
 * give it keys that are worth nothing. */
#include <stdio.h>

#include "io/aws/alone.h"
#include "io/aws/chain.h"
#include "wire/formats/json.h"

#define TEXT_BYTES_MAX ((size_t)1024 * 1024)

static void print(struct buf *text)
{
    (void)printf("%.*s\n", SLICE_ARG(buf_slice(text)));
}

static void add_keys(struct buf *text, const struct keys *keys)
{
    const struct credentials *credentials = &keys->credentials;
    if (credentials->bearer_token.ptr != NULL) {
        json_add_text_member(text, "bearer", credentials->bearer_token);
    } else {
        json_add_text_member(text, "key", credentials->access_key_id);
        json_add_name(text, "token");
        if (credentials->session_token.ptr != NULL)
            json_add_string(text, credentials->session_token);
        else
            buf_add_text(text, "null");
    }
    json_add_text_member(text, "source", slice_of_text(keys->source));
}

static enum err find(struct aws_environment *environment, struct buf *text)
{
    const struct http_config http = {.connect_ms = 5000};
    struct search_ports ports;
    struct search search;
    struct keys keys;
    alone_ports(&http, &ports);
    search_init(&search, environment, &ports);
    keys_init(&keys);
    enum err err = chain_find(&search, &keys);
    if (err == OK)
        add_keys(text, &keys);
    else
        json_add_text_member(
            text, "refused",
            slice_of_text(search.reason[0] != '\0' ? search.reason : err_words(err)));
    keys_done(&keys);
    return err;
}

int main(int count, char **words)
{
    static struct aws_environment environment;
    static char reason[AWS_REASON_MAX];
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, TEXT_BYTES_MAX);
    buf_add_byte(&text, '{');
    enum err err = aws_environment_load(&environment, aws_lookup_process, NULL,
                                        count > 1 ? words[1] : "", reason);
    if (err == OK)
        err = find(&environment, &text);
    else
        json_add_text_member(&text, "refused", slice_of_text(reason));
    json_add_text_member(&text, "region", slice_of_text(environment.region));
    json_add_text_member(&text, "endpoint", slice_of_text(environment.endpoint_url));
    aws_environment_done(&environment);
    buf_add_byte(&text, '}');
    print(&text);
    return text.failed == OK ? 0 : 1;
}
