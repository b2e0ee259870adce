#include "app/books/measures.h"

static const struct measure LIST[] = {
#define MEASURE(name, heading, member, when)                                                       \
    {name, heading, offsetof(struct sums, member), SHOW_##when},
#include "app/books/measures.def"
#undef MEASURE
};

const struct measure *measures(size_t *ret_count)
{
    *ret_count = COUNT_OF(LIST);
    return LIST;
}

int64_t measure_of(const struct measure *measure, const struct sums *sums)
{
    return *(const int64_t *)(const void *)((const char *)sums + measure->offset);
}
