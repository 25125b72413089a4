/* Rows that are mostly empty: only the bins that two rows share are looked at. */
#ifndef FD_SPARSE_H
#define FD_SPARSE_H

#include "matrix/matrix.h"

/* Compressed rows: entries [start[i], start[i+1]) of row i, bins increasing, masses > 0 or NaN. Of second
 * arguments the same entries by bin: [bin_start[k], bin_start[k+1]), rows increasing. */
typedef struct {
    ptrdiff_t n_rows, most; /* most: entries in a row */
    const int64_t *start;
    const int32_t *bin;
    const double *mass;
    double *left, *right; /* the factors of a product, or halves and their h log2 2h (matrix.h) */
    double *constant, *limit;
    uint8_t *kind;
    int64_t *bin_start;
    int32_t *row_of;
    double *left_of, *right_of; /* left and right in that order */
} fd_sparse;

/* Reads and prepares row i. */
void fd_prepare_sparse(const fd_plan *plan, const fd_sparse *side, ptrdiff_t i);

/* Row i against all rows of b. Room: `shared` for b->n_rows, `terms` for 3 times as many and for
 * 3 (a->most + b->most) numbers. */
void fd_sparse_row(const fd_plan *plan, const fd_sparse *a, ptrdiff_t i, const fd_sparse *b, double *values,
                   int32_t *shared, double *terms);

#endif
