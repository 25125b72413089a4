/* exp by a table that two registers hold (AVX-512): exp(v) = 2^k exp(r) with k to a sixteenth, |r| <= ln 2/32, so a
 * polynomial of half the length of fd_exp_below's serves.
 *
 * Relative error 2.3u, at most u of the table, another of the sum, and 0.25u left by the polynomial
 * (coefficients.py): 1.21 ulp is what was met.
 */
#ifndef FD_EXP_TABLE_H
#define FD_EXP_TABLE_H

#include <immintrin.h>

#include "math/log.h"

/* 2^(i/16) */
static const double fd_sixteenths[16] = {1.0,
                                         1.0442737824274138,
                                         1.0905077326652577,
                                         1.1387886347566916,
                                         1.189207115002721,
                                         1.241857812073484,
                                         1.2968395546510096,
                                         1.3542555469368927,
                                         1.4142135623730951,
                                         1.4768261459394993,
                                         1.5422108254079407,
                                         1.6104903319492543,
                                         1.681792830507429,
                                         1.7562521603732995,
                                         1.8340080864093424,
                                         1.9152065613971474};

/* exp(v), v <= 709; 0 below -708, where it would be subnormal. */
FD_INLINE __m512d fd_table_exp_below(__m512d v) {
    const __m512d round =
        _mm512_set1_pd(0x1.8p48); /* adding it rounds to a sixteenth: its last 4 bits say which */
    __m512d rounded = _mm512_fmadd_pd(v, _mm512_set1_pd(FD_LOG2_E), round), k = _mm512_sub_pd(rounded, round);
    __m512d r = _mm512_fnmadd_pd(k, _mm512_set1_pd(0x1.62e42feep-1), v); /* ln 2 as in fd_exp_below */
    r = _mm512_fnmadd_pd(k, _mm512_set1_pd(0x1.a39ef35793c76p-33), r);
    __m512d power = _mm512_permutex2var_pd(_mm512_loadu_pd(fd_sixteenths), _mm512_castpd_si512(rounded),
                                           _mm512_loadu_pd(fd_sixteenths + 8));
    __m512d tail =
        _mm512_fmadd_pd(r, _mm512_set1_pd(0.0013889034471524727), _mm512_set1_pd(0.008333449799593924));
    tail = _mm512_fmadd_pd(r, tail, _mm512_set1_pd(0.041666666664957566));
    tail = _mm512_fmadd_pd(r, tail, _mm512_set1_pd(0.16666666665299382));
    tail = _mm512_fmadd_pd(r, tail, _mm512_set1_pd(0.5));
    __m512d rest = _mm512_fmadd_pd(_mm512_mul_pd(r, r), tail, r); /* exp(r) - 1 */
    __mmask8 is_normal = _mm512_cmp_pd_mask(v, _mm512_set1_pd(-708.0), _CMP_GE_OQ);
    return _mm512_maskz_scalef_pd(is_normal, _mm512_fmadd_pd(power, rest, power), k);
}

#endif
