/* Any bytes as a settings file of bedrock-sim: read or rejected, never a crash, a leak or a problem
 * without a message; the values read are within their limits. */
#include <stdint.h>

#include "base/check.h"
#include "base/memory.h"
#include "sim/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sim_config config;
    int64_t before = memory_live();
    arena_init(&config.arena, 64 * 1024 * 1024);
    bool is_good = sim_config_read(&config, slice_of(data, size), "fuzz.yaml");
    CHECK(is_good == (config.problems.count == 0));
    for (size_t i = 0; i < config.problems.count; i++)
        CHECK(config.problems.list[i].text[0] != '\0');
    CHECK(config.port >= 0 && config.port <= 65535);
    CHECK(config.padding_rate >= 0 && config.padding_rate <= 1);
    CHECK(config.idle_ms >= 0 && config.stall_ms >= 0 && config.skew_max_ms >= 0);
    CHECK(config.rule_count <= SIM_RULES_MAX && config.answer_count <= SIM_ANSWERS_MAX);
    for (size_t i = 0; i < config.rule_count; i++)
        CHECK(config.rules[i].rate >= 0 && config.rules[i].rate <= 1);
    arena_done(&config.arena);
    CHECK(memory_live() == before);
    return 0;
}
