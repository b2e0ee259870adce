/* Why a partition is withheld: the reasons of withheld.def with their texts. */
#ifndef ENGINE_WITHHELD_WHY_H
#define ENGINE_WITHHELD_WHY_H

enum withheld {
#define WITHHELD(name, label, reason, remedy) WITHHELD_##name,
#include "engine/withheld.def"
#undef WITHHELD
    WITHHELD_COUNT
};

/* The label `reason` of metrics; static. */
const char *withheld_label(enum withheld withheld);
/* The end of "the worker takes nothing from partitions because …", about several; static. */
const char *withheld_reason(enum withheld withheld);
/* What an operator can do; static. */
const char *withheld_remedy(enum withheld withheld);

#endif
