/* Terms: the part of the configuration that may change while the engine runs (engine_reload). A
 * request keeps those with which it was read, because it borrows from their catalog and must be
 * judged by one set of rules. So there may be several, at most ENGINE_TERMS_MAX; each counts its
 * jobs, and is free when it has none and is not the present one. */
#ifndef ENGINE_TERMS_H
#define ENGINE_TERMS_H

#include "engine/state.h"

/* Makes the configuration's own terms the present ones. */
void terms_init(struct engine *engine);
/* The present terms, for a job that begins: counts it until terms_return. */
MUST_CHECK struct terms *terms_take(struct engine *engine);
void terms_return(struct terms *terms);
/* Whether any terms so far have aliases with fallbacks. */
bool terms_have_fallbacks(const struct engine *engine);

#endif
