#include "app/books/sort.h"

static void sift_down(const void **list, size_t at, size_t count, sort_compare *compare)
{
    const void *sunk = list[at];
    size_t child = 2 * at + 1;
    for (; child < count; child = 2 * at + 1) {
        if (child + 1 < count && compare(list[child + 1], list[child]) > 0)
            child++;
        if (compare(list[child], sunk) <= 0)
            break;
        list[at] = list[child];
        at = child;
    }
    list[at] = sunk;
}

void sort_pointers(const void **list, size_t count, sort_compare *compare)
{
    for (size_t i = count / 2; i > 0; i--)
        sift_down(list, i - 1, count, compare);
    for (size_t end = count; end > 1; end--) {
        const void *last = list[end - 1];
        list[end - 1] = list[0];
        list[0] = last;
        sift_down(list, 0, end - 1, compare);
    }
}
