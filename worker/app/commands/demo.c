#include "app/commands/commands.h"
#include "app/demo/demo.h"

int command_demo(const struct arguments *arguments)
{
    const struct demo_options options = {
        .program = arguments->program,
        .requests = arguments->requests,
        .keep = arguments->keep,
    };
    return demo_run(&options);
}
