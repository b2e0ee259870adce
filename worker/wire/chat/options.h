/* The fields of a request that say how Bedrock serves it: guardrail, latency, tier, prompt cache,
 * effort of reasoning, the model's provider. Each is an object of known members or one of a few
 * texts. Sources: AWS's service model of Bedrock Runtime (GuardrailStreamConfiguration,
 * PerformanceConfiguration, ServiceTierType, CacheTTL); the names are those of LangChain's
 * ChatBedrockConverse, and a guardrail's members may have AWS's spelling too. */
#ifndef WIRE_CHAT_OPTIONS_H
#define WIRE_CHAT_OPTIONS_H

#include "wire/chat/values.h"

/* Each keeps its value in the request. ERR_INVALID with the member's path, ERR_NO_MEMORY. */
request_read_field request_read_guardrail, request_read_performance, request_read_reasoning,
    request_read_cache_control, request_read_service_tier, request_read_provider,
    request_read_base_model, request_read_count_tokens;

#endif
