/* bedrock-worker: the program. Everything it can do is a command of app/commands.h. */
#include "app/commands.h"

int main(int argc, char **argv)
{
    return commands_run(argc, argv);
}
