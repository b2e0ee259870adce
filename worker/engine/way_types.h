/* The nouns of requests that go through fallbacks, for state.h: way.h, moved.h. */
#ifndef ENGINE_WAY_TYPES_H
#define ENGINE_WAY_TYPES_H

#include "wire/chat/request.h"

/* Why a request moves to another target. */
enum move {
    MOVE_NONE, /* it does not */
#define MOVE(name, label, text) MOVE_##name,
#include "engine/moves.def"
#undef MOVE
    MOVE_COUNT
};

#define WAY_TEXT_MAX     160 /* of why a request stays */
#define MOVED_PAIRS      64
#define MOVED_NAME_BYTES 160 /* of a model and its region, clipped */

/* Where a request that names an alias has come to among its fallbacks: engine/way.h */
struct way {
    struct request own;     /* as it was read for the alias that it names */
    struct arena arena;     /* of the request as it was read for a fallback */
    uint32_t at;            /* 0 = its own alias; else 1 + the place among its fallbacks */
    uint32_t unfit;         /* bits of such places: they cannot take it … */
    char why[WAY_TEXT_MAX]; /* … the last of them, and the reason */
    enum move moved;        /* why it came where it is; MOVE_NONE: it never moved */
    int64_t moved_ms;
};

/* What was logged of requests that moved, from one target to another: engine/moved.h */
struct moved_pairs {
    int64_t look_ms; /* when to look at those that wait next: engine/route.h */
    struct moved_pair {
        uint64_t hash;  /* 0 = unused */
        uint64_t count; /* since the last line */
        int64_t due_ms; /* of the next line */
        char from[MOVED_NAME_BYTES], to[MOVED_NAME_BYTES];
        enum move why; /* of the last one */
    } list[MOVED_PAIRS];
};

#endif
