/* What some models do not take although the API has it: one list, lacks.def. */
#ifndef SIM_BODIES_LACKS_H
#define SIM_BODIES_LACKS_H

#include <stdbool.h>

#include "base/slice.h"

enum lack {
    LACK_SAMPLING,
    LACK_FORCE,
    LACK_NAME,
    LACK_FORCE_THINKING,
    LACK_COUNTING,
    LACK_CONVERSE
};

/* Does the model with this id lack it? */
bool model_lacks(struct slice model, enum lack what);

#endif
