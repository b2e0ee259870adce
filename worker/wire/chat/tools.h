/* The tools that a model may call: LangChain's five forms of them, read into one. */
#ifndef WIRE_CHAT_TOOLS_H
#define WIRE_CHAT_TOOLS_H

#include "base/slice.h"

/* Values called JSON are as they were written (strings with their quotes); null = not given. */
struct tool {
    enum tool_kind { TOOL_FUNCTION, TOOL_SYSTEM, TOOL_CACHE_POINT } kind;
    struct slice name, description; /* JSON */
    struct slice schema;            /* JSON object, null branches taken out as LangChain does */
    struct slice schema_given;      /* JSON object as it came */
    struct slice strict;            /* JSON: true or false */
    /* JSON: the tool in Converse's form ({"toolSpec":…}, {"cachePoint":…}), where it came so */
    struct slice converse;
    struct slice cache;     /* JSON: cache_control of Anthropic's form */
    struct slice anthropic; /* JSON: the tool as it came, in Anthropic's form */
};

struct tool_choice {
    enum tool_choice_kind {
        TOOL_CHOICE_ABSENT,
        TOOL_CHOICE_AUTO,
        TOOL_CHOICE_ANY,
        TOOL_CHOICE_TOOL, /* the named one */
        TOOL_CHOICE_NONE,
    } kind;
    struct slice name; /* JSON */
    struct slice json; /* JSON: as it came, where it was an object */
};

#endif
