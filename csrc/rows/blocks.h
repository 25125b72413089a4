/* Sums over the blocks of one or two rows, of long rows by a team of threads. */
#ifndef FD_BLOCKS_H
#define FD_BLOCKS_H

#include <stdlib.h>

#include "math/sum.h"
#include "rows/reader.h"

/* What is done to each block of one or two rows; a sum of terms is stats->sum_hi. */
typedef struct {
    const fd_row_reader *p, *q;
    ptrdiff_t n;
    fd_sum_loop loop; /* NULL: the statistics of p, exact or not */
    const fd_pair *pair;
    int exact;
    int single; /* rows of floats: as they are, by single_loop, NULL: the statistics of p */
    fd_single_loop single_loop;
    double add, *smooth; /* not NULL: where p + add is written, of which the statistics are (table.h) */
} fd_work;

static void fd_work_on_floats(const fd_work *w, ptrdiff_t start, fd_stats *result) {
    float p_copy[FD_BLOCK], q_copy[FD_BLOCK];
    ptrdiff_t size = w->n - start < FD_BLOCK ? w->n - start : FD_BLOCK;
    const float *p = fd_block_of_floats(w->p, start, size, p_copy);
    if (w->single_loop) {
        const float *q = fd_block_of_floats(w->q, start, size, q_copy);
        *result = (fd_stats){.sum_hi = w->single_loop(p, q, size, w->pair)};
    } else {
        fd_row_loops_now->single_stats(p, size, result);
    }
}

static inline void fd_work_on_block(const fd_work *w, ptrdiff_t start, fd_stats *result) {
    double p_copy[FD_BLOCK], q_copy[FD_BLOCK];
    ptrdiff_t size = w->n - start < FD_BLOCK ? w->n - start : FD_BLOCK;
    if (w->single) {
        fd_work_on_floats(w, start, result);
        return;
    }
    const double *p = fd_block(w->p, start, size, p_copy);
    if (w->smooth) {
        fd_row_loops_now->smooth(p, size, w->add, w->smooth + start, result);
        return;
    }
    if (!w->loop) {
        (w->exact ? fd_row_loops_now->exact_stats : fd_row_loops_now->stats)(p, size, result);
        return;
    }
    const double *q = w->q == w->p ? p : fd_block(w->q, start, size, q_copy);
    *result = (fd_stats){.sum_hi = w->loop(p, q, size, w->pair)};
}

/* All blocks of a long row by a team of threads, for the caller to add up in order; NULL if that is not worth
 * it (or there is no memory for it). */
static inline fd_stats *fd_work_in_parallel(const fd_work *w) {
    ptrdiff_t blocks = (w->n + FD_BLOCK - 1) / FD_BLOCK;
    int team = blocks < 128 ? 1 : fd_team((double)w->n, blocks / 64.0);
    fd_stats *results = team > 1 ? malloc((size_t)blocks * sizeof *results) : NULL;
    if (results) {
#pragma omp parallel for num_threads(team) schedule(static)
        for (ptrdiff_t b = 0; b < blocks; b++)
            fd_work_on_block(w, b * FD_BLOCK, &results[b]);
    }
    return results;
}

static fd_stats fd_work_through_many(const fd_work *w) {
    fd_stats total = {0}, *results = fd_work_in_parallel(w);
    fd_sum sum = {0};
    for (ptrdiff_t start = 0; start < w->n; start += FD_BLOCK) {
        fd_stats s;
        if (results)
            s = results[start / FD_BLOCK];
        else
            fd_work_on_block(w, start, &s);
        fd_sum_add(&sum, s.sum_hi);
        sum.error += s.sum_lo;
        total.is_signed |= s.is_signed;
        total.is_tiny |= s.is_tiny;
        if (!(sum.value < INFINITY)) {
            sum.error = 0.0; /* inf or NaN: nothing can follow that changes it */
            if (!w->smooth)
                break;
        }
    }
    free(results);
    total.sum_hi = sum.value + sum.error;
    total.sum_lo = sum.error - (total.sum_hi - sum.value);
    return total;
}

static inline fd_stats fd_work_through(const fd_work *w) {
    if (w->n > FD_BLOCK)
        return fd_work_through_many(w);
    fd_stats only; /* the same bits, at half the cost of a short row */
    fd_work_on_block(w, 0, &only);
    return only;
}

/* Of the masses of a row; exact: sum_hi + sum_lo to twice the working precision. */
static inline fd_stats fd_row_stats(const fd_row_reader *r, ptrdiff_t n, int exact) {
    return fd_work_through(&(fd_work){.p = r, .n = n, .exact = exact});
}

/* The sum of what a loop returns. */
static inline double fd_loop(fd_sum_loop loop, const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                             const fd_pair *pair) {
    return fd_work_through(&(fd_work){.p = p, .q = q, .n = n, .loop = loop, .pair = pair}).sum_hi;
}

#endif
