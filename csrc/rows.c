/* One pair of rows from end to end: sums, scale, the loop over bins in blocks, second looks, the finish.
 *
 * The ordinary way is three passes: the sum of p, the sum of q, and the loop of the measure, all straight from
 * the caller's memory. Rows that are strided, float32, or too large or small to multiply are copied a block at
 * a time.
 *
 * Why one look at plain sums is enough, and when it is not. With sums good to delta (some 1e-15) the measures of
 * second order move by delta D + delta^2/2: their derivative by the scale of p is the measure itself, since the
 * differences add to 0. So only where D is near delta^2 / 1e-12 does the scale need more digits; it gets them
 * from the sum of all differences, which ought to be 0 (`imbalance`). Total variation moves by delta itself and
 * is looked at again below 1/16.
 */
#include "rows.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "kernels.h"

static const double BITS_PER_NAT = 1.4426950408889634;

/* Between these no product of row sums and masses leaves the range that log.h is made for. */
static const double SUM_MIN = 0x1p-30, SUM_MAX = 0x1p30, MASS_MIN = 0x1p-900;
/* After scaling a row's sum to [1, 2): masses below this are raised to it, and accounted for (tiny_masses). */
static const double SCALED_MASS_MIN = 0x1p-960;

/* Nats, equal weights, order 1. */
const fd_options fd_default_options = {
    .unit_hi = 0x1.62e42fefa39efp-1,
    .unit_lo = 0x1.abc9e3b39803fp-56,
    .normalize = 1.0,
    .w_p = 0.5,
    .w_q = 0.5,
    .alpha = 1.0,
};

/* ---- a row as blocks of doubles ---------------------------------------------------------------------- */

typedef struct {
    fd_view view;
    int direct;         /* blocks can be read where they are */
    int logs;           /* entries are logarithms */
    int normalize;      /* shares of the sum are meant, else the masses themselves */
    double add;         /* pseudocount */
    double scale[2];    /* powers of two; two, since 2^-e may not be a double */
    double floor;       /* smallest positive mass after scaling */
    double sum, sum_lo; /* after adding and scaling */
    double least;       /* smallest positive mass, likewise */
    int exponent;       /* of the scale: row = masses * 2^exponent */
    double max, log;    /* of a row of logarithms: log sum exp = max + log */
} fd_row_reader;

static double fd_entry(const fd_view *v, ptrdiff_t i) {
    const char *at = v->data + i * v->stride;
    if (v->is_float32) {
        float x;
        memcpy(&x, at, sizeof x);
        return x;
    }
    double x;
    memcpy(&x, at, sizeof x);
    return x;
}

static fd_row_reader fd_reader(fd_view view, const fd_options *options) {
    fd_row_reader r = {.view = view, .scale = {1.0, 1.0}};
    r.logs = options->log_input != 0.0;
    r.normalize = options->normalize != 0.0;
    r.add = options->pseudocount;
    r.direct = !view.is_float32 && view.stride == sizeof(double) &&
               (uintptr_t)view.data % sizeof(double) == 0 && r.add == 0.0;
    return r;
}

/* Bins [start, start + n) as contiguous doubles: in place, or copied to `copy` (FD_BLOCK of them). */
static const double *fd_block(const fd_row_reader *r, ptrdiff_t start, ptrdiff_t n, double *copy) {
    const char *at = r->view.data + start * r->view.stride;
    if (r->direct)
        return (const double *)at;
    if (r->view.is_float32 && r->view.stride == sizeof(float) && (uintptr_t)at % sizeof(float) == 0)
        for (ptrdiff_t i = 0; i < n; i++)
            copy[i] = ((const float *)at)[i];
    else
        for (ptrdiff_t i = 0; i < n; i++)
            copy[i] = fd_entry(&r->view, start + i);
    if (r->logs)
        return copy;
    if (r->scale[0] == 1.0 && r->scale[1] == 1.0)
        for (ptrdiff_t i = 0; i < n; i++)
            copy[i] += r->add; /* also turns -0 into 0 */
    else
        for (ptrdiff_t i = 0; i < n; i++) {
            double x = (copy[i] + r->add) * r->scale[0] * r->scale[1];
            copy[i] = copy[i] + r->add > 0.0 && x < r->floor ? r->floor : x;
        }
    return copy;
}

/* (hi, lo) += x, the rounding error kept. */
static void fd_add(double *hi, double *lo, double x) {
    double s = *hi + x, part = s - *hi;
    *lo += (*hi - (s - part)) + (x - part);
    *hi = s;
}

