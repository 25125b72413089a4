/* Cross entropy of masses, or of a class, against logits. */
#ifndef FD_LOGITS_H
#define FD_LOGITS_H

#include "rows/rows.h"

/* p masses, q logits; of the derivatives those are written whose array is not NULL. */
double fd_logits_cross_entropy(fd_view p, fd_view q, ptrdiff_t n, const fd_options *options, double *by_p,
                               double *by_q);

/* The same of FD_ROWS rows or fewer, `step` bytes apart, the derivatives `pitch` numbers: the same bits as
 * one by one. */
void fd_logits_cross_entropies(fd_view p, ptrdiff_t p_step, fd_view q, ptrdiff_t q_step, int rows,
                               ptrdiff_t n, const fd_options *options, double *values, double *by_p,
                               ptrdiff_t p_pitch, double *by_q, ptrdiff_t q_pitch);

/* Likewise of logits alone, all mass in class `label` of each; NaN where there is no such class. */
void fd_label_cross_entropies(const ptrdiff_t *labels, fd_view q, ptrdiff_t step, int rows, ptrdiff_t n,
                              const fd_options *options, double *values, double *by_q, ptrdiff_t pitch);

#endif
