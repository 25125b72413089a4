/* Which of two shares is larger, for certain: the sign of p_i sum(q) - q_i sum(p), in whole numbers. */
#ifndef FD_SIGNS_H
#define FD_SIGNS_H

#include "math/whole.h"
#include "rows/weigh.h"

/* Shares that are nearer than this, relative, the loops leave undecided: their scale is good to some u sqrt(n). */
static const double FD_UNDECIDED = 0x1p-36;

static inline fd_whole fd_whole_sum(const fd_row_reader *r, ptrdiff_t n) {
    fd_whole sum = fd_whole_zero();
    for (ptrdiff_t i = 0; i < n; i++)
        fd_whole_add(&sum, fd_given(r, i));
    return sum;
}

static inline int fd_sign_of_difference(double p, double q, const fd_whole *p_sum, const fd_whole *q_sum) {
    fd_whole x = fd_whole_times(q_sum, p), y = fd_whole_times(p_sum, q);
    return fd_whole_compare(&x, &y);
}

#endif
