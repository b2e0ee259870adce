/* bedrock-worker: the program. Everything it can do is a command of app/commands/commands.h. */
#include <malloc.h>

#include "app/commands/commands.h"
#include "standard_files.h"

/* Kafka's fetches are big and short-lived: mapped apart they leave no holes between thousands of
 * small things, and few arenas keep what one thread allocates and another frees together. A third
 * less memory at 8,000 calls in flight. */
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
