/* Cross entropy of masses, or of a class, against logits. */
#ifndef FD_LOGITS_H
#define FD_LOGITS_H

#include "rows/rows.h"

/* p masses, q logits; of the derivatives those are written whose array is not NULL. */
double fd_logits_cross_entropy(fd_view p, fd_view q, ptrdiff_t n, const fd_options *options, double *by_p,
                               double *by_q);

/* All mass in class `label` of q; NaN where there is no such class. */
double fd_label_cross_entropy(ptrdiff_t label, fd_view q, ptrdiff_t n, const fd_options *options,
                              double *by_q);

#endif
