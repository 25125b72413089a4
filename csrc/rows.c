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
#include "reader.h"
#include "renyi.h"

/* Nats, equal weights, order 1. */
const fd_options fd_default_options = {
    .unit_hi = 0x1.62e42fefa39efp-1,
    .unit_lo = 0x1.abc9e3b39803fp-56,
    .normalize = 1.0,
    .w_p = 0.5,
    .w_q = 0.5,
    .alpha = 1.0,
};

/* Masses below SCALED_MASS_MIN of their row, which the loop saw as that: the difference they make to the sum,
 * from logarithms, since p^2/q and the like can be finite where q is not a double. Only rows that span more
 * than 280 decades have them. */
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
        fd_refine_scale(pair, p, q, n, loops[FD_imbalance]);
        d = fd_loop(loop, p, q, n, pair) / p->sum;
        if (d < 0x1p-150 && !p->logs && fd_proportional(p, q, n))
            return 0.0;
    }
    if (!p->logs && d < INFINITY)
        d += fd_tiny_masses(measure, p, q, n, pair, pair->order + 1.0) / fd_total(p);
    if (!p->normalize && measure == FD_ROW_KL_DIVERGENCE && d < INFINITY)
        d += FD_BITS_PER_NAT * fd_loop(loops[FD_imbalance], p, q, n, pair);
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
    fd_pair pair;
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
    fd_set_pair(&pair, p, q, o.w_p, o.w_q);

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

void fd_events(int entropy, const double *p, double *out, ptrdiff_t n) {
    (entropy ? fd_kernels_now->binary_entropy : fd_kernels_now->surprisal)(p, out, n);
}
