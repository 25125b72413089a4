/* Entropy and cross entropy by the logarithm of log_table.h, without a division (AVX-512).
 *
 * That logarithm is good to (1 + |log2 x|) u, so it serves where |log2 x| is not small. Blocks that hold a mass of
 * more than half the row's are left to the loops of loops.h.
 */
#ifndef FD_LOOPS_TABLE_H
#define FD_LOOPS_TABLE_H

#include "math/log_table.h"
#include "rows/measures.h"

FD_INLINE __m512d fd_load(const double *x, ptrdiff_t n) {
    return n >= 8 ? _mm512_loadu_pd(x) : _mm512_maskz_loadu_pd((__mmask8)((1u << (n > 0 ? n : 0)) - 1), x);
}

/* p log2(S/q) = -p log2 r,    r = q/S <= 1/2: relative error 6u. */
FD_INLINE __m512d fd_surprise(__m512d p, __m512d q, __m512d share, __m512d *most, __m512d sum) {
    __m512d r = _mm512_mul_pd(q, share);
    *most = _mm512_max_pd(*most, r);
    __m512d log = fd_table_log2(_mm512_max_pd(r, _mm512_set1_pd(FD_TINY)));
    return _mm512_fnmadd_pd(p, log, sum);
}

/* The same, infinite where there is p and no q. */
FD_INLINE __m512d fd_cross_surprise(__m512d p, __m512d q, __m512d share, __m512d *most, __m512d sum) {
    __m512d zero = _mm512_setzero_pd(), r = _mm512_mul_pd(q, share);
    *most = _mm512_max_pd(*most, r);
    __m512d log = fd_table_log2(_mm512_max_pd(r, _mm512_set1_pd(FD_TINY)));
    log = _mm512_mask_mov_pd(log, _mm512_cmp_pd_mask(q, zero, _CMP_EQ_OQ), _mm512_set1_pd(-INFINITY));
    return _mm512_mask3_fnmadd_pd(p, log, sum, _mm512_cmp_pd_mask(p, zero, _CMP_GT_OQ));
}

FD_INLINE double fd_fold_pair(__m512d low, __m512d high) {
    double lanes[FD_LANES];
    _mm512_storeu_pd(lanes, low);
    _mm512_storeu_pd(lanes + FD_LANES / 2, high);
    return fd_fold(lanes);
}

#define FD_SURPRISE_LOOP(name, step)                                                                         \
    static double fd_table_sum_##name(const double *p, const double *q, ptrdiff_t n, const fd_pair *pair) {  \
        if (n <= FD_FEW) /* as rows side by side (lane_loops.h) */                                           \
            return fd_sum_##name(p, q, n, pair);                                                             \
        __m512d share = _mm512_set1_pd(1.0 / pair->s_hi), low = _mm512_setzero_pd(), high = low, most = low; \
        for (ptrdiff_t i = 0; i < n; i += FD_LANES) {                                                        \
            fd_fetch_ahead(p + i, pair->p_ahead);                                                            \
            if (q != p)                                                                                      \
                fd_fetch_ahead(q + i, pair->q_ahead);                                                        \
            low = step(fd_load(p + i, n - i), fd_load(q + i, n - i), share, &most, low);                     \
            high = step(fd_load(p + i + 8, n - i - 8), fd_load(q + i + 8, n - i - 8), share, &most, high);   \
        }                                                                                                    \
        if (!(_mm512_reduce_max_pd(most) <= 0.5))                                                            \
            return fd_sum_##name(p, q, n, pair);                                                             \
        return fd_fold_pair(low, high);                                                                      \
    }

FD_SURPRISE_LOOP(entropy, fd_surprise)
FD_SURPRISE_LOOP(cross_entropy, fd_cross_surprise)
#undef FD_SURPRISE_LOOP

/* In the table of loops (level.h) they stand in place of those that they leave some blocks to. */
#define fd_sum_entropy       fd_table_sum_entropy
#define fd_sum_cross_entropy fd_table_sum_cross_entropy

#endif
