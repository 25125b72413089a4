/* log2 by tables that two registers hold (AVX-512), without a division: x = 2^k c (1 + r) with a c for each of 16
 * parts of [1, 2) and -1/33 <= r <= 1/16, so log2 x = k + log2 c + r P(r), exact for powers of 2.
 *
 * Absolute error: (1 + |log2 x|) u at most: rounding k + log2 c and the sum, half an ulp of log2 c, and 0.3u
 * left by the polynomial (coefficients.py; single precision: 32 parts, |r| <= 1/32, 0.5u). Near 1 the
 * relative error is not small: this is for sums of m log2 m whose error is bounded absolutely (limits.c).
 */
#ifndef FD_LOG_TABLE_H
#define FD_LOG_TABLE_H

#include <immintrin.h>

#include "math/log.h"

static const double fd_inverse[16] = {1.0,
                                      0.9142857142857143,
                                      0.8648648648648649,
                                      0.8205128205128205,
                                      0.7804878048780488,
                                      0.7441860465116279,
                                      0.7111111111111111,
                                      0.6808510638297872,
                                      0.6530612244897959,
                                      0.6274509803921569,
                                      0.6037735849056604,
                                      0.5818181818181818,
                                      0.5614035087719298,
                                      0.5423728813559322,
                                      0.5245901639344263,
                                      0.5079365079365079};

static const double fd_log2_middle[16] = {0.0,
                                          0.1292830169449665,
                                          0.2094533656289497,
                                          0.28540221886224837,
                                          0.3575520046180836,
                                          0.42626475470209796,
                                          0.49185309632967467,
                                          0.5545888516776374,
                                          0.6147098441152083,
                                          0.6724253419714956,
                                          0.7279204545631992,
                                          0.7813597135246597,
                                          0.8328900141647417,
                                          0.8826430493618412,
                                          0.9307373375628862,
                                          0.9772799234999165};

static const float fd_inverse32[32] = {
    1.0f,        0.95522386f, 0.92753625f, 0.90140843f, 0.8767123f,  0.85333335f, 0.83116883f, 0.8101266f,
    0.79012346f, 0.7710843f,  0.7529412f,  0.7356322f,  0.71910113f, 0.7032967f,  0.68817204f, 0.67368424f,
    0.6597938f,  0.64646465f, 0.63366336f, 0.6213592f,  0.60952383f, 0.5981308f,  0.58715594f, 0.5765766f,
    0.5663717f,  0.5565217f,  0.5470086f,  0.53781515f, 0.5289256f,  0.5203252f,  0.512f,      0.503937f};

static const float fd_log2_middle32[32] = {
    0.0f,        0.06608922f, 0.10852443f, 0.14974715f, 0.18982457f, 0.22881866f, 0.26678655f, 0.3037807f,
    0.33984998f, 0.3750395f,  0.4093909f,  0.4429435f,  0.47573343f, 0.5077946f,  0.5391588f,  0.5698556f,
    0.5999129f,  0.6293566f,  0.6582115f,  0.6865005f,  0.71424544f, 0.74146706f, 0.76818436f, 0.79441583f,
    0.820179f,   0.8454901f,  0.87036467f, 0.8948177f,  0.9188633f,  0.94251454f, 0.9657842f,  0.9886847f};

FD_INLINE __m512d fd_table_log2(__m512d x) {
    __m512i part = _mm512_srli_epi64(_mm512_castpd_si512(x), 48); /* its lowest 4 bits are taken */
    __m512d k = _mm512_getexp_pd(x), mantissa = _mm512_getmant_pd(x, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_zero);
    __m512d inverse =
        _mm512_permutex2var_pd(_mm512_loadu_pd(fd_inverse), part, _mm512_loadu_pd(fd_inverse + 8));
    __m512d middle =
        _mm512_permutex2var_pd(_mm512_loadu_pd(fd_log2_middle), part, _mm512_loadu_pd(fd_log2_middle + 8));
    __m512d r = _mm512_fmsub_pd(mantissa, inverse, _mm512_set1_pd(1.0)),
            tail = _mm512_set1_pd(0.14039634285938063);
    tail = _mm512_fmadd_pd(tail, r, _mm512_set1_pd(-0.17963582406568976));
    tail = _mm512_fmadd_pd(tail, r, _mm512_set1_pd(0.20611865632342194));
    tail = _mm512_fmadd_pd(tail, r, _mm512_set1_pd(-0.24045049906418994));
    tail = _mm512_fmadd_pd(tail, r, _mm512_set1_pd(0.2885390081828626));
    tail = _mm512_fmadd_pd(tail, r, _mm512_set1_pd(-0.36067375956662834));
    tail = _mm512_fmadd_pd(tail, r, _mm512_set1_pd(0.48089834696073774));
    tail = _mm512_fmadd_pd(tail, r, _mm512_set1_pd(-0.7213475204445664));
    tail = _mm512_fmadd_pd(tail, r, _mm512_set1_pd(1.4426950408889636));
    return _mm512_fmadd_pd(r, tail, _mm512_add_pd(k, middle));
}

FD_INLINE __m512 fd_table_log2_32(__m512 x) {
    __m512i part = _mm512_srli_epi32(_mm512_castps_si512(x), 18); /* its lowest 5 bits are taken */
    __m512 k = _mm512_getexp_ps(x), mantissa = _mm512_getmant_ps(x, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_zero);
    __m512 inverse =
        _mm512_permutex2var_ps(_mm512_loadu_ps(fd_inverse32), part, _mm512_loadu_ps(fd_inverse32 + 16));
    __m512 middle = _mm512_permutex2var_ps(_mm512_loadu_ps(fd_log2_middle32), part,
                                           _mm512_loadu_ps(fd_log2_middle32 + 16));
    __m512 r = _mm512_fmsub_ps(mantissa, inverse, _mm512_set1_ps(1.0f)), tail = _mm512_set1_ps(0.47229216f);
    tail = _mm512_fmadd_ps(tail, r, _mm512_set1_ps(-0.72141904f));
    tail = _mm512_fmadd_ps(tail, r, _mm512_set1_ps(1.442696f));
    return _mm512_fmadd_ps(r, tail, _mm512_add_ps(k, middle));
}

#endif