static void fd_row_stats(const fd_row_reader *r, ptrdiff_t n, int exact, fd_stats *total) {
    double copy[FD_BLOCK], hi = 0.0, lo = 0.0;
    total->least = INFINITY;
    total->signs = 0;
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t size = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        fd_stats s;
        (exact ? fd_kernels_now->exact_stats : fd_kernels_now->stats)(fd_block(r, start, size, copy), size,
                                                                      &s);
        fd_add(&hi, &lo, s.sum_hi);
        lo += s.sum_lo;
        total->least = s.least < total->least ? s.least : total->least;
        total->signs |= s.signs;
    }
    total->sum_hi = hi + lo;
    total->sum_lo = lo - (total->sum_hi - hi);
    if (!(total->sum_hi < INFINITY))
        total->sum_hi = hi, total->sum_lo = 0.0;
}

static double fd_loop(fd_sum_loop loop, const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                      const fd_pair *pair) {
    double p_copy[FD_BLOCK], q_copy[FD_BLOCK], hi = 0.0, lo = 0.0;
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t size = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        const double *p_block = fd_block(p, start, size, p_copy);
        const double *q_block = q == p ? p_block : fd_block(q, start, size, q_copy);
        double sum = loop(p_block, q_block, size, pair);
        if (!(sum < INFINITY))
            return sum; /* inf or NaN: nothing can follow that changes it */
        fd_add(&hi, &lo, sum);
    }
    return hi + lo;
}

/* ---- the mass of a row ------------------------------------------------------------------------------- */

static int fd_all_finite_and_non_negative(const fd_row_reader *r, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) {
        double x = fd_entry(&r->view, i);
        if (!(x >= 0.0 && x <= DBL_MAX))
            return 0;
    }
    return 1;
}

/* Reads a row's mass. 0 if it has none: NaN, a negative or an infinite entry. */
static int fd_weigh(fd_row_reader *r, ptrdiff_t n) {
    fd_stats stats;
    fd_row_stats(r, n, 0, &stats);
    if (stats.sum_hi != stats.sum_hi)
        return 0;
    if (stats.signs || !(stats.sum_hi <= DBL_MAX)) {
        if (!fd_all_finite_and_non_negative(r, n))
            return 0;
        r->direct = 0; /* there are -0, or the sum overflows */
    }
    r->sum = stats.sum_hi;
    r->sum_lo = stats.sum_lo;
    r->least = stats.least;
    return 1;
}

static int fd_is_ordinary(const fd_row_reader *r) {
    return r->sum == 0.0 || (r->sum >= SUM_MIN && r->sum <= SUM_MAX && r->least >= MASS_MIN);
}

/* Scales a row by 2^-exponent, exactly but for masses that fall under SCALED_MASS_MIN. */
static void fd_rescale(fd_row_reader *r, ptrdiff_t n, int exponent) {
    fd_stats stats;
    r->direct = 0;
    r->exponent = exponent;
    r->scale[0] = ldexp(1.0, -exponent / 2);
    r->scale[1] = ldexp(1.0, -exponent + exponent / 2);
    r->floor = SCALED_MASS_MIN;
    fd_row_stats(r, n, 0, &stats);
    r->sum = stats.sum_hi;
    r->sum_lo = stats.sum_lo;
}

/* The e with 2^e <= sum < 2^(e+1), for sums beyond the doubles too. */
static int fd_sum_exponent(const fd_row_reader *r, ptrdiff_t n) {
    fd_row_reader scaled = *r;
    if (r->sum <= DBL_MAX)
        return r->sum > 0.0 ? ilogb(r->sum) : -1074;
    fd_rescale(&scaled, n, 64); /* n < 2^64 */
    return ilogb(scaled.sum) + 64;
}

/* Masses below SCALED_MASS_MIN of their row, which the loop saw as that: the difference they make to the sum,
 * from logarithms, since p^2/q and the like can be finite where q is not a double. Only rows that span more
 * than 280 decades have them. */
static double fd_log2_share(const fd_row_reader *r, ptrdiff_t i) {
    int exponent;
    double mantissa = frexp(fd_entry(&r->view, i) + r->add, &exponent);
    return log2(mantissa) + (exponent - r->exponent);
}

