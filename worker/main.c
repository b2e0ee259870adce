/* The program bedrock-worker. app/commands/commands.h has its commands. */
#include <malloc.h>

#include "app/commands/commands.h"
#include "standard_files.h"

/* glibc maps blocks from this size separately, so that Kafka's fetches, which are large and
 * short-lived, leave no holes between small blocks. With few arenas, memory that one thread
 * allocates and another frees does not pile up. Both save a third of the memory at 8,000 calls in
 * flight. */
#define MAPPED_FROM_BYTES (128 * 1024)
#define ARENAS_MAX        2

int main(int argc, char **argv)
{
    (void)mallopt(M_MMAP_THRESHOLD, MAPPED_FROM_BYTES);
    (void)mallopt(M_ARENA_MAX, ARENAS_MAX);
    if (!standard_files_open())
        return EXIT_FAILED;
    return standard_files_end("bedrock-worker", commands_run(argc, argv));
}
