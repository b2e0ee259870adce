#include "engine/way.h"

static const struct {
    const char *label, *text;
} MOVES[MOVE_COUNT] = {
#define MOVE(name, label, text) [MOVE_##name] = {label, text},
#include "engine/moves.def"
#undef MOVE
};

const char *move_label(enum move move)
{
    return MOVES[move].label;
}

const char *move_text(enum move move)
{
    return MOVES[move].text;
}

struct way *way_begin(struct job *job)
{
    if (job->way != NULL)
        return job->way;
    struct way *way = arena_new(&job->arena, sizeof *way);
    if (way == NULL)
        return NULL;
    way->own = job->request;
    arena_init(&way->arena, 0);
    job->way = way;
    return way;
}

void way_free(struct job *job)
{
    if (job->way != NULL)
        arena_done(&job->way->arena);
    job->way = NULL;
}

uint64_t way_bytes(const struct job *job)
{
    return job->way != NULL ? job->way->arena.held : 0;
}

const struct request *way_own(const struct job *job)
{
    return job->way != NULL ? &job->way->own : &job->request;
}

uint32_t way_place(const struct job *job)
{
    return job->way != NULL ? job->way->at : 0;
}

uint32_t way_places(const struct job *job)
{
    const struct model_alias *own = way_own(job)->alias;
    return own != NULL ? (uint32_t)own->fallback_count + 1 : 1;
}

const struct model_alias *way_alias(const struct job *job, uint32_t at)
{
    const struct model_alias *own = way_own(job)->alias;
    return at == 0 ? own : &job->terms->catalog.aliases[own->fallbacks[at - 1]];
}

const struct model_alias *way_called(const struct job *job)
{
    return way_place(job) > 0 ? way_alias(job, way_place(job)) : NULL;
}

void way_note_unfit(struct job *job, uint32_t at, const struct why *why)
{
    struct way *way = job->way;
    struct buf text OWNED_BY(buf_done);
    buf_init(&text, WHY_FIELD_MAX + 2 * WHY_MESSAGE_MAX);
    buf_addf(&text, "%.*s: %s%s%s", SLICE_ARG(way_alias(job, at)->name), why->field,
             why->field[0] != '\0' ? " " : "",
             why->message[0] != '\0' ? why->message : err_words(why->err));
    way->unfit |= 1U << at;
    why_copy(way->why, sizeof way->why, buf_slice(&text));
}

bool way_is_unfit(const struct job *job, uint32_t at)
{
    return job->way != NULL && (job->way->unfit & (1U << at)) != 0;
}

void way_explain(const struct job *job, struct buf *text)
{
    const struct way *way = job->way;
    if (way == NULL)
        return;
    if (way->at > 0)
        buf_addf(text, "; it moved from %.*s because %s", SLICE_ARG(way->own.model),
                 move_text(way->moved));
    else if (way->unfit != 0)
        buf_addf(text, "; a fallback cannot take it (%s)", way->why);
}