static double fd_term_of_logs(fd_row_measure measure, double log_x, double log_y, double alpha) {
    switch (measure) {
    case FD_ROW_CROSS_ENTROPY:
    case FD_ROW_KL_DIVERGENCE:
        return exp2(log_x) * -log_y;
    case FD_ROW_JEFFREYS_DIVERGENCE:
        return (exp2(log_x) - exp2(log_y)) * (log_x - log_y);
    case FD_ROW_CHI_SQUARE:
        return exp2(2.0 * log_x - log_y);
    case FD_ROW_RENYI_DIVERGENCE:
        return exp2(alpha * log_x + (1.0 - alpha) * log_y) / (alpha - 1.0);
    default:
        return 0.0; /* the others are continuous: such masses do not matter to them */
    }
}

static double fd_tiny_masses(fd_row_measure measure, const fd_row_reader *p, const fd_row_reader *q,
                             ptrdiff_t n, const fd_pair *pair, double alpha) {
    double sum = 0.0, log_c = log2(pair->c_hi);
    if (p->floor == 0.0 && q->floor == 0.0)
        return 0.0;
    for (ptrdiff_t i = 0; i < n; i++) {
        if (!(fd_entry(&p->view, i) + p->add > 0.0 && fd_entry(&q->view, i) + q->add > 0.0))
            continue;
        double log_x = fd_log2_share(p, i), log_y = fd_log2_share(q, i);
        double seen_x = p->floor > 0.0 ? fmax(log_x, log2(p->floor)) : log_x;
        double seen_y = q->floor > 0.0 ? fmax(log_y, log2(q->floor)) : log_y;
        if (seen_x != log_x || seen_y != log_y)
            sum += fd_term_of_logs(measure, log_x, log_y + log_c, alpha) -
                   fd_term_of_logs(measure, seen_x, seen_y + log_c, alpha);
    }
    return sum;
}

/* ---- looking twice ----------------------------------------------------------------------------------- */

/* Below this, in the units of `fd_row_sums`, the scale between the rows is refined. */
static double fd_second_look(fd_row_measure measure) {
    return measure == FD_ROW_TOTAL_VARIATION ? 0x1p-3 : 0x1p-42;
}

/* Whether p_i sum(q) = q_i sum(p) for all i, exactly: counts in proportion. */
static int fd_proportional(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) {
        double x, y;
        const double *a = fd_block(p, i, 1, &x), *b = fd_block(q, i, 1, &y);
        double left = *a * q->sum, right = *b * p->sum;
        if (left != right ||
            fma(*a, q->sum, -left) + *a * q->sum_lo != fma(*b, p->sum, -right) + *b * p->sum_lo)
            return 0;
    }
    return 1;
}

static int fd_disjoint(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n) {
    double none = p->logs ? -INFINITY : 0.0;
    for (ptrdiff_t i = 0; i < n; i++)
        if (fd_entry(&p->view, i) + p->add > none && fd_entry(&q->view, i) + q->add > none)
            return 0;
    return 1;
}

/* Symmetric measures take their rows in an order that does not depend on the caller's, so that D(p,q) and
 * D(q,p) are the same bits. */
static int fd_in_order(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n) {
    if (p->sum != q->sum)
        return p->sum > q->sum;
    for (ptrdiff_t i = 0; i < n; i++) {
        double x = fd_entry(&p->view, i), y = fd_entry(&q->view, i);
        if (x != y)
            return x > y;
    }
    return 1;
}

/* ---- Renyi's orders ---------------------------------------------------------------------------------- */

/* log2 of entry i as a probability (as it stands where rows are not normalised); -inf for none. */
static double fd_log2_probability(const fd_row_reader *r, ptrdiff_t i) {
    double x = fd_entry(&r->view, i) + r->add;
    if (r->logs)
        return ((x - r->max) - r->log) * BITS_PER_NAT;
    if (!(x > 0.0))
        return -INFINITY;
    return r->normalize ? fd_log2_share(r, i) - log2(r->sum) : fd_log2_share(r, i) + r->exponent;
}

/* Order 0, bits: -log2 of the mass of q on the support of p. */
static double fd_renyi_min_order(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n) {
    double inside = 0.0, outside = 0.0;
    for (ptrdiff_t i = 0; i < n; i++) {
        double mass = exp2(fd_log2_probability(q, i));
        if (fd_log2_probability(p, i) > -INFINITY)
            inside += mass;
        else
            outside += mass;
    }
    return q->normalize && outside < 0.5 ? -log1p(-outside) * BITS_PER_NAT : -log2(inside);
}

