/* bedrock-sim: a local Amazon Bedrock for development and tests. */
#include "sim/sim.h"

int main(int argc, char **argv)
{
    return sim_command(argc, argv);
}
