/* No circle between the files of the worker: a file that calls another one is not called by it, not
 * even by way of a third. So each file can be read, tested and replaced with what lies below it in
 * mind only. What a file calls is seen by nm in the object files; a function pointer given to a
 * lower file does not count as a call. */
#include "unit/unit.h"

#include <stdio.h>

#include "unit/sources.h"
#include "unit/wings.h"

#define OBJECTS_MAX 512

struct graph {
    struct slice names[OBJECTS_MAX]; /* of object files, wing included */
    size_t count;
    struct {
        struct slice symbol;
        size_t object;
    } * definitions;
    size_t definition_count, definition_room;
    bool calls[OBJECTS_MAX][OBJECTS_MAX];
    bool leads[OBJECTS_MAX][OBJECTS_MAX]; /* by calls, over any number of files */
};

static size_t object_index(struct graph *graph, struct slice name)
{
    for (size_t i = 0; i < graph->count; i++)
        if (slice_equal(graph->names[i], name))
            return i;
    assert_true(graph->count < OBJECTS_MAX);
    graph->names[graph->count] = name;
    return graph->count++;
}

/* A line of nm -A: `…/libwing.a:file.c.o:<address> <kind> <symbol>`; false for any other line. */
static bool read_line(struct slice line, struct slice *ret_object, char *ret_kind,
                      struct slice *ret_symbol)
{
    size_t at = line.len;
    while (at > 0 && line.ptr[at - 1] != ' ')
        at--;
    if (at < 2 || at == line.len)
        return false;
    *ret_symbol = slice_sub(line, at, SIZE_MAX);
    *ret_kind = line.ptr[at - 2];
    size_t colon = at;
    while (colon > 0 && line.ptr[colon - 1] != ':')
        colon--;
    if (colon < 2)
        return false;
    size_t from = colon - 1;
    while (from > 0 && line.ptr[from - 1] != '/')
        from--;
    *ret_object = slice_sub(line, from, colon - 1 - from);
    return true;
}

static void learn_definitions(struct graph *graph, struct slice listing)
{
    struct slice line, object, symbol;
    char kind;
    while (source_next_line(&listing, &line)) {
        if (!read_line(line, &object, &kind, &symbol) || strchr("TDBRVW", kind) == NULL)
            continue;
        if (graph->definition_count == graph->definition_room) {
            graph->definition_room =
                graph->definition_room == 0 ? 4096 : graph->definition_room * 2;
            graph->definitions =
                realloc(graph->definitions, graph->definition_room * sizeof *graph->definitions);
            assert_non_null(graph->definitions);
        }
        graph->definitions[graph->definition_count].symbol = symbol;
        graph->definitions[graph->definition_count++].object = object_index(graph, object);
    }
}

static void learn_calls(struct graph *graph, struct slice listing)
{
    struct slice line, object, symbol;
    char kind;
    while (source_next_line(&listing, &line)) {
        if (!read_line(line, &object, &kind, &symbol) || kind != 'U')
            continue;
        for (size_t i = 0; i < graph->definition_count; i++)
            if (slice_equal(graph->definitions[i].symbol, symbol))
                graph->calls[object_index(graph, object)][graph->definitions[i].object] = true;
    }
}

static void follow_calls(struct graph *graph)
{
    memcpy(graph->leads, graph->calls, sizeof graph->leads);
    for (size_t by = 0; by < graph->count; by++)
        for (size_t from = 0; from < graph->count; from++)
            for (size_t to = 0; graph->leads[from][by] && to < graph->count; to++)
                graph->leads[from][to] = graph->leads[from][to] || graph->leads[by][to];
}

/* A line for each call that leads back to its caller. */
static void judge(struct slice listing, struct buf *report)
{
    struct graph *graph = calloc(1, sizeof *graph);
    assert_non_null(graph);
    learn_definitions(graph, listing);
    learn_calls(graph, listing);
    follow_calls(graph);
    for (size_t from = 0; from < graph->count; from++)
        for (size_t to = 0; to < graph->count; to++)
            if (from != to && graph->calls[from][to] && graph->leads[to][from])
                buf_addf(report, "%.*s calls %.*s, which leads back to it\n",
                         SLICE_ARG(graph->names[from]), SLICE_ARG(graph->names[to]));
    free(graph->definitions);
    free(graph);
}

static void a_planted_circle_is_found(void **state)
{
    (void)state;
    struct buf report OWNED_BY(buf_done);
    buf_init(&report, REPORT_BYTES_MAX);
    judge(SLICE("/b/libx.a:a.c.o:0000 T a_go\n/b/libx.a:a.c.o:          U b_go\n"
                "/b/libx.a:b.c.o:0000 T b_go\n/b/libx.a:b.c.o:          U c_go\n"
                "/b/libx.a:c.c.o:0000 T c_go\n/b/libx.a:c.c.o:          U memcpy\n"),
          &report);
    assert_buf(&report, "");
    judge(SLICE("/b/libx.a:a.c.o:0000 T a_go\n/b/libx.a:a.c.o:          U b_go\n"
                "/b/libx.a:b.c.o:0000 T b_go\n/b/libx.a:b.c.o:          U c_go\n"
                "/b/liby.a:c.c.o:0000 T c_go\n/b/liby.a:c.c.o:          U a_go\n"
                "/b/liby.a:d.c.o:0000 T d_go\n/b/liby.a:d.c.o:          U a_go\n"),
          &report);
    assert_buf(&report, "libx.a:a.c.o calls libx.a:b.c.o, which leads back to it\n"
                        "libx.a:b.c.o calls liby.a:c.c.o, which leads back to it\n"
                        "liby.a:c.c.o calls libx.a:a.c.o, which leads back to it\n");
}

/* nm's list of all that the object files of a wing define and call. */
static void list_wing(const char *name, struct buf *ret_listing)
{
    char command[1024], piece[4096];
    size_t got, before = ret_listing->len;
    (void)snprintf(command, sizeof command, "nm -A '%s/lib%s.a'", BINARY_DIR, name);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    while ((got = fread(piece, 1, sizeof piece, pipe)) > 0)
        buf_add(ret_listing, slice_of(piece, got));
    assert_int_equal(pclose(pipe), 0);
    assert_int_equal(ret_listing->failed, OK);
    if (ret_listing->len == before)
        fail_msg("nm shows nothing of %s", name);
}

static void no_file_calls_one_that_leads_back_to_it(void **state)
{
    (void)state;
    struct buf listing OWNED_BY(buf_done), report OWNED_BY(buf_done);
    buf_init(&listing, 64 * REPORT_BYTES_MAX);
    buf_init(&report, REPORT_BYTES_MAX);
    for (size_t i = 0; i < COUNT_OF(WINGS); i++)
        if (i == 0 || strcmp(WINGS[i].name, WINGS[i - 1].name) != 0)
            list_wing(WINGS[i].name, &listing);
    assert_non_null(memmem(listing.ptr, listing.len, "settle.c.o", strlen("settle.c.o")));
    judge(buf_slice(&listing), &report);
    if (report.len > 0)
        fail_msg("\n%s", buf_text(&report));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_planted_circle_is_found),
        cmocka_unit_test(no_file_calls_one_that_leads_back_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