/* Order inf, bits: log2 of the largest p/q; from the differences where that is near 1. */
static double fd_renyi_max_order(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                                 const fd_pair *pair) {
    double most = -INFINITY, excess = -INFINITY;
    for (ptrdiff_t i = 0; i < n; i++) {
        double x, y, log_p = fd_log2_probability(p, i);
        if (log_p == -INFINITY)
            continue;
        most = fmax(most, log_p - fd_log2_probability(q, i));
        double a = *fd_block(p, i, 1, &x), b = *fd_block(q, i, 1, &y);
        if (p->logs)
            excess = fmax(excess, expm1((a - b) - pair->shift));
        else
            excess = fmax(excess, (fma(-b, pair->c_hi, a) - b * pair->c_lo) / (b * pair->c_hi));
    }
    return excess < 0.5 ? log1p(fmax(excess, p->normalize ? 0.0 : -1.0)) * BITS_PER_NAT : most;
}

/* log2 of sum x^alpha y^(1-alpha) where the sum itself is no double: the largest term taken out. */
static double fd_renyi_log_overlap(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                                   double alpha) {
    double most = -INFINITY, sum = 0.0;
    for (int pass = 0; pass < 2; pass++)
        for (ptrdiff_t i = 0; i < n; i++) {
            double log_p = fd_log2_probability(p, i), log_q = fd_log2_probability(q, i);
            if (log_p == -INFINITY || (log_q == -INFINITY && alpha < 1.0))
                continue;
            double log = alpha * log_p + (1.0 - alpha) * log_q;
            if (pass == 0)
                most = fmax(most, log);
            else
                sum += exp2(log - most);
        }
    return isinf(most) ? most : most + log2(sum);
}

/* D_alpha in bits for 1/2 <= alpha, alpha != 1, from A (see measures.h). */
static double fd_renyi_finish(double a, const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                              const fd_pair *pair) {
    double grown = pair->order * a;
    if (grown < -0.5) {
        const fd_sum_loop *loops = p->logs ? fd_kernels_now->log_sum : fd_kernels_now->sum;
        double overlap = fd_loop(loops[FD_renyi_overlap], p, q, n, pair) / p->sum;
        if (overlap > 0x1p-900)
            return log2(overlap) / pair->order;
    } else if (grown < 0x1p900) {
        return log1p(grown) / pair->order * BITS_PER_NAT;
    }
    return fd_renyi_log_overlap(p, q, n, 1.0 + pair->order) / pair->order;
}

/* ---- one pair ---------------------------------------------------------------------------------------- */

static const fd_measure SUMS[FD_N_ROWS] = {
    [FD_ROW_CROSS_ENTROPY] = FD_cross_entropy,
    [FD_ROW_KL_DIVERGENCE] = FD_kl_divergence,
    [FD_ROW_JEFFREYS_DIVERGENCE] = FD_jeffreys_divergence,
    [FD_ROW_JS_DIVERGENCE] = FD_js_divergence,
    [FD_ROW_JS_DISTANCE] = FD_js_divergence,
    [FD_ROW_TOTAL_VARIATION] = FD_total_variation,
    [FD_ROW_HELLINGER_DISTANCE] = FD_hellinger,
    [FD_ROW_CHI_SQUARE] = FD_chi_square,
    [FD_ROW_RENYI_DIVERGENCE] = FD_renyi,
};

static int fd_is_symmetric(fd_row_measure measure) {
    return measure == FD_ROW_JEFFREYS_DIVERGENCE || measure == FD_ROW_JS_DIVERGENCE ||
           measure == FD_ROW_JS_DISTANCE || measure == FD_ROW_TOTAL_VARIATION ||
           measure == FD_ROW_HELLINGER_DISTANCE;
}

static double fd_in_unit(double bits, const fd_options *o) {
    return bits < INFINITY ? bits * o->unit_hi + bits * o->unit_lo : bits;
}

/* The largest value: the entropy of the mixture weights for Jensen-Shannon in bits, 2 for the doubled sums of
 * total variation and squared Hellinger. */
static double fd_bound(fd_row_measure measure, const fd_pair *pair) {
    switch (measure) {
    case FD_ROW_JS_DIVERGENCE:
    case FD_ROW_JS_DISTANCE:
        return pair->w_p == 0.5 ? 1.0 : -(pair->w_p * log2(pair->w_p) + pair->w_q * log2(pair->w_q));
    case FD_ROW_TOTAL_VARIATION:
    case FD_ROW_HELLINGER_DISTANCE:
        return 2.0;
    default:
        return INFINITY;
    }
}

