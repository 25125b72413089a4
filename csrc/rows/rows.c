/* One pair of rows from end to end: sums, scale, the loop over bins in blocks, second looks, the finish.
 *
 * The ordinary way is three passes: the sum of p, the sum of q, and the loop of the measure, all straight
 * from the caller's memory. Rows that are strided, float32, or too large or small to multiply are copied a
 * block at a time.
 *
 * Why one look at plain sums is enough, and when it is not. With sums good to delta (some 1e-15) the measures
 * of second order move by delta D + delta^2/2: their derivative by the scale of p is the measure itself,
 * since the differences add to 0. So only where D is near delta^2 / 1e-12 does the scale need more digits; it
 * gets them from the sum of all differences, which ought to be 0 (`imbalance`). Total variation moves by
 * delta itself and is looked at again below 1/16.
 */
#include "math/fetch.h"
#include "rows/far.h"
#include "rows/finish.h"
#include "rows/renyi.h"
#include "rows/rows.h"
#include "rows/single.h"
#include "rows/terms.h"
#include "rows/turn.h"
#include "rows/weighed.h"

const fd_traits fd_measures[FD_N_MEASURES] = {
#define FD_OWN(name, ...) FD_ROW(name, name, __VA_ARGS__)
#define FD_ROW(name, its_sum, ITS_TIMES, ITS_ROOT, ITS_UNIT, SYM, MOST, OPTION, AGAIN, FORM, INFINITE)       \
    [FD_##name] = {#name,                                                                                    \
                   .sum = FD_##its_sum,                                                                      \
                   .times = ITS_TIMES,                                                                       \
                   .most = MOST,                                                                             \
                   .again = AGAIN,                                                                           \
                   .root = ITS_ROOT,                                                                         \
                   .in_bits = FD_UNIT_##ITS_UNIT,                                                            \
                   .symmetric = SYM,                                                                         \
                   .option = FD_OPTION_##OPTION,                                                             \
                   .infinite = INFINITE},
    FD_SUMMED(FD_OWN) FD_DERIVED(FD_ROW)
#undef FD_OWN
#undef FD_ROW
};

/* Nats, equal weights. */
const fd_options fd_default_options = {
    .unit_hi = 0x1.62e42fefa39efp-1,
    .unit_lo = 0x1.abc9e3b39803fp-56,
    .normalize = 1.0,
    .w_p = 0.5,
    .w_q = 0.5,
};

/* Cross entropy, and entropy where q is p. */
static double fd_cross_entropy(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n, fd_pair *pair) {
    fd_measure sum = p == q ? FD_entropy : FD_cross_entropy;
    pair->s_hi = fd_total(q);
    pair->s_lo = q->normalize ? q->sum_lo : 0.0;
    double bits = fd_terms(sum, p, q, n, pair) / fd_total(p);
    if (q->normalize && !q->logs && bits < 0x1p-5) { /* one bin holds nearly all: the others' digits matter */
        fd_stats stats = fd_row_stats(q, n, 1);
        pair->s_hi = stats.sum_hi;
        pair->s_lo = stats.sum_lo;
        bits = fd_terms(sum, p, q, n, pair) / p->sum;
    }
    return bits;
}

/* sum x log(x/y) of rows that are not normalised (fd_kl_stands). */
static double fd_kl_as_it_stands(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                                 const fd_pair *pair) {
    double excess = fd_terms(FD_log_excess, p, q, n, pair);
    if (fd_kl_stands(excess, p->logs ? INFINITY : q->sum))
        return excess;
    double d = fd_terms(FD_kl_divergence, p, q, n, pair);
    if (!fd_kl_is_near(d, excess) && !(d < fd_terms(FD_log_excess_size, p, q, n, pair)))
        return excess;
    double value = d + FD_LOG2_E * fd_terms(FD_imbalance, p, q, n, pair);
    /* differences of masses are exact where these are near, those of exponentials are not, and may cancel */
    if (p->logs && fabs(value) < 0x1p-9 * fd_terms(FD_log_excess_size, p, q, n, pair))
        return d + FD_LOG2_E * fd_mass_difference(p, q, n, pair->max_p);
    return value;
}

/* Twice total variation of near-identical rows: gains and losses are equal, and what rounds is the mass that
 * they are the difference of, so the side with less of it is taken. */
