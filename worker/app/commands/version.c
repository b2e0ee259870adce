/* `bedrock-worker version`: prints the versions of the program and its libraries. */
#include <stdio.h>

#include "app/commands/commands.h"
#include "io/http/client.h"
#include "io/kafka/library.h"

static int run(void)
{
    (void)printf("bedrock-worker " BEDROCK_VERSION "\nlibrdkafka %s\n%s\n",
                 kafka_library_version_text(), http_library_versions());
    return EXIT_DONE;
}

const struct command command_version = {
    .name = "version",
    .summary = "print the versions of the program and its libraries",
    .synopsis = "",
    .description =
        "Prints the versions of the program and of the libraries that it runs with. --version and "
        "-V do the same.",
    .examples = "  bedrock-worker version\n",
    .run = run,
};
