#include "app/pages/page.h"

#include <string.h>

#include "base/check.h"
#include "wire/formats/base64.h"
#include "wire/formats/hash.h"

#define POLICY_MAX 512

static struct slice page(void)
{
    return slice_of(PAGE_HTML, PAGE_HTML_LEN);
}

/* What stands between two tags of the page. */
static struct slice between(const char *open, const char *close)
{
    struct slice text = page();
    const char *from = memmem(text.ptr, text.len, open, strlen(open));
    CHECK(from != NULL);
    from += strlen(open);
    const char *to = memmem(from, (size_t)(text.ptr + text.len - from), close, strlen(close));
    CHECK(to != NULL);
    return slice_of(from, (size_t)(to - from));
}

static void add_hash(struct buf *policy, const char *directive, struct slice text)
{
    uint8_t digest[SHA256_LEN];
    hash_sha256(text, digest);
    buf_addf(policy, "; %s 'sha256-", directive);
    base64_add(policy, slice_of(digest, sizeof digest));
    buf_add_byte(policy, '\'');
}

const char *page_policy(void)
{
    static char policy[POLICY_MAX];
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, POLICY_MAX);
    if (policy[0] != '\0')
        return policy;
    buf_add_text(&text, "default-src 'none'");
    add_hash(&text, "script-src", between("<script>", "</script>"));
    add_hash(&text, "style-src", between("<style>", "</style>"));
    buf_add_text(&text, "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
                        "frame-ancestors 'none'");
    slice_write(buf_slice(&text), policy, sizeof policy);
    return policy;
}

void page_answer(struct server_page *ret_page)
{
    ret_page->type = "text/html; charset=utf-8";
    ret_page->policy = page_policy();
    buf_add(ret_page->body, page());
}