static double fd_small_variation(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n, fd_pair *pair) {
    fd_refine_scale(pair, p, q, n);
    double gain = fd_terms(FD_gain, p, q, n, pair);
    if (fd_terms(FD_gain_mass, p, q, n, pair) > 0.5 * p->sum)
        gain -= fd_terms(FD_imbalance, p, q, n, pair);
    return 2.0 * gain / p->sum;
}

/* The sum of a measure's terms over sum(p): D up to its finish. */
static double fd_sum_terms(fd_measure measure, const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n,
                           fd_pair *pair) {
    fd_measure sum = fd_measures[measure].sum;
    if (!p->normalize)
        return measure == FD_kl_divergence ? fd_kl_as_it_stands(p, q, n, pair) : fd_terms(sum, p, q, n, pair);
    double d = fd_terms(sum, p, q, n, pair) / p->sum;
    if (!(d > 0.0 && d < fd_measures[measure].again))
        return d;
    fd_refine_scale(pair, p, q, n);
    if (measure == FD_total_variation)
        return fd_unless_proportional(fd_small_variation(p, q, n, pair), FD_FIRST_ORDER_NONE, p, q, n);
    return fd_unless_proportional(fd_terms(sum, p, q, n, pair) / p->sum, FD_SECOND_ORDER_NONE, p, q, n);
}

static double fd_renyi(const fd_row_reader *p, const fd_row_reader *q, ptrdiff_t n, fd_pair *pair,
                       double alpha) {
    if (alpha == 0.0)
        return fd_renyi_min_order(p, q, n, pair);
    if (alpha > 4.0 && p->normalize) /* the larger the order, the more one ratio decides */
        fd_refine_scale(pair, p, q, n);
    if (alpha == INFINITY) {
        double bits = fd_renyi_max_order(p, q, n, pair);
        return p->normalize ? fd_unless_proportional(bits, FD_FIRST_ORDER_NONE, p, q, n) : bits;
    }
    if (!p->normalize)
        return fd_renyi_as_it_stands(p, q, n, pair);
    if (alpha == 2.0 && !p->logs) {
        double bits = fd_renyi_of_chi_square(fd_sum_terms(FD_chi_square, p, q, n, pair));
        if (bits == bits)
            return bits;
    }
    if (alpha == 0.5 && !p->logs) {
        double bits = fd_renyi_of_hellinger(fd_sum_terms(FD_hellinger_distance, p, q, n, pair));
        if (bits == bits)
            return bits;
    }
    return fd_renyi_finish(fd_sum_terms(FD_renyi_divergence, p, q, n, pair), p, q, n, pair);
}

/* A sum over rows that were scaled by 2^-exponent or exp(-top). */
static double fd_unscale(double sum, int exponent, double top) {
    if (exponent == 0 && top == 0.0)
        return sum;
    return fd_times_exp(ldexp(sum, exponent), top);
}

/* The same in the caller's unit, in which it may be a double where it is none in bits. */
static double fd_in_unit_unscaled(double bits, int exponent, double top, const fd_options *o) {
    if (exponent == 0 && top == 0.0)
        return fd_in_unit(bits, o);
    return ldexp(fd_in_unit(fd_times_exp(0.25 * bits, top), o), exponent + 2);
}

/* From the sum over rows that were so scaled to the value. The root is taken first: it may be a double where
 * the sum is none. */
static double fd_finish_scaled(const fd_traits *traits, double sum, int exponent, double top,
                               const fd_options *o) {
    int odd = exponent & 1;
    if (!traits->root && traits->in_bits)
        return fd_in_unit_unscaled(sum, exponent, top, o);
    if (!traits->root)
        return fd_finish(traits, fd_unscale(sum, exponent, top), o);
    return fd_unscale(fd_finish(traits, odd ? 2.0 * sum : sum, o), (exponent - odd) / 2, 0.5 * top);
}

static double fd_clip(double d, fd_measure measure, const fd_row_reader *p, const fd_row_reader *q,
                      ptrdiff_t n, const fd_pair *pair) {
    double bound = fd_bound(measure, pair->w_p, pair->w_q);
    if (fd_is_at_bound(d, bound) && (d > bound || fd_disjoint(p, q, n)))
        return bound;
    return d;
}

double fd_value_of_sum(fd_measure measure, double d, const fd_row_reader *p, const fd_row_reader *q,
                       ptrdiff_t n, const fd_pair *pair, const fd_options *options) {
    d = fd_clip(d * fd_measures[measure].times, measure, p, q, n, pair);
    return fd_finish_scaled(&fd_measures[measure], d, 0, 0.0, options);
}

