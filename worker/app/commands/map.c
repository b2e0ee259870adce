/* `bedrock-worker map`: prints the offset map in the metadata of a committed offset. */
#include <stdio.h>
#include <string.h>

#include "app/client/map_reading.h"
#include "app/commands/commands.h"

#define METADATA_BYTES_MAX ((size_t)2 * 1024 * 1024)
#define PAGE_BYTES_MAX     ((size_t)256 * 1024 * 1024)

static const char *text;
static int64_t offset = -1;

static const struct command_option OPTIONS[] = {
    {
        .letter = 'o',
        .name = "offset",
        .value = "N",
        .kind = OPTION_COUNT,
        .max = INT64_MAX,
        .into.number = &offset,
        .description =
            "The committed offset that the metadata belongs to. Without it offsets count from "
            "+0, and the "
            "checksum is not verified.",
    },
};

static void read_text(struct buf *ret_text)
{
    if (text != NULL && strcmp(text, "-") != 0) {
        buf_add_text(ret_text, text);
        return;
    }
    size_t got = 1;
    while (got > 0) {
        char *at = buf_reserve(ret_text, 4096);
        got = at != NULL ? fread(at, 1, 4096, stdin) : 0;
        ret_text->len += got;
    }
}

static int run(void)
{
    struct buf metadata OWNED_BY(buf_done), page OWNED_BY(buf_done), fault OWNED_BY(buf_done);
    buf_init(&metadata, METADATA_BYTES_MAX);
    buf_init(&page, PAGE_BYTES_MAX);
    buf_init(&fault, 1024);
    read_text(&metadata);
    if (metadata.failed != OK) {
        (void)fprintf(stderr, "bedrock-worker map: the text is longer than any map (2 MiB)\n");
        return EXIT_FAILED;
    }
    bool is_whole = map_reading_add(slice_trim(buf_slice(&metadata)), offset, &page, &fault);
    (void)fwrite(page.ptr, 1, page.len, stdout);
    (void)fflush(stdout);
    if (!is_whole)
        (void)fprintf(stderr, "bedrock-worker map: %s\n", buf_text(&fault));
    return is_whole ? EXIT_DONE : EXIT_FAILED;
}

const struct command command_map = {
    .name = "map",
    .summary = "show what a committed offset's metadata says",
    .synopsis = "[--offset N] [TEXT | -]",
    .description =
        "The worker commits a map of the completed offsets as the metadata of each partition's "
        "offset. This command decodes one: which offsets above the committed one are completed, "
        "which are open, how often a worker began a call for each, and whether that call was "
        "running. A damaged map is shown up to the damage.\n\n"
        "TEXT is the metadata. It has characters that shells interpret; `-`, or no TEXT, reads it "
        "from standard input. Any Kafka client reads it with the committed offset, e.g. "
        "`committed()` of confluent_kafka's Consumer.",
    .examples = "  bedrock-worker map --offset 1041 < metadata.txt\n",
    .options = {OPTIONS, COUNT_OF(OPTIONS), "TEXT", &text, NULL, NULL},
    .run = run,
};
