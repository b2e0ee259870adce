#include "wire/chat/parameters.h"

const struct parameter_row parameter_rows[PARAMETER_COUNT] = {
#define PARAMETER(id, name, form, least, most, other, converse)                                    \
    {#name, PARAMETER_##form, least, most, other, converse},
#include "wire/chat/parameters.def"
#undef PARAMETER
};

enum parameter parameter_find(struct slice name)
{
    enum parameter found = 0;
    while (found < PARAMETER_COUNT && !slice_equal_text(name, parameter_rows[found].name))
        found++;
    return found;
}
