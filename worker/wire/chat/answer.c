#include "wire/chat/answer.h"

bool answer_copy(struct arena *arena, const struct answer *answer, struct answer *ret_copy)
{
    struct answer copy = *answer;
    struct slice *texts[] = {&copy.content,      &copy.tool_calls, &copy.invalid_tool_calls,
                             &copy.stop_reason,  &copy.metadata,   &copy.additional_kwargs,
                             &copy.service_tier, &copy.parsed,     &copy.parsing_error,
                             &copy.usage.raw};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (!arena_copy(arena, *texts[i], texts[i]))
            return false;
    *ret_copy = copy;
    return true;
}
