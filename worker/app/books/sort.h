/* Sorts lists of pointers in place: heap sort, without recursion, n log n whatever the order. */
#ifndef APP_BOOKS_SORT_H
#define APP_BOOKS_SORT_H

#include <stddef.h>

/* <0, 0 or >0, of two of the pointers. */
typedef int sort_compare(const void *a, const void *b);

void sort_pointers(const void **list, size_t count, sort_compare *compare);

#endif
