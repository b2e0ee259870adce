/* Reads requests as a worker does, for the check that the schema says the same: one request a line
 * on standard input, and for each a line with `ok`, or the error's code and the field at fault.
 * What only a model's family lacks, the schema does not say, and this reader does not ask. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "wire/bedrock/dialects.h"
#include "wire/chat/request.h"

#define ARENA_BYTES_MAX ((size_t)64 * 1024 * 1024)

static void read_one(struct slice value)
{
    struct catalog catalog = {.choose = dialect_choose, .default_model = SLICE("m.x")};
    catalog.apis = dialect_apis(&catalog.api_count);
    struct arena arena OWNED_BY(arena_done);
    struct record record = {.topic = SLICE("requests"),
                            .timestamp_ms = INT64_C(1800000000000),
                            .timestamp_type = TIMESTAMP_CREATE,
                            .value = value};
    struct request request;
    struct why why;
    arena_init(&arena, ARENA_BYTES_MAX);
    enum err err = request_from_headers(&arena, &record, &request, &why);
    if (err == OK)
        err = request_read(&arena, &record, &catalog, &request, &why);
    if (err == OK)
        (void)puts("ok");
    else
        (void)printf("%s %s\n", err_code(err), why.field);
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len = 0;
    while ((len = getline(&line, &room, stdin)) > 0)
        read_one(slice_of(line, (size_t)len - (line[len - 1] == '\n')));
    free(line);
    return 0;
}
