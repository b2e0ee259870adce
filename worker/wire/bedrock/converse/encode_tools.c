/* Tools in a Converse body: toolConfig. */
#include "wire/bedrock/converse/parts.h"

/* A description must not be missing: its name stands for it, as in LangChain. */
static void add_tool(struct buf *body, const struct tool *tool)
{
    if (tool->converse.ptr != NULL) {
        buf_add(body, tool->converse);
        return;
    }
    buf_add_text(body, "{\"toolSpec\":{");
    json_add_member(body, "name", tool->name);
    json_add_member(body, "description",
                    tool->description.ptr != NULL ? tool->description : tool->name);
    buf_add_text(body, ",\"inputSchema\":{");
    json_add_member(body, "json", tool->schema);
    buf_add_byte(body, '}');
    json_add_member(body, "strict", tool->strict);
    buf_add_text(body, "}}");
}

static void add_choice(struct buf *body, const struct tool_choice *choice)
{
    if (choice->kind == TOOL_CHOICE_ABSENT)
        return;
    json_add_name(body, "toolChoice");
    if (choice->kind == TOOL_CHOICE_TOOL) {
        buf_add_text(body, "{\"tool\":{");
        json_add_member(body, "name", choice->name);
        buf_add_text(body, "}}");
        return;
    }
    buf_add_text(body, choice->kind == TOOL_CHOICE_ANY ? "{\"any\":{}}" : "{\"auto\":{}}");
}

void converse_add_tools(struct buf *body, const struct request *request,
                        const struct converse_points *points)
{
    if (!converse_has_tools(request))
        return;
    json_add_name(body, "toolConfig");
    buf_add_text(body, "{\"tools\":[");
    for (size_t i = 0; i < request->tool_count; i++) {
        json_add_comma(body);
        add_tool(body, &request->tools[i]);
        if (request->tools[i].cache.ptr != NULL) {
            json_add_comma(body);
            converse_add_point(body, request, request->tools[i].cache);
        }
    }
    if (points->tools) {
        json_add_comma(body);
        converse_add_point(body, request, request->cache_control);
    }
    buf_add_byte(body, ']');
    add_choice(body, &request->tool_choice);
    buf_add_byte(body, '}');
}
