#include "engine/withheld_why.h"

static const struct {
    const char *label, *reason, *remedy;
} REASONS[WITHHELD_COUNT] = {
#define WITHHELD(name, label, reason, remedy) [WITHHELD_##name] = {label, reason, remedy},
#include "engine/withheld.def"
#undef WITHHELD
};

const char *withheld_label(enum withheld withheld)
{
    return REASONS[withheld].label;
}

const char *withheld_reason(enum withheld withheld)
{
    return REASONS[withheld].reason;
}

const char *withheld_remedy(enum withheld withheld)
{
    return REASONS[withheld].remedy;
}
