/* Cells of 2^k doubles, pairs of which make the next larger ones, as fastdiv/drift/cells.py has them. */
#ifndef FD_NESTED_H
#define FD_NESTED_H

#include <stdint.h>

/* Of each cell: its values' key without the last k bits, how many there are, the sums of these bits (of the lower
 * 26 of them, and of those above with what the lower carry), and the keys of the first and the last value. */
typedef struct {
    uint64_t *keys, *counts, *low, *high, *first, *last;
} fd_nested;

/* How many cells hold a value of ascending x, in which there is no NaN and no -0.0. */
int64_t fd_nested_count(const double *x, int64_t n, int k);
/* Fills them, in ascending order. */
void fd_nested_fill(const double *x, int64_t n, int k, const fd_nested *cells);

#endif
