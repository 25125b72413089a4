/* The table of the loops of matrices (tiles.h, prepare.h): one for each instruction set. */
#ifndef FD_MATRIX_TABLE_H
#define FD_MATRIX_TABLE_H

#include <stddef.h>

#include "core/core.h"

struct fd_plan; /* matrix.h */
struct fd_side;

/* Bins of a tile's sums that go together. */
enum { FD_DOT_BLOCK = 64, FD_JS_BLOCK = 64 };

/* D = base + constants of the two rows + factor * sum (or its log2), good from the sum of the rows' limits to
 * `most`; 1 from `top` on; then into a unit, and its root. */
typedef struct {
    double base, factor, top, most, unit_hi, unit_lo;
    int log, root;
} fd_finish;

typedef struct fd_tile_loops {
    void (*log2)(const double *x, double *out, ptrdiff_t n); /* of positive normal numbers */
    int (*prepare)(const struct fd_plan *plan, const struct fd_side *side, ptrdiff_t i); /* prepare.h */
    /* tiles.h: one row against several, or several against a panel of FD_LANES */
    void (*js_rows)(const double *p, const double *p_blocks, const double *q, const double *q_blocks,
                    ptrdiff_t step, ptrdiff_t blocks_step, int rows, ptrdiff_t width, int look, double *sums);
    double (*js_near)(const double *p, const double *q, ptrdiff_t n, double c_hi, double c_lo);
    void (*js_rows32)(const float *p, const float *p_blocks, const float *q, const float *q_blocks,
                      ptrdiff_t step, ptrdiff_t blocks_step, int rows, ptrdiff_t width, double *sums);
    void (*l1_rows)(const double *p, const double *q, ptrdiff_t step, int rows, ptrdiff_t width,
                    double *sums);
    void (*dot_rows)(const double *left, ptrdiff_t step, int rows, const double *panel, ptrdiff_t width,
                     double *sums, ptrdiff_t sums_step);
    /* of neighbours, nearest.c: the same in single precision, and what is done with bounds */
    void (*dot_rows32)(const float *left, ptrdiff_t step, int rows, const float *panel, ptrdiff_t width,
                       float *sums, ptrdiff_t sums_step);
    void (*overlap_bounds)(const float *overlaps, int n, double slack, double limit, const double *limits,
                           double *bounds);
    void (*l1_panels)(const double *x, const double *panel, ptrdiff_t n, double *sums);
    int (*within)(const double *values, int n, double reach, int *places);
    int (*finish_row)(double *values, int n, const fd_finish *finish, double constant, double limit,
                      const double *constants, const double *limits);
} fd_tile_loops;

#define fd_tile_loops_now (fd_here->kernels->tiles)

#endif
