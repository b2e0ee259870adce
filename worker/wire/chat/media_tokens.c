#include "wire/chat/media_tokens.h"

/* An image of the largest size that Claude looks at (Anthropic, "Vision": width * height / 750);
 * some pages; half a minute. */
#define IMAGE_TOKENS    1600
#define DOCUMENT_TOKENS 6000
#define VIDEO_TOKENS    9000
#define AUDIO_TOKENS    1000

static size_t tokens_of(enum block_kind kind)
{
    switch ((int)kind) {
    case BLOCK_IMAGE:
        return IMAGE_TOKENS;
    case BLOCK_DOCUMENT:
        return DOCUMENT_TOKENS;
    case BLOCK_VIDEO:
        return VIDEO_TOKENS;
    case BLOCK_AUDIO:
        return AUDIO_TOKENS;
    default:
        return 0;
    }
}

/* Results of tools hold media, but no further results. */
static size_t count(const struct block *blocks, size_t block_count)
{
    size_t sum = 0;
    for (size_t i = 0; i < block_count; i++) {
        const struct block *block = &blocks[i];
        sum += tokens_of(block->kind);
        if (block->kind == BLOCK_TOOL_RESULT)
            for (size_t j = 0; j < block->result.count; j++)
                sum += tokens_of(block->result.parts[j].kind);
    }
    return sum;
}

size_t media_tokens(const struct request *request)
{
    size_t sum = count(request->system, request->system_count);
    for (size_t i = 0; i < request->turn_count; i++)
        sum += count(request->turns[i].blocks, request->turns[i].count);
    return sum;
}
