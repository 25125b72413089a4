/* Pairs of rows side by side (lanes.c), for their values and for what follows these: gradients (gradient_lanes.c). */
#ifndef FD_LANES_H
#define FD_LANES_H

#include "rows/finish.h"
#include "rows/view.h"

/* Bin j of row i is at [j][i]; p = q: entropy. */
typedef struct {
    ptrdiff_t n;
    int logs; /* rows of logarithms */
    double *p, *q;
    fd_lane_stats of_p, of_q;
    fd_pairs pairs;
    double first[FD_ROWS]; /* of a symmetric measure: rows with a negative number were exchanged */
    double mark[FD_ROWS];  /* other than 0: a row that goes alone; */
    unsigned alone;        /* likewise, by bits */
} fd_beside;

static inline fd_view fd_row_at(fd_view v, ptrdiff_t step, ptrdiff_t i) {
    return (fd_view){v.data + i * step, v.stride, v.scalar};
}

/* Whether so many rows are better off side by side. */
int fd_is_worth_lanes(fd_view p, ptrdiff_t p_step, fd_view q, ptrdiff_t q_step, int rows, ptrdiff_t n);

/* From one bin's share of the next rows to another's: a bin of columns, or FD_ROWS numbers of the rows there. */
ptrdiff_t fd_ahead_step(fd_view v, ptrdiff_t step);

/* Rows `step` bytes apart, side by side in `out`, the last one once more where there are fewer than FD_ROWS; doubles that
 * lie so are read in place: the result, `pitch` from bin to bin. */
const double *fd_lay_beside(fd_view v, ptrdiff_t step, int rows, ptrdiff_t n, double *out, ptrdiff_t *pitch);

/* Reads the masses of rows; those that are not ordinary are marked. */
void fd_weigh_beside(fd_beside *b, fd_view v, ptrdiff_t step, int rows, const fd_options *o, double *out,
                     fd_lane_stats *stats);

/* The same of logarithms, n <= FD_FEW. */
void fd_log_weigh_beside(fd_beside *b, fd_view v, ptrdiff_t step, int rows, double *out,
                         fd_lane_stats *stats);

/* What the terms of these have to know of them besides; marks pairs that fd_is_far is true of. */
void fd_shift_beside(fd_beside *b);
void fd_mark_far_beside(fd_beside *b);

/* Lays rows side by side in `copies`, 2 n FD_ROWS numbers (half of them with entropy), and weighs them; of logarithms
 * n <= FD_FEW. */
void fd_open_beside(fd_beside *b, const fd_route *route, fd_view p, ptrdiff_t p_step, fd_view q,
                    ptrdiff_t q_step, int is_entropy, int rows, ptrdiff_t n, const fd_options *o,
                    double *copies);

/* What a term has to know of the rows: exchanged, where a symmetric measure takes them in another order. */
void fd_pair_beside(fd_beside *b, const fd_route *route, int symmetric, const fd_options *o);

/* Exchanges them so, or back. */
void fd_exchange_beside(fd_beside *b);

/* From sums over those of p to values; rows that may be at the bound are left alone. */
void fd_finish_beside(fd_beside *b, fd_measure measure, const fd_options *o, double *d);

/* The values of those that are not left alone: all of this. */
void fd_values_beside(fd_beside *b, const fd_route *route, int symmetric, const fd_options *o, double *d);

/* Takes back in which order that had the rows. */
void fd_turn_back_beside(fd_beside *b, const fd_route *route, int symmetric);

/* The scale between the rows of `which`, more exactly (fd_refine_scale). */
void fd_refine_beside(fd_beside *b, unsigned which);

/* A bit for each row that is marked by other than 0. */
unsigned fd_marked(const double *mark);

#endif
