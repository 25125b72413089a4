/* The measures, one row each. All that has to know what a measure is follows from here: the enum, the loops and
 * their tables (loops.h, level.h), the terms of masses far apart (wide.h), the finish (rows.c), the form of
 * a matrix (matrix.c), and for Python _rows.TRAITS.
 *
 * A name is that of the public function. The formulas are in measures.h: term and apart of each sum;
 * their derivatives in slopes.h.
 */
#ifndef FD_LIST_H
#define FD_LIST_H

#include <math.h>

/* Measures that have a sum of their own over the bins:
 *
 *     times     the measure is the sum over that of p, `times` this,
 *     root      and 1: the root of it.
 *     unit      BITS: it has a base. PLAIN: it has not.
 *     sym       D(p, q) = D(q, p), bit for bit.
 *     most      the largest value before the root (with equal weights, bits).
 *     option    what only some take: WEIGHTS (Jensen-Shannon's mixture), ALPHA (Renyi's order).
 *     again     where the sum over that of p is below this, it looks at the scale between the rows twice
 *               (rows.c).
 *     form      of a matrix (matrix.h): PAIRS is always right, the others want code there.
 *     infinite  it is where there is mass in p and none in q: what a product does not see.
 */
/* clang-format off */
/*    name                       times root unit   sym most      option   again    form   infinite */
#define FD_SUMMED(X) \
    X(cross_entropy,              1.0, 0,   BITS,  0,  INFINITY, NONE,    0x1p-42, DOT,   1) \
    X(kl_divergence,              1.0, 0,   BITS,  0,  INFINITY, NONE,    0x1p-42, DOT,   1) \
    X(jeffreys_divergence,        1.0, 0,   BITS,  1,  INFINITY, NONE,    0x1p-42, DOTS,  1) \
    X(js_divergence,              1.0, 0,   BITS,  1,  1.0,      WEIGHTS, 0x1p-42, JS,    0) \
    X(total_variation,            0.5, 0,   PLAIN, 1,  1.0,      NONE,    0x1p-3,  L1,    0) \
    X(hellinger_distance,         0.5, 1,   PLAIN, 1,  1.0,      NONE,    0x1p-42, DOT,   0) \
    X(chi_square,                 1.0, 0,   PLAIN, 0,  INFINITY, NONE,    0x1p-42, DOT,   1) \
    X(triangular_discrimination,  1.0, 0,   PLAIN, 1,  2.0,      NONE,    0x1p-42, PAIRS, 0) \
    X(renyi_divergence,           1.0, 0,   BITS,  0,  INFINITY, ALPHA,   0x1p-42, DOT,   0)
/* Renyi's is infinite there above order 1 only, and ends in renyi.h. */

/* Measures that end another's sum, which stands behind their name. */
#define FD_DERIVED(X) \
    X(js_distance,            js_divergence,    1.0, 1, BITS, 1, 1.0,      WEIGHTS, 0x1p-42, JS,    0) \
    X(bhattacharyya_distance, renyi_divergence, 0.5, 0, BITS, 1, INFINITY, NONE,    0x1p-42, PAIRS, 0)
/* clang-format on */

/* Sums that are no measure, but that one needs. */
#define FD_HELPERS(X)                                                                                        \
    X(entropy)                                                                                               \
    X(imbalance)                                                                                             \
    X(log_excess)                                                                                            \
    X(log_excess_size)                                                                                       \
    X(gain)                                                                                                  \
    X(gain_mass)                                                                                             \
    X(renyi_overlap)

/* Sums that have slopes: those whose terms are added up as slopes are written (fd_is_at_once), and the others. */
#define FD_AT_ONCE(X)                                                                                        \
    X(kl_divergence)                                                                                         \
    X(jeffreys_divergence) X(js_divergence) X(hellinger_distance) X(chi_square) X(triangular_discrimination)
#define FD_NOT_AT_ONCE(X) X(cross_entropy) X(total_variation) X(renyi_divergence) X(entropy)

/* Sums that rows of floats have in single precision (single_loops.h). */
#define FD_SINGLE(X) X(js_divergence)

/* A measure, or a sum; the measures come first. */
typedef enum {
#define FD_ENUM(name, ...) FD_##name,
    FD_SUMMED(FD_ENUM) FD_DERIVED(FD_ENUM) FD_N_MEASURES,
    FD_BEFORE_HELPERS = FD_N_MEASURES - 1,
    FD_HELPERS(FD_ENUM) FD_N_SUMS
#undef FD_ENUM
} fd_measure;

/* Not homogeneous: what is summed is no function of p/q. */
static inline int fd_is_entropy(fd_measure sum) { return sum == FD_entropy || sum == FD_cross_entropy; }

enum { FD_OPTION_NONE, FD_OPTION_WEIGHTS, FD_OPTION_ALPHA };
enum { FD_UNIT_PLAIN, FD_UNIT_BITS };

/* A row of the list; `sum` is the measure itself but for FD_DERIVED. */
typedef struct {
    const char *name;
    fd_measure sum;
    double times, most, again;
    int root, in_bits, symmetric, option, infinite;
} fd_traits;

extern const fd_traits fd_measures[FD_N_MEASURES];

#endif