static void fd_swap_rows(fd_row_reader **p, fd_row_reader **q, fd_options *o) {
    fd_row_reader *row = *p;
    *p = *q;
    *q = row;
    double w = o->w_p;
    o->w_p = o->w_q;
    o->w_q = w;
}

/* Bins that agree add nothing to a measure of masses as they stand. If the others are this many powers of two
 * below the rows' sums, they decide the scale: on that of the sums their terms would be none. */
enum { FD_FAR_BELOW = 300 };

static double fd_row_of_views(fd_measure measure, fd_view p_view, fd_view q_view, ptrdiff_t n,
                              const fd_options *options) {
    fd_row_reader p = fd_reader(p_view, options), second = fd_reader(q_view, options), *q = &second;
    if (measure == FD_cross_entropy && p_view.data == q_view.data && p_view.stride == q_view.stride)
        q = &p; /* entropy */
    if (!fd_weigh_any(&p, n) || (q != &p && !fd_weigh_any(q, n)))
        return NAN;
    return fd_weighed_row(measure, &p, q, n, options);
}

double fd_weighed_row(fd_measure measure, fd_row_reader *p, fd_row_reader *q, ptrdiff_t n,
                      const fd_options *options) {
    fd_options o = *options;
    fd_row_reader as_it_stands;
    fd_pair pair;
    int normalize = o.normalize != 0.0, exponent = 0, symmetric = fd_measures[measure].symmetric;
    double d, top = 0.0;
    fd_route route = fd_route_of(measure, options);

    measure = route.measure;
    if (route.swap)
        fd_swap_rows(&p, &q, &o);

    if (!p->logs && !(fd_is_ordinary(p) && fd_is_ordinary(q))) {
        int p_exponent = fd_sum_exponent(p, n), q_exponent = fd_sum_exponent(q, n);
        if (!normalize && measure == FD_cross_entropy) { /* p log q can be scaled in p only */
            as_it_stands = *q;
            q = &as_it_stands;
            q_exponent = 0;
        } else if (!normalize) { /* one scale for both... */
            int differing = fd_differing_exponent(measure, p, q, n);
            p_exponent = q_exponent = p_exponent > q_exponent ? p_exponent : q_exponent;
            if (differing < p_exponent - FD_FAR_BELOW && measure != FD_renyi_divergence)
                p_exponent = q_exponent = differing;
        }
        exponent = normalize ? 0 : p_exponent; /* ...to be taken out of the sum again */
        fd_rescale(p, n, p_exponent);
        if (q != p)
            fd_rescale(q, n, q_exponent);
    }
    if (symmetric && !fd_in_order(p, q, n))
        fd_swap_rows(&p, &q, &o);
    fd_set_pair(&pair, p, q, o.w_p, o.w_q);
    pair.order = route.order;
    if (p->logs && !normalize && measure != FD_renyi_divergence) { /* likewise */
        top = measure == FD_cross_entropy || p->top > q->top ? p->top : q->top;
        top = top > -INFINITY ? top : 0.0;
        pair.max_p = top;
        pair.max_q = measure == FD_cross_entropy ? 0.0 : top;
    }

    int far = p->logs && !normalize && measure != FD_renyi_divergence && fd_is_far(p, q, n);
    if (measure == FD_cross_entropy && far) {
        d = fd_far_terms(p == q ? FD_entropy : FD_cross_entropy, p, q, n, &pair, &top);
        return fd_in_unit_unscaled(d, 0, top, &o);
    }
    if (measure == FD_cross_entropy)
        return fd_in_unit_unscaled(fd_cross_entropy(p, q, n, &pair), exponent, top, &o);
    if (measure == FD_renyi_divergence) {
        d = route.factor * fd_renyi(p, q, n, &pair, route.alpha);
        if (isinf(d) && route.swap) /* divided by a small order before it is multiplied */
            d = route.factor / route.order * fd_renyi_log_overlap(p, q, n, &pair);
        return fd_in_unit(d, &o);
    }
    const fd_traits *traits = &fd_measures[measure];
    if (measure == FD_chi_square && p->logs && normalize && fd_is_far(p, q, n)) {
        pair.order = 1.0; /* of a bin that underflows x^2/y may not */
        return expm1(fd_renyi(p, q, n, &pair, 2.0) * FD_LN_2);
    }
    if (far) {
        d = fd_far_terms(measure == FD_kl_divergence ? FD_log_excess : traits->sum, p, q, n, &pair, &top);
    } else {
        d = fd_sum_terms(measure, p, q, n, &pair);
    }
    if (normalize)
        return fd_value_of_sum(measure, d, p, q, n, &pair, &o);
    return fd_finish_scaled(traits, d * traits->times, exponent, top, &o);
}

