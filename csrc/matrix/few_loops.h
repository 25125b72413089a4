/* Jensen-Shannon of rows of at most FD_FEW_BINS bins: one row against a panel of FD_LANES rows packed bin by bin, a row
 * to a lane, so that there are no lanes to fold and no bins to pad. Compiled once per instruction set (levels/).
 *
 * The halves h = p/2 and their terms a = h log2 2h are known of every row, so what is left of a bin is
 *
 *     t = (a_p + a_q) - m log2 m,    m = h_p + h_q,
 *
 * small where the rows agree. Bins k and h + k, h = n/2, go together (they may share a division); each half is added
 * up in FD_CHAINS chains, and then the bin that is left of an odd number: the same for a pair by itself, whose bins
 * are the lanes.
 */
#include "math/log.h"
#include "matrix/table.h"
#ifdef FD_AVX512
#    include "math/log_table.h"
#endif

enum { FD_CHAINS = 4 }; /* of additions, so that a pair by itself does not wait for each */

FD_INLINE double fd_few_sum(const double *first, const double *second, int step) {
    return ((first[0] + first[step]) + (first[2 * step] + first[3 * step])) +
           ((second[0] + second[step]) + (second[2 * step] + second[3 * step]));
}

/* sums += t of FD_LANES bins, and sums2 of as many others. Of p there may be one bin for all lanes. */
#ifdef FD_AVX512
FD_INLINE __m512d fd_few_entries(const double *x, int is_one) {
    return is_one ? _mm512_set1_pd(*x) : _mm512_loadu_pd(x);
}

FD_INLINE void fd_few_term(const double *p, const double *a, int is_one, const double *q, const double *b,
                           double *sums) {
    __m512d m = _mm512_add_pd(fd_few_entries(p, is_one), _mm512_loadu_pd(q));
    __m512d both = _mm512_add_pd(fd_few_entries(a, is_one), _mm512_loadu_pd(b));
    __m512d t = _mm512_fnmadd_pd(m, fd_table_log2(m), both);
    _mm512_storeu_pd(sums, _mm512_add_pd(_mm512_loadu_pd(sums), t));
}

FD_INLINE void fd_few_terms(const double *p, const double *a, ptrdiff_t next, int is_one, const double *q,
                            const double *b, ptrdiff_t next_q, double *sums, double *sums2) {
    enum { HALF = FD_LANES / 2 };
    int high = is_one ? 0 : HALF;
    fd_few_term(p, a, is_one, q, b, sums);
    fd_few_term(p + high, a + high, is_one, q + HALF, b + HALF, sums + HALF);
    fd_few_term(p + next, a + next, is_one, q + next_q, b + next_q, sums2);
    fd_few_term(p + next + high, a + next + high, is_one, q + next_q + HALF, b + next_q + HALF, sums2 + HALF);
}
#else
FD_INLINE void fd_few_terms(const double *p, const double *a, ptrdiff_t next, int is_one, const double *q,
                            const double *b, ptrdiff_t next_q, double *sums, double *sums2) {
#    pragma omp simd
    for (int lane = 0; lane < FD_LANES; lane++) {
        ptrdiff_t at = is_one ? 0 : lane, too = next + at, too_q = next_q + lane;
        double m = p[at] + q[lane], m2 = p[too] + q[too_q];
        fd_log_parts l = fd_split_log(m), l2 = fd_split_log(m2);
        double both = 1.0 / (l.d * l2.d);
        sums[lane] += fd_madd(-m, fd_join_log(l.k, l.n * (both * l2.d)), a[at] + b[lane]);
        sums2[lane] += fd_madd(-m2, fd_join_log(l2.k, l2.n * (both * l.d)), a[too] + b[too_q]);
    }
}
#endif

/* Row p, with its terms, against a panel; FD_LANES sums. */
static void fd_js_few(const double *p, const double *a, const double *panel, const double *terms, int n,
                      double *sums) {
    int half = n / 2;
    double first[FD_CHAINS][FD_LANES] = {{0}}, second[FD_CHAINS][FD_LANES] = {{0}}, last[FD_LANES] = {0};
    for (int k = 0; k < half; k++)
        fd_few_terms(p + k, a + k, half, 1, panel + k * FD_LANES, terms + k * FD_LANES, half * FD_LANES,
                     first[k % FD_CHAINS], second[k % FD_CHAINS]);
    if (n % 2) {
        double same[FD_LANES] = {0};
        fd_few_terms(p + n - 1, a + n - 1, 0, 1, panel + (n - 1) * FD_LANES, terms + (n - 1) * FD_LANES, 0,
                     last, same);
    }
#pragma omp simd
    for (int lane = 0; lane < FD_LANES; lane++)
        sums[lane] = fd_few_sum(&first[0][lane], &second[0][lane], FD_LANES) + last[lane];
}

/* Row p against row q. Entries beyond n/2 are read, and nothing is done with what comes of them. */
static double fd_js_few_pair(const double *p, const double *a, const double *q, const double *b, int n) {
    int half = n / 2;
    double first[FD_CHAINS] = {0}, second[FD_CHAINS] = {0}, last[FD_LANES] = {0};
    for (int start = 0; start < half; start += FD_LANES) {
        double t[FD_LANES] = {0}, t2[FD_LANES] = {0};
        fd_few_terms(p + start, a + start, half, 0, q + start, b + start, half, t, t2);
        int size = half - start < FD_LANES ? half - start : FD_LANES;
        for (int k = 0; k < size; k++) { /* FD_LANES is a multiple of FD_CHAINS */
            first[k % FD_CHAINS] += t[k];
            second[k % FD_CHAINS] += t2[k];
        }
    }
    if (n % 2) {
        double same[FD_LANES] = {0};
        fd_few_terms(p + n - 1, a + n - 1, 0, 1, q + n - 1, b + n - 1, 0, last, same);
    }
    return fd_few_sum(first, second, 1) + last[0];
}
