/* One measure of one pair of rows: the seam between Cython and C. */
#ifndef FD_ROWS_H
#define FD_ROWS_H

#include "rows/list.h"
#include "rows/view.h"

/* One of FD_N_MEASURES, in the caller's unit. NaN for a row that is none: NaN, negative or infinite entries, no mass.
 */
double fd_row(fd_measure measure, fd_view p, fd_view q, ptrdiff_t n, const fd_options *options);

/* FD_ROWS pairs of rows or fewer, `step` bytes apart: the same bits as one by one. What has lanes may be computed
 * side by side (lanes.c), whatever its layout. */
int fd_has_lanes(fd_measure measure, fd_scalar scalar, ptrdiff_t n, const fd_options *options);
void fd_rows(fd_measure measure, fd_view p, ptrdiff_t p_step, fd_view q, ptrdiff_t q_step, int rows,
             ptrdiff_t n, const fd_options *options, double *out);

/* Rows that lie `step` bytes apart, side by side rather than one after the other, as contiguous doubles, or floats
 * where they are, `pitch` numbers from row to row: the first of them. */
fd_view fd_gather_rows(fd_view first, ptrdiff_t step, ptrdiff_t rows, ptrdiff_t n, double *out,
                       ptrdiff_t pitch);

/* Bits of single events: surprisal -log2 p, or the entropy of p and 1-p. NaN outside [0, 1]. */
void fd_events(int entropy, fd_view p, ptrdiff_t n, double *out);

/* x log(x/y) of so many elements, nats; `whole`: with - x + y. `out` is none of the views. */
enum { FD_ELEMENTS = 1024 };
void fd_elements(int whole, fd_view x, fd_view y, ptrdiff_t n, double *out);

/* js_divergence or js_distance of m rows, `step` bytes apart, mixed by weights that add to 1. */
double fd_js_stack(fd_measure measure, fd_view first, ptrdiff_t step, ptrdiff_t m, const double *weights,
                   ptrdiff_t n, const fd_options *options);

#endif