/* Adds a pseudocount to a copy of a plain row and weighs it; 0 for a row that is none, which it might hide: what is
 * not finite is so in the sum. */
static int fd_smooth(fd_row_reader *r, ptrdiff_t n, double add, double *copy) {
    fd_stats stats = fd_work_through(&(fd_work){.p = r, .n = n, .add = add, .smooth = copy});
    r->ahead += (uintptr_t)r->view.data - (uintptr_t)copy;
    r->view.data = (const char *)copy;
    return !stats.is_signed && fd_take_mass(r, n, stats);
}

/* A row that is read in a copy: while it is, what comes after the row itself is asked for. */
static fd_row_reader fd_reader_of_copy(fd_view copy, fd_view v, ptrdiff_t n, const fd_options *o) {
    fd_row_reader r = fd_reader(copy, o);
    if (copy.data != v.data)
        r.ahead = (uintptr_t)v.data + (uintptr_t)n * (uintptr_t)v.stride - (uintptr_t)copy.data;
    return r;
}

static double fd_row_of_copies(fd_measure measure, fd_view p, fd_view q, ptrdiff_t n,
                               const fd_options *options) {
    double p_copy[FD_COPY], q_copy[FD_COPY];
    int same = p.data == q.data && p.stride == q.stride;
    fd_options o = *options;
    o.pseudocount = 0.0;
    fd_view x = fd_plain_copy(p, n, p_copy), y = same ? x : fd_plain_copy(q, n, q_copy);
    fd_row_reader of_p = fd_reader_of_copy(x, p, n, &o), of_q = fd_reader_of_copy(y, q, n, &o);
    double add = options->pseudocount;
    if (!(add > 0.0 ? fd_smooth(&of_p, n, add, p_copy) : fd_weigh_any(&of_p, n)))
        return NAN;
    if (same)
        of_q = of_p;
    else if (!(add > 0.0 ? fd_smooth(&of_q, n, add, q_copy) : fd_weigh_any(&of_q, n)))
        return NAN;
    return fd_weighed_row(measure, &of_p, same && measure == FD_cross_entropy ? &of_p : &of_q, n, &o);
}

/* Copies two rows without the bins in which either has a NaN; 0 where none is left, or what is left is no row. */
static int fd_copy_complete(fd_view p, fd_view q, ptrdiff_t n, const fd_options *o, double *x, double *y) {
    fd_row_reader of_p = fd_reader(p, o), of_q = fd_reader(q, o);
    double p_copy[FD_BLOCK], q_copy[FD_BLOCK], none = of_p.logs ? -INFINITY : 0.0;
    double least = of_p.logs ? -INFINITY : 0.0, add = of_p.add;
    int kept = 0, bad = 0;
    of_p.add = of_q.add = 0.0;
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t size = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        const double *a = fd_block(&of_p, start, size, p_copy), *b = fd_block(&of_q, start, size, q_copy);
        for (ptrdiff_t i = 0; i < size; i++) {
            int missing = (a[i] != a[i]) | (b[i] != b[i]);
            kept |= !missing;
            bad |= (a[i] < least) | (a[i] == INFINITY) | (b[i] < least) | (b[i] == INFINITY);
            x[start + i] = missing ? none : a[i] + add;
            y[start + i] = missing ? none : b[i] + add;
        }
    }
    return kept && !bad;
}

static double fd_row_without_missing(fd_measure measure, fd_view p, fd_view q, ptrdiff_t n,
                                     const fd_options *options) {
    double few[2 * FD_COPY], d = NAN;
    double *copies = n <= FD_COPY ? few : fd_needed(malloc(2 * (size_t)n * sizeof *copies));
    int same = p.data == q.data && p.stride == q.stride;
    fd_options o = *options;
    if (copies && fd_copy_complete(p, q, n, options, copies, copies + n)) {
        fd_view x = {(const char *)copies, sizeof *copies, FD_FLOAT64}, y = x;
        y.data = (const char *)(same ? copies : copies + n);
        o.pseudocount = 0.0;
        d = fd_row_of_views(measure, x, y, n, &o);
    }
    if (copies != few)
        free(copies);
    return d;
}

