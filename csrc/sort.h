/* Sorting is left to NumPy, whose vector sort can be called without the GIL. */
#ifndef FD_SORT_H
#define FD_SORT_H

#include <stdint.h>
#include <stddef.h>

/* PyArray_SortFunc and PyArray_ArgSortFunc; the last argument is not looked at for numbers. */
typedef int fd_sort(void *values, ptrdiff_t n, void *array);
typedef int fd_argsort(void *values, ptrdiff_t *order, ptrdiff_t n, void *array);

typedef struct {
    fd_sort *sort_f64, *sort_u64;
    fd_argsort *argsort_f64, *argsort_u64;
} fd_sorts;

#endif
