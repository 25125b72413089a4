/* The table of the loops of matrices (tile_loops.h, prepare_loops.h): one for each instruction set. */
#ifndef FD_MATRIX_TABLE_H
#define FD_MATRIX_TABLE_H

#include <stddef.h>

#include "core/core.h"
#include "math/sum.h"
#include "rows/table.h"

/* Bins of a tile's sums that go together. Sums of one term a bin are cut at FD_CHUNK, so that no chain of additions
 * in a lane exceeds 128, and those of shared bins (sparse.c) at FD_SHARED. */
enum {
    FD_DOT_BLOCK = 64,
    FD_JS_BLOCK = 64,
    FD_CHUNK = 128 * FD_LANES,
    FD_L1_CHUNK = 512, /* and what is added up of some rows while they are in the first cache */
    FD_DOT_CHUNK = 64 * FD_DOT_BLOCK,
    FD_DOT_PART = 512, /* of such a chunk, likewise in the second */
    FD_SHARED = 128,
    FD_FEW_BINS = 24 /* bins of rows that are compared a row to a lane (few_loops.h) */
};

/* Of a lower bound of Jensen-Shannon (nearest.c). */
#define FD_LEAST_A 3.8
#define FD_LEAST_B 3.26

/* A block of a row: shares p, scaled shares a = 2^e p, log2 a (0 where a is); whether a bin has no share. */
typedef struct {
    double p[FD_BLOCK], a[FD_BLOCK], log[FD_BLOCK];
    int any_empty;
} fd_shares;

/* D = base + constants of the two rows + factor * sum (or its log2), good from the sum of the rows' limits to
 * `most`; 1 from `top` on; then into a unit, and its root. */
typedef struct {
    double base, factor, top, most, unit_hi, unit_lo;
    int log, root;
} fd_finish;

typedef struct fd_tile_loops {
    void (*log2)(const double *x, double *out, ptrdiff_t n); /* of positive normal numbers */
    /* of a row, prepare_loops.h */
    double (*shares)(const double *x, int n, int padded, double sum, double scale, int with_logs,
                     fd_shares *s);
    double (*js_shares)(const fd_shares *s, int padded, double *half, double *blocks, float *half32,
                        float *blocks32);
    void (*js_terms)(const fd_shares *s, int n, double *half, double *terms);
    double (*factors)(int measure, double alpha, fd_shares *s, int padded);
    void (*cumulate)(const double *x, ptrdiff_t n, fd_sum *mass, double *out);
    void (*divide)(const double *x, ptrdiff_t n, double total, const double *place, double *out);
    double (*size)(const double *x, ptrdiff_t n);
    /* FD_TURNED rows of n entries, a multiple of FD_LANES, `step` apart, into a panel */
    void (*turn)(const double *rows, ptrdiff_t step, ptrdiff_t n, double *panel);
    void (*roots)(const double *x, ptrdiff_t n, float *out, float *roots_of_those);
    /* tile_loops.h: one row against several, or several against a panel of FD_LANES */
    void (*js_rows)(const double *p, const double *p_blocks, const double *q, const double *q_blocks,
                    ptrdiff_t step, ptrdiff_t blocks_step, int rows, ptrdiff_t width, int look, double *sums);
    /* few_loops.h */
    void (*js_few)(const double *p, const double *a, const double *panel, const double *terms, int n,
                   double *sums);
    double (*js_few_pair)(const double *p, const double *a, const double *q, const double *b, int n);
    double (*js_near)(const double *p, const double *q, ptrdiff_t n, double c_hi, double c_lo, double none);
    void (*js_rows32)(const float *p, const float *p_blocks, const float *q, const float *q_blocks,
                      ptrdiff_t step, ptrdiff_t blocks_step, int rows, ptrdiff_t width, double *sums);
    void (*l1_rows)(const double *p, int rows, const double *q, int columns, ptrdiff_t step, ptrdiff_t n,
                    double *sums, ptrdiff_t sums_step, int first);
    void (*dot_rows)(const double *left, ptrdiff_t step, int rows, const double *panel, ptrdiff_t width,
                     double *sums, ptrdiff_t sums_step, int first);
    /* of neighbours, nearest.c: the same in single precision, and what is done with bounds */
    void (*dot_rows32)(const float *left, ptrdiff_t step, int rows, const float *panel, ptrdiff_t width,
                       float *sums, ptrdiff_t sums_step, int first);
    void (*overlap_bounds)(const float *overlaps, int n, double slack, double limit, const double *limits,
                           double *bounds);
    double (*js_least)(const float *p, const float *q, ptrdiff_t width);
    void (*l1_panels)(const double *x, const double *panel, ptrdiff_t n, double *sums);
    int (*within)(const double *values, int n, double reach, int *places);
    int (*finish_row)(double *values, int n, const fd_finish *finish, double constant, double limit,
                      const double *constants, const double *limits);
} fd_tile_loops;

#define fd_tile_loops_now (fd_here->kernels->tiles)

#endif
