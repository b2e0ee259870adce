/* Ways: where a request that names an alias has come to among its fallbacks. Place 0 is the alias
 * itself, the others follow in their order. The way keeps the request as it was read for its own
 * alias, and the memory of it as it was read for a fallback. route.h decides where a request goes.
 */
#ifndef ENGINE_WAY_H
#define ENGINE_WAY_H

#include "engine/state.h"

/* The job's way, begun if it has none: it stands at place 0. NULL: there is no memory for it. */
struct way *way_begin(struct job *job);
/* Frees what is not in the job's arena. */
void way_free(struct job *job);
/* Bytes beside the job's arena. */
uint64_t way_bytes(const struct job *job);

/* The request as it was read for the alias that it names. */
const struct request *way_own(const struct job *job);
/* Where it stands. */
uint32_t way_place(const struct job *job);
/* The number of places; 1 = there is no fallback. */
uint32_t way_places(const struct job *job);
/* The alias at a place, of the job's terms; NULL at place 0 when the request names a model. */
const struct model_alias *way_alias(const struct job *job, uint32_t at);
/* The alias that is called in place of what the request names; NULL = none is. */
const struct model_alias *way_called(const struct job *job);

/* Notes that a place cannot take the request, and why. The job has a way. */
void way_note_unfit(struct job *job, uint32_t at, const struct why *why);
bool way_is_unfit(const struct job *job, uint32_t at);

/* The label and the text of moves.def. */
const char *move_label(enum move move);
const char *move_text(enum move move);
/* Appends where the request moved from, or why it stays, as a part of a sentence; nothing where
 * there is nothing to say. */
void way_explain(const struct job *job, struct buf *text);

#endif