/* Makes pair->c = sum(p)/sum(q), to twice the working precision as far as the sums go. */
static void fd_set_scale(fd_pair *pair, const fd_row_reader *p, const fd_row_reader *q) {
    pair->c_hi = p->sum / q->sum;
    pair->c_lo = (fma(-pair->c_hi, q->sum, p->sum) + p->sum_lo - pair->c_hi * q->sum_lo) / q->sum;
}

/* Weighs rows of logarithms: log sum exp = max + log, the bins at the maximum counted, not added up, so that a
 * row with one dominant bin keeps the digits of the rest. 0 for a row that is none. */
static int fd_log_weigh(fd_row_reader *r, ptrdiff_t n) {
    double copy[FD_BLOCK], hi = 0.0, lo = 0.0, most = -INFINITY;
    ptrdiff_t at_max = 0;
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t size = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        double block = fd_kernels_now->max(fd_block(r, start, size, copy), size);
        if (!(block < INFINITY))
            return 0; /* NaN or inf */
        most = block > most ? block : most;
    }
    r->sum = 1.0;
    if (!r->normalize)
        return 1;
    if (most == -INFINITY)
        return 0;
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t size = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        const double *block = fd_block(r, start, size, copy);
        fd_add(&hi, &lo, fd_kernels_now->exp_sum(block, size, most));
        for (ptrdiff_t i = 0; i < size; i++)
            at_max += block[i] == most;
    }
    r->max = most;
    r->log = log1p((double)(at_max - 1) + (hi + lo));
    return 1;
}

/* Any row; 0 for one that has no measure. */
static int fd_weigh_any(fd_row_reader *r, ptrdiff_t n) {
    return r->logs ? fd_log_weigh(r, n) : fd_weigh(r, n) && !(r->normalize && r->sum == 0.0);
}

/* What the sums of terms are divided by. */
static double fd_total(const fd_row_reader *r) { return r->normalize ? r->sum : 1.0; }


/* Cross entropy, and entropy where q is p. */
static double fd_cross_entropy(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n, fd_pair *pair) {
    if (p->logs)
        return fd_loop(fd_kernels_now->log_sum[FD_cross_entropy], p, q, n, pair);
    fd_sum_loop loop = fd_kernels_now->sum[FD_cross_entropy];
    pair->s_hi = fd_total(q);
    pair->s_lo = q->normalize ? q->sum_lo : 0.0;
    double bits = fd_loop(loop, p, q, n, pair) / fd_total(p);
    if (q->normalize && bits < 0x1p-5) { /* one bin holds nearly all: what the others hold needs its digits */
        fd_stats stats;
        fd_row_stats(q, n, 1, &stats);
        pair->s_hi = stats.sum_hi;
        pair->s_lo = stats.sum_lo;
        bits = fd_loop(loop, p, q, n, pair) / p->sum;
    }
    if (!(bits < INFINITY))
        return bits;
    bits += fd_tiny_masses(FD_ROW_CROSS_ENTROPY, p, q, n, pair, 0.0) / fd_total(p);
    return q->normalize ? bits : ldexp(bits - q->exponent * p->sum, p->exponent);
}

/* The sum of a measure's terms over sum(p): D up to its finish. */
static double fd_sum_terms(fd_row_measure measure, const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                           fd_pair *pair) {
    const fd_sum_loop *loops = p->logs ? fd_kernels_now->log_sum : fd_kernels_now->sum;
    fd_sum_loop loop = loops[SUMS[measure]];
    double d = fd_loop(loop, p, q, n, pair) / fd_total(p);
    if (p->normalize && d > 0.0 && d < fd_second_look(measure)) {
        double excess = fd_loop(loops[FD_imbalance], p, q, n, pair);
        pair->c_lo += excess / q->sum;
        pair->shift += excess;
        d = fd_loop(loop, p, q, n, pair) / p->sum;
        if (d < 0x1p-150 && !p->logs && fd_proportional(p, q, n))
            return 0.0;
    }
    if (!p->logs && d < INFINITY)
        d += fd_tiny_masses(measure, p, q, n, pair, pair->order + 1.0) / fd_total(p);
    if (!p->normalize && measure == FD_ROW_KL_DIVERGENCE && d < INFINITY)
        d += BITS_PER_NAT * fd_loop(loops[FD_imbalance], p, q, n, pair);
    return d;
}

