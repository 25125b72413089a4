/* The loop over a row of logits by the exponential of exp_table.h (AVX-512), all that it adds up in registers: gcc 12
 * keeps the general loop's sums in memory, and writes each exponential three times.
 */
#ifndef FD_LOGIT_TABLE_H
#define FD_LOGIT_TABLE_H

#include "math/exp_table.h"
#include "rows/loops.h"
#include "rows/loops_table.h"

/* Up to 8 bins; how many are at max is returned. */
FD_INLINE int fd_table_logits(const double *q, ptrdiff_t n, __m512d max, double *parts, __m512d *sum) {
    __mmask8 here = (__mmask8)(n >= 8 ? 0xff : (1u << (n > 0 ? n : 0)) - 1);
    __m512d below = _mm512_sub_pd(_mm512_mask_loadu_pd(_mm512_set1_pd(-INFINITY), here, q), max);
    __m512d part = fd_table_exp_below(below);
    __mmask8 is_below = _mm512_cmp_pd_mask(below, _mm512_setzero_pd(), _CMP_LT_OQ);
    _mm512_mask_storeu_pd(parts, here, part);
    *sum = _mm512_mask_add_pd(*sum, is_below, *sum, part);
    return 8 - __builtin_popcount(is_below);
}

static void fd_table_logit_parts(const double *q, ptrdiff_t n, double max, double *parts, double *below,
                                 double *at_max) {
    __m512d low = _mm512_setzero_pd(), high = low, most = _mm512_set1_pd(max);
    ptrdiff_t count = 0, i = 0;
    for (; i + FD_LANES <= n; i += FD_LANES) {
        count += fd_table_logits(q + i, 8, most, parts + i, &low);
        count += fd_table_logits(q + i + 8, 8, most, parts + i + 8, &high);
    }
    if (i < n) {
        count += fd_table_logits(q + i, n - i, most, parts + i, &low);
        count += fd_table_logits(q + i + 8, n - i - 8, most, parts + i + 8, &high);
    }
    *below = fd_fold_pair(low, high);
    *at_max = (double)count;
}

/* In the table of loops (level.h) it stands in place of the general one. */
#define fd_logit_parts_loop fd_table_logit_parts

#endif
