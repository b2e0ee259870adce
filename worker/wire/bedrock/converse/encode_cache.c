#include "wire/bedrock/converse/parts.h"
#include "wire/chat/cache_control.h"

#define POINTS_MAX 4 /* AWS, "Prompt caching": cache checkpoints of a request */

/* --- the points that the request has itself --- */

static size_t points_of(const struct block *blocks, size_t count)
{
    size_t points = 0;
    for (size_t i = 0; i < count; i++)
        points += blocks[i].kind == BLOCK_CACHE_POINT || blocks[i].cache.ptr != NULL;
    return points;
}

static size_t points_of_tools(const struct request *request)
{
    size_t points = 0;
    for (size_t i = 0; converse_has_tools(request) && i < request->tool_count; i++)
        points += request->tools[i].kind == TOOL_CACHE_POINT || request->tools[i].cache.ptr != NULL;
    return points;
}

static size_t points_of_all(const struct request *request)
{
    size_t points = points_of(request->system, request->system_count) + points_of_tools(request);
    for (size_t i = 0; i < request->turn_count; i++)
        points += points_of(request->turns[i].blocks, request->turns[i].count);
    return points;
}

/* --- where cache_control puts more of them --- */

static bool has_tools(const struct turn *turn)
{
    for (size_t i = 0; i < turn->count; i++)
        if (turn->blocks[i].kind == BLOCK_TOOL_USE || turn->blocks[i].kind == BLOCK_TOOL_RESULT)
            return true;
    return false;
}

static bool is_free(const struct turn *turn)
{
    return points_of(turn->blocks, turn->count) == 0;
}

static bool ends_in_reasoning(const struct turn *turn)
{
    return turn->count > 0 && turn->blocks[turn->count - 1].kind == BLOCK_REASONING;
}

struct converse_points converse_points_of(const struct request *request)
{
    struct converse_points points = {.last = false};
    const struct turn *last = request->turns + request->turn_count - 1;
    if (request->cache_control.ptr == NULL)
        return points;
    bool is_brief = traits_has(&request->traits, TRAIT_BRIEF_CACHE);
    size_t own = points_of_all(request), count = own;
    bool may_system =
        request->system_count > 0 && points_of(request->system, request->system_count) == 0;
    bool may_last = is_free(last) && !(is_brief && has_tools(last));
    bool may_tools = converse_has_tools(request) && points_of_tools(request) == 0 && !is_brief;
    bool may_before = traits_has(&request->traits, TRAIT_CACHES_HISTORY) && own == 0 && !is_brief &&
                      request->turn_count > 1 && is_free(last - 1) && !ends_in_reasoning(last - 1);
    /* Those that save the most come first. */
    points.system = may_system && count < POINTS_MAX;
    count += points.system;
    points.last = may_last && count < POINTS_MAX;
    count += points.last;
    points.tools = may_tools && count < POINTS_MAX;
    count += points.tools;
    points.before_last = may_before && count < POINTS_MAX;
    return points;
}

/* --- what is written --- */

void converse_add_point(struct buf *body, const struct request *request, struct slice control)
{
    struct slice ttl = cache_control_ttl(control);
    bool is_said = ttl.ptr != NULL && !slice_equal_text(ttl, "5m") &&
                   !traits_has(&request->traits, TRAIT_BRIEF_CACHE);
    buf_add_text(body, "{\"cachePoint\":{");
    json_add_text_member(body, "type", SLICE("default"));
    json_add_text_member(body, "ttl", is_said ? ttl : SLICE_NULL);
    buf_add_text(body, "}}");
}