static double fd_renyi(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n, fd_pair *pair,
                       double alpha) {
    if (alpha == 0.0)
        return fd_renyi_min_order(p, q, n);
    if (alpha == INFINITY)
        return fd_renyi_max_order(p, q, n, pair);
    pair->order = alpha - 1.0;
    if (!p->normalize)
        return fd_renyi_log_overlap(p, q, n, alpha) / pair->order;
    return fd_renyi_finish(fd_sum_terms(FD_ROW_RENYI_DIVERGENCE, p, q, n, pair), p, q, n, pair);
}

static double fd_clip(double d, fd_row_measure measure, const fd_row_reader *p, const fd_row_reader *q,
                      ptrdiff_t n, const fd_pair *pair) {
    double bound = fd_bound(measure, pair);
    if (d > bound * (1.0 - 1e-9) && d < INFINITY && (d > bound || fd_disjoint(p, q, n)))
        return bound;
    return d;
}

static void fd_swap_rows(fd_row_reader **p, fd_row_reader **q, fd_options *o) {
    fd_row_reader *row = *p;
    *p = *q;
    *q = row;
    double w = o->w_p;
    o->w_p = o->w_q;
    o->w_q = w;
}

double fd_row(fd_row_measure measure, fd_view p_view, fd_view q_view, ptrdiff_t n, const fd_options *options) {
    fd_options o = *options;
    fd_row_reader first = fd_reader(p_view, &o), second = fd_reader(q_view, &o), *p = &first, *q = &second;
    fd_pair pair = {.c_hi = 1.0};
    int normalize = o.normalize != 0.0, exponent = 0;
    double factor = 1.0;

    if (measure == FD_ROW_CROSS_ENTROPY && p_view.data == q_view.data && p_view.stride == q_view.stride)
        q = p; /* entropy */
    if (!fd_weigh_any(p, n) || (q != p && !fd_weigh_any(q, n)))
        return NAN;
    if (measure == FD_ROW_RENYI_DIVERGENCE && o.alpha == 1.0)
        measure = FD_ROW_KL_DIVERGENCE;
    if (measure == FD_ROW_RENYI_DIVERGENCE && o.alpha > 0.0 && o.alpha < 0.5 && normalize) {
        factor = o.alpha / (1.0 - o.alpha); /* D_alpha(p, q) = alpha/(1-alpha) D_(1-alpha)(q, p) */
        o.alpha = 1.0 - o.alpha;
        fd_swap_rows(&p, &q, &o);
    } else if (fd_is_symmetric(measure) && !fd_in_order(p, q, n))
        fd_swap_rows(&p, &q, &o);

    if (!p->logs && !(fd_is_ordinary(p) && fd_is_ordinary(q))) {
        int p_exponent = fd_sum_exponent(p, n), q_exponent = fd_sum_exponent(q, n);
        if (!normalize && measure != FD_ROW_CROSS_ENTROPY) /* as they are: one scale for both */
            exponent = p_exponent = q_exponent = p_exponent > q_exponent ? p_exponent : q_exponent;
        fd_rescale(p, n, p_exponent);
        if (q != p)
            fd_rescale(q, n, q_exponent);
    }
    pair.w_p = o.w_p;
    pair.w_q = o.w_q;
    pair.max_p = p->max;
    pair.max_q = q->max;
    pair.log_p = p->log;
    pair.log_q = q->log;
    pair.shift = (p->max - q->max) + (p->log - q->log);
    if (normalize)
        fd_set_scale(&pair, p, q);

    double d;
    if (measure == FD_ROW_CROSS_ENTROPY)
        return fd_in_unit(fd_cross_entropy(p, q, n, &pair), &o);
    if (measure == FD_ROW_RENYI_DIVERGENCE)
        return fd_in_unit(factor * fd_renyi(p, q, n, &pair, o.alpha), &o);
    d = ldexp(fd_sum_terms(measure, p, q, n, &pair), exponent);
    if (normalize)
        d = fd_clip(d, measure, p, q, n, &pair);
    switch (measure) {
    case FD_ROW_JS_DISTANCE:
        return sqrt(fd_in_unit(d, &o));
    case FD_ROW_TOTAL_VARIATION:
        return 0.5 * d;
    case FD_ROW_HELLINGER_DISTANCE:
        return sqrt(0.5 * d);
    case FD_ROW_CHI_SQUARE:
        return d;
    default:
        return fd_in_unit(d, &o);
    }
}
