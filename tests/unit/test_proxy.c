/* wire/formats/proxy.c */
#include "unit/unit.h"

#include "wire/formats/proxy.h"

static void proxies_of_every_form_are_taken(void **state)
{
    (void)state;
    static const char *const GOOD[] = {"http://proxy:3128",
                                       "http://proxy",
                                       "https://user:p%40ss@proxy.corp.example:443/path",
                                       "HTTP://10.0.0.1:80",
                                       "socks5h://user@[::1]:1080",
                                       "http://[fd00:ec2::23]",
                                       "http://us@er:pw@proxy_1:65535"};
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        if (proxy_fault(slice_of_text(GOOD[i]), false) != NULL)
            fail_msg("%s: %s", GOOD[i], proxy_fault(slice_of_text(GOOD[i]), false));
    }
    assert_null(proxy_fault(SLICE("proxy:3128"), true));
    assert_null(proxy_fault(SLICE("user:pw@proxy:3128"), true));
}

static void what_is_wrong_is_named_without_the_password(void **state)
{
    (void)state;
    static const struct {
        const char *url, *words;
    } BAD[] = {{"proxy:3128", "write http://"},
               {"ftp://u:canary@proxy:21", "write http://"},
               {"http://u:canary@proxy:99999", "1 to 65535"},
               {"http://u:canary@proxy:0", "port"},
               {"http://u:canary@proxy:", "port"},
               {"http://u:canary@proxy:80 ", "blank"},
               {"http://u:can ary@proxy:80", "blank"},
               {"http://u:can\nary@proxy:80", "blank"},
               {"http://u:canary%4@proxy:80", "%25"},
               {"http://u:can/ary@proxy:80", "port"},
               {"http://u:canary@:80", "host"},
               {"http://", "host"}};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        const char *fault = proxy_fault(slice_of_text(BAD[i].url), false);
        if (fault == NULL)
            fail_msg("%s is taken", BAD[i].url);
        if (strstr(fault, BAD[i].words) == NULL)
            fail_msg("%s: %s", BAD[i].url, fault);
        assert_null(strstr(fault, "canary"));
    }
}

static void user_and_password_are_found(void **state)
{
    (void)state;
    assert_slice(proxy_password(SLICE("http://u:pw@proxy:80")), "pw");
    assert_slice(proxy_password(SLICE("u:p@w:x@proxy")), "p@w:x");
    assert_slice(proxy_userinfo(SLICE("http://u:pw@proxy:80")), "u:pw");
    assert_null(proxy_password(SLICE("http://u@proxy:80")).ptr);
    assert_null(proxy_userinfo(SLICE("http://proxy:80/@")).ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proxies_of_every_form_are_taken),
        cmocka_unit_test(what_is_wrong_is_named_without_the_password),
        cmocka_unit_test(user_and_password_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
