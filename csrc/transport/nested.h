/* Cells of 2^k doubles, pairs of which make the next larger ones, as fastdiv/drift/cells.py has them. */
#ifndef FD_NESTED_H
#define FD_NESTED_H

#include <stdint.h>

#include "transport/source.h"

/* Of each cell: its values' key without the last k bits, how many there are, the sums of these bits (of the lower
 * 26 of them, and of those above with what the lower carry), and the keys of the first and the last value. */
typedef struct {
    uint64_t *keys, *counts, *low, *high, *first, *last;
    int64_t n;
} fd_nested;

/* Of ascending x without NaN and -0.0: between how many neighbours the highest bit that differs is the b-th, from 1 on; 0:
 * the same value again. 1 + those above k are as many cells as hold a value. */
void fd_nested_apart(const double *x, int64_t n, int64_t apart[65]);
/* How many cells hold a value of ascending x, in which there is no NaN and no -0.0. */
int64_t fd_nested_count(const double *x, int64_t n, int k);
/* Fills them, in ascending order. */
void fd_nested_fill(const double *x, int64_t n, int k, const fd_nested *cells);

/* The same of values in any order, -0.0 being 0.0 (nests.c). NULL where they are scattered over so many blocks that a sort is sooner, or there is no memory. */
struct fd_nests;
struct fd_nests *fd_nests_of(const fd_source *x, int k);
int64_t fd_nests_occupied(const struct fd_nests *nests);
void fd_nests_fill(const struct fd_nests *nests, const fd_nested *cells);
void fd_nests_free(struct fd_nests *nests);

/* Of each cell the mean of its values. 0: one lies outside of its cell. */
int fd_nested_means(const fd_nested *cells, int k, double *means);

/* W1 of two multisets of finite values in cells of one size, and a bound on its error: derived at the head of cells.py.
 * Differences are taken times `shrink`, a power of two. */
void fd_nested_distance(const fd_nested *u, const fd_nested *v, int k, double shrink, double *value,
                        double *bound);

#endif
