/* The terms of relative entropies, element by element: x log(x/y) and x log(x/y) - x + y, nats, for any doubles.
 * Compiled once per instruction set (levels/).
 *
 * They are the terms of rows (measures.h) with c = 1. Elements too large or too small for those are done again one by
 * one: as the terms are homogeneous, on a scale where the larger is near 1; where the smaller has none there, the log
 * ratio is beyond 500 and the terms are added up as they stand.
 */
#include "rows/measures.h"

FD_INLINE int fd_is_plain_mass(double x) { return (x == 0.0) | ((x >= FD_MASS_MIN) & (x <= 0x1p60)); }

/* One element of any kind; `whole`: with - x + y. */
#define FD_ELEMENT_LOOP(name, term, whole)                                                                   \
    static double fd_odd_##name(double x, double y, const fd_pair *pair) {                                   \
        int exponent;                                                                                        \
        if (x != x || y != y || (x == INFINITY && y == INFINITY))                                            \
            return NAN;                                                                                      \
        if (x < 0.0 || y < 0.0 || (y == 0.0 && x > 0.0) || x == INFINITY)                                    \
            return INFINITY;                                                                                 \
        if (x == 0.0 || y == INFINITY)                                                                       \
            return whole ? y : x == 0.0 ? 0.0 : -INFINITY;                                                   \
        frexp(x > y ? x : y, &exponent);                                                                     \
        double a = ldexp(x, -exponent), b = ldexp(y, -exponent);                                             \
        if (a >= FD_MASS_MIN && b >= FD_MASS_MIN)                                                            \
            return ldexp(FD_LN_2 * term(a, b, pair), exponent);                                              \
        double ratio = log(x) - log(y);                                                                      \
        return whole && x < y ? y : x * (ratio - whole);                                                     \
    }                                                                                                        \
                                                                                                             \
    static void fd_##name##_loop(const double *x, const double *y, ptrdiff_t n, double *out) {               \
        static const fd_pair pair = {.c_hi = 1.0};                                                           \
        double odd = 0.0;                                                                                    \
        _Pragma("omp simd reduction(+ : odd)") for (ptrdiff_t i = 0; i < n; i++) {                           \
            double nats = FD_LN_2 * term(x[i], y[i], &pair);                                                 \
            out[i] = x[i] == 0.0 ? whole * y[i] : nats;                                                      \
            odd += fd_is_plain_mass(x[i]) & fd_is_plain_mass(y[i]) ? 0.0 : 1.0;                              \
        }                                                                                                    \
        for (ptrdiff_t i = 0; i < n && odd > 0.0; i++)                                                       \
            if (!(fd_is_plain_mass(x[i]) & fd_is_plain_mass(y[i])))                                          \
                out[i] = fd_odd_##name(x[i], y[i], &pair);                                                   \
    }

FD_ELEMENT_LOOP(rel_entr, fd_log_excess_of_masses, 0)
FD_ELEMENT_LOOP(kl_div, fd_kl_divergence_of_masses, 1)
#undef FD_ELEMENT_LOOP
