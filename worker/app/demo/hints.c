/* Suggests what to try with the demo, as commands to copy. */
#include "app/demo/demo.h"

#include <stdio.h>

/* Prints a command to copy, and its purpose. */
static void print_way(struct screen *out, const struct demo_place *place, const char *arguments,
                      const char *what)
{
    char line[512];
    (void)snprintf(line, sizeof line, "  %s %s", place->program, arguments);
    screen_print_line(out, slice_of_text(line));
    screen_print(out, "", STYLE_PLAIN, slice_of_text(what));
}

void demo_show_ways_on(struct demo_screen *screen, const struct demo_place *place)
{
    struct screen *out = &screen->out;
    screen_print_line(out, SLICE(""));
    screen_print_heading(out, "How to go on");
    print_way(out, place, "demo --keep", "the demo stays up, for kcat and ask");
    print_way(out, place, "reference", "every setting");
    print_way(out, place, "check --connect", "your brokers, topics and AWS credentials");
    print_way(out, place, "run FILE", "the service");
}

/* Prints `ask` with the demo's brokers and topics. */
static void print_ask(struct screen *out, const struct demo_place *place)
{
    char servers[600], requests[128], responses[128], chunks[128];
    const char *const words[] = {
        place->program,
        "ask",
        servers,
        "--model sonnet",
        "--stream",
        "--system \"Translate from English to French.\"",
        "\"I love programming.\"",
        requests,
        responses,
        chunks,
    };
    (void)snprintf(servers, sizeof servers, "--set kafka.bootstrap_servers=%s", place->brokers);
    (void)snprintf(requests, sizeof requests, "--set topics.requests=[%s.requests]", place->prefix);
    (void)snprintf(responses, sizeof responses, "--set topics.responses=%s.responses",
                   place->prefix);
    (void)snprintf(chunks, sizeof chunks, "--set topics.chunks=%s.chunks", place->prefix);
    screen_print_command(out, words, COUNT_OF(words) - (place->has_usual_topics ? 3 : 0));
}

/* Prints kcat that shows the records of a request. */
static void print_look_up(struct screen *out, const struct demo_place *place, const char *topic,
                          const char *member)
{
    char brokers[600], name[128], grep[128];
    const char *const words[] = {"kcat -C -e -q -o beginning", brokers, name, grep};
    (void)snprintf(brokers, sizeof brokers, "-b %s", place->brokers);
    (void)snprintf(name, sizeof name, "-t %s.%s |", place->prefix, topic);
    (void)snprintf(grep, sizeof grep, "grep '\"%s\":\"hello\"'", member);
    screen_print_command(out, words, COUNT_OF(words));
}

void demo_show_what_to_try(struct demo_screen *screen, const struct demo_place *place)
{
    struct screen *out = &screen->out;
    char produce[800];
    const char *const hello[] = {
        "echo '{\"id\":\"hello\",\"model\":\"haiku\",\"messages\":[[\"human\",\"Hello!\"]]}' |",
        produce};
    (void)snprintf(produce, sizeof produce, "kcat -P -b %s -t %s.requests; sleep 2", place->brokers,
                   place->prefix);
    screen_print_line(out, SLICE(""));
    screen_printf(out, "stays up", STYLE_GOOD,
                  "The brokers are at %s; Ctrl-C ends the demo. To try:", place->brokers);
    screen_print_line(out, SLICE(""));
    print_ask(out, place);
    screen_print_line(out, SLICE(""));
    screen_print_command(out, hello, COUNT_OF(hello));
    print_look_up(out, place, "responses", "id");
    print_look_up(out, place, "usage", "request_id");
    screen_print_line(out, SLICE(""));
}