static double fd_row_as_it_is(fd_measure measure, fd_view p, fd_view q, ptrdiff_t n,
                              const fd_options *options) {
    if (fd_is_single(measure, p.scalar, n, options)) {
        double d = fd_row_in_single(measure, p, q, n, options);
        if (d == d)
            return d;
    }
    int copied = fd_is_copied(p, q, n) || (options->pseudocount > 0.0 && n <= FD_COPY);
    return (copied ? fd_row_of_copies : fd_row_of_views)(measure, p, q, n, options);
}

double fd_row(fd_measure measure, fd_view p, fd_view q, ptrdiff_t n, const fd_options *options) {
    if (options->omit == 0.0) /* asked first: what follows nothing is jumped to, and costs no frame */
        return fd_row_as_it_is(measure, p, q, n, options);
    double d = fd_row_as_it_is(measure, p, q, n, options);
    return d != d ? fd_row_without_missing(measure, p, q, n, options) : d;
}

/* Bins of columns that a few steps later are read: each is a place of its own in memory, and waits for it. */
static void fd_fetch_bin(fd_view v, ptrdiff_t step, ptrdiff_t rows, ptrdiff_t j) {
    const char *ahead = (const char *)((uintptr_t)v.data + (uintptr_t)((j + 16) * v.stride));
    fd_fetch(ahead, rows * step);
    fd_fetch((const char *)((uintptr_t)ahead + (uintptr_t)(rows * step - 1)), 1);
}

/* Floats as they are, by tiles where they lie side by side. */
static void fd_gather_floats(fd_view first, ptrdiff_t step, ptrdiff_t rows, ptrdiff_t n, float *out,
                             ptrdiff_t pitch) {
    ptrdiff_t turned_rows = step == sizeof *out ? rows - rows % FD_TURNED : 0, turned = n - n % FD_TURNED;
    for (ptrdiff_t j = 0; j < n; j++) {
        const char *bin = first.data + j * first.stride;
        fd_fetch_bin(first, step, rows, j);
        if (j < turned && j % FD_TURNED == 0)
            for (ptrdiff_t i = 0; i < turned_rows; i += FD_TURNED)
                fd_turn_floats(bin + i * step, first.stride, out + i * pitch + j, pitch);
        for (ptrdiff_t i = j < turned ? turned_rows : 0; i < rows; i++)
            memcpy(&out[i * pitch + j], bin + i * step, sizeof *out);
    }
}

fd_view fd_gather_rows(fd_view first, ptrdiff_t step, ptrdiff_t rows, ptrdiff_t n, double *out,
                       ptrdiff_t pitch) {
    if (first.scalar == FD_FLOAT32) {
        fd_gather_floats(first, step, rows, n, (float *)out, pitch);
        return (fd_view){(const char *)out, sizeof(float), FD_FLOAT32};
    }
    for (ptrdiff_t j = 0; j < n; j++) {
        fd_view bin = {first.data + j * first.stride, step, first.scalar};
        fd_fetch_bin(first, step, rows, j);
        for (ptrdiff_t i = 0; i < rows; i++)
            out[i * pitch + j] = fd_entry(&bin, i);
    }
    return (fd_view){(const char *)out, sizeof *out, FD_FLOAT64};
}

void fd_events(int entropy, fd_view p, ptrdiff_t n, double *out) {
    for (ptrdiff_t i = 0; i < n; i++)
        out[i] = fd_entry(&p, i);
    (entropy ? fd_row_loops_now->binary_entropy : fd_row_loops_now->surprisal)(out, out, n);
}

void fd_elements(int whole, fd_view x, fd_view y, ptrdiff_t n, double *out) {
    double x_copy[FD_ELEMENTS], y_copy[FD_ELEMENTS];
    fd_row_reader first = fd_reader(x, &fd_default_options), second = fd_reader(y, &fd_default_options);
    (whole ? fd_row_loops_now->kl_div : fd_row_loops_now->rel_entr)(fd_block(&first, 0, n, x_copy),
                                                                    fd_block(&second, 0, n, y_copy), n, out);
}
