/* The program bedrock-sim: a local Amazon Bedrock for development and tests. */
#include "sim/sim.h"
#include "standard_files.h"

int main(int argc, char **argv)
{
    if (!standard_files_open())
        return EXIT_FAILURE;
    return standard_files_end("bedrock-sim", sim_command(argc, argv));
}
