/* Derivatives unit (slope - mean) in which the two nearly cancel, once more in two doubles (careful.h).
 *
 * A slope and the mean are good to some u of the slopes' size, so a derivative of 2^-10 of that to 1e-12 of itself.
 * Below, the slope is taken in two doubles. The mean need not be, at first: the errors of its terms are independent,
 * and so it is good to some u sqrt(sum t^2)/sum x, t = x |slope|, terms that are all but the same added up before. Only
 * where that does not do are all slopes of the row taken in two doubles; together, good to some 2^-95 of their size.
 *
 *     mean = sum x slope / sum x,    slope_i - mean = sum_j x_j (slope_i - slope_j) / sum x,
 *
 * and of a bin with more than half of the mass the second, in which it has no part: its derivative is as small as the
 * others are together. Total variation's slopes are signs: of the second, masses are left.
 *
 * The scale between the rows is as the loops had it. For derivatives that feel that it is rounded (fd_feels_scale) it is
 * taken to three doubles, such that all x - y add to 0, where the mean is.
 */
#include "rows/again.h"
#include "rows/settle.h"

typedef struct {
    fd_twofold mean;
    double least;      /* derivatives below this */
    ptrdiff_t top;     /* the bin with more than half of the mass, -1 for none: */
    fd_twofold of_top; /* slope - mean there */
} fd_again_mean;

static double fd_mass_at(const fd_row_reader *r, ptrdiff_t i) {
    double copy;
    return *fd_block(r, i, 1, &copy);
}

/* How many times the squares of terms are less than those of sums of terms that are the same, by a sample: of more than
 * 128 bins every fourth piece, of more than 2048 some 16 pieces. More kinds than places there are not: where those of one
 * place differ, they add what is taken off. */
enum { FD_PIECE = 32, FD_KINDS = 4096 };
static double fd_of_one_kind(const fd_again_side *s, ptrdiff_t n, double to_slope) {
    double copy[FD_PIECE], kinds[FD_KINDS], total = 0.0, squares = 0.0, of_each = 0.0;
    ptrdiff_t pieces = (n + FD_PIECE - 1) / FD_PIECE,
              step = pieces <= 4    ? 1
                     : pieces <= 64 ? 4
                                    : pieces / 16,
              count = n <= FD_BLOCK ? 128 : FD_KINDS;
    int shift = n <= FD_BLOCK ? 57 : 52;
    memset(kinds, 0, (size_t)count * sizeof *kinds);
    for (ptrdiff_t start = 0; start < n; start += step * FD_PIECE) {
        ptrdiff_t size = n - start < FD_PIECE ? n - start : FD_PIECE;
        const double *x = fd_block(s->row, start, size, copy);
        for (ptrdiff_t i = 0; i < size; i++) {
            double slope = s->slopes[start + i] * to_slope + s->mean,
                   term = x[i] > 0.0 ? x[i] * fabs(slope) : 0.0;
            kinds[(fd_bits(slope) >> 12) * 0x9e3779b97f4a7c15u >> shift] += term;
            of_each += term * term;
        }
    }
    _Pragma("omp simd reduction(+ : total, squares)") for (ptrdiff_t k = 0; k < count; k++) {
        total += kinds[k];
        squares += kinds[k] * kinds[k];
    }
    squares -= 0.95 * total * total / (double)count;
    return of_each > 0.0 && squares > 2.0 * of_each ? squares / of_each * (double)step : 1.25;
}

/* The mean of the slopes' sizes, and the root of the squares of the terms of their mean. */
static void fd_weigh_slopes(const fd_again_side *s, ptrdiff_t n, double *size, double *root) {
    double copy[FD_BLOCK], total = 0.0, squares = 0.0, to_slope = 1.0 / s->unit;
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t block = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        double of_block, its_squares;
        fd_slope_loops_now->sizes(fd_block(s->row, start, block, copy), s->slopes + start, block, to_slope,
                                  s->mean, &of_block, &its_squares);
        total += of_block;
        squares += its_squares;
    }
    *size = total / s->row->sum;
    *root = sqrt(squares * fd_of_one_kind(s, n, to_slope)) / s->row->sum;
}

/* Derivatives ought to be orthogonal to the row: what they lack is the error of the sum that is their mean. */
static double fd_mean_rest(const fd_again_side *s, ptrdiff_t n) {
    double copy[FD_BLOCK];
    fd_twofold sum = {0.0, 0.0};
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t block = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        const double *x = fd_block(s->row, start, block, copy);
        sum = fd_twofold_plus(sum, fd_slope_loops_now->products(x, s->slopes + start, block));
    }
    return sum.high / s->row->sum / s->unit;
}

/* The bin with more than half of the mass, or -1. */
static ptrdiff_t fd_top_bin(const fd_row_reader *r, ptrdiff_t n) {
    double copy[FD_BLOCK];
    for (ptrdiff_t start = 0; start < n; start += FD_BLOCK) {
        ptrdiff_t size = n - start < FD_BLOCK ? n - start : FD_BLOCK;
        const double *x = fd_block(r, start, size, copy);
        for (ptrdiff_t i = 0; i < size; i++)
            if (x[i] > 0.5 * r->sum)
                return start + i;
    }
    return -1;
}

static fd_twofold fd_careful_excess(const fd_again *look, const fd_careful_pair *pair) {
    double p_copy[FD_BLOCK], q_copy[FD_BLOCK];
    fd_twofold sum = {0.0, 0.0};
    for (ptrdiff_t start = 0; start < look->n; start += FD_BLOCK) {
        ptrdiff_t size = look->n - start < FD_BLOCK ? look->n - start : FD_BLOCK;
        sum = fd_twofold_plus(sum, fd_slope_loops_now->excess(fd_block(look->p.row, start, size, p_copy),
                                                              fd_block(look->q.row, start, size, q_copy),
                                                              size, pair));
    }
    return sum;
}

/* What x - y add up to is given back to the scale: twice, since the first is good to u. */
static void fd_refine_carefully(const fd_again *look, fd_careful_pair *pair) {
    for (int pass = 0; pass < 2; pass++) {
        double more = fd_careful_excess(look, pair).high / look->q.row->sum;
        fd_twofold low = fd_two_sum(pair->c_lo, more);
        pair->c_lo = low.high;
        pair->c_rest += low.low;
    }
}

/* Sums over all bins but two. */
typedef struct {
    fd_careful_slopes slopes; /* x by_x, y by_y */
    fd_twofold x, y;
} fd_careful_sums;

static void fd_add_stats(fd_twofold *sum, const double *x, ptrdiff_t n) {
    fd_stats stats;
    fd_row_loops_now->exact_stats(x, n, &stats);
    *sum = fd_twofold_plus(*sum, fd_two_sum(stats.sum_hi, stats.sum_lo));
}

static fd_careful_sums fd_sum_carefully(const fd_again *look, const fd_careful_pair *pair,
                                        const ptrdiff_t *out) {
    double p[FD_BLOCK], q[FD_BLOCK];
    fd_careful_sums sums = {{{0.0, 0.0}, {0.0, 0.0}}, {0.0, 0.0}, {0.0, 0.0}};
    for (ptrdiff_t start = 0; start < look->n; start += FD_BLOCK) {
        ptrdiff_t size = look->n - start < FD_BLOCK ? look->n - start : FD_BLOCK;
        const double *x = fd_block(look->p.row, start, size, p), *y = fd_block(look->q.row, start, size, q);
        memmove(p, x, (size_t)size * sizeof *p);
        memmove(q, y, (size_t)size * sizeof *q);
        for (int k = 0; k < 2; k++)
            if (out[k] >= start && out[k] < start + size)
                p[out[k] - start] = q[out[k] - start] = 0.0;
        fd_careful_slopes of = fd_slope_loops_now->careful[look->sum](p, q, size, pair, NULL);
        sums.slopes.by_x = fd_twofold_plus(sums.slopes.by_x, of.by_x);
        sums.slopes.by_y = fd_twofold_plus(sums.slopes.by_y, of.by_y);
        fd_add_stats(&sums.x, p, size);
        fd_add_stats(&sums.y, q, size);
    }
    return sums;
}

/* The mean, and what the bin with most of the mass is above it: `sum` and `mass` are those of all bins but `out`. */
static void fd_close_mean(const fd_again *look, const fd_again_side *s, const ptrdiff_t *out,
                          const fd_careful_slopes *of_out, fd_twofold sum, fd_twofold mass,
                          fd_again_mean *m) {
    fd_twofold rest = {0.0, 0.0}, rest_mass = {0.0, 0.0};
    for (int k = 0; k < 2; k++) {
        double x = out[k] < 0 || (k && out[1] == out[0]) ? 0.0 : fd_mass_at(s->row, out[k]);
        fd_twofold slope = s == &look->p ? of_out[k].by_x : of_out[k].by_y;
        fd_twofold product = x > 0.0 ? fd_twofold_scaled(slope, x) : (fd_twofold){0.0, 0.0};
        fd_twofold *to = out[k] == m->top ? &rest : &sum, *to_mass = out[k] == m->top ? &rest_mass : &mass;
        *to = fd_twofold_plus(*to, product);
        *to_mass = fd_twofold_plus(*to_mass, (fd_twofold){x, 0.0});
    }
    fd_twofold all = fd_twofold_plus(mass, rest_mass);
    m->mean = fd_twofold_ratio(fd_twofold_plus(sum, rest), all);
    if (m->top >= 0) {
        fd_twofold slope = s == &look->p ? of_out[0].by_x : of_out[1].by_y;
        m->of_top = fd_twofold_ratio(fd_twofold_minus(fd_twofold_times(slope, mass), sum), all);
    }
}

static void fd_take_means(const fd_again *look, fd_careful_pair *pair, fd_again_mean *of_p,
                          fd_again_mean *of_q) {
    ptrdiff_t out[2] = {fd_top_bin(look->p.row, look->n), fd_top_bin(look->q.row, look->n)};
    fd_careful_slopes of_out[2] = {{{0.0, 0.0}, {0.0, 0.0}}, {{0.0, 0.0}, {0.0, 0.0}}};
    if (fd_feels_scale(look->sum))
        fd_refine_carefully(look, pair);
    for (int k = 0; k < 2; k++)
        if (out[k] >= 0) {
            double x = fd_mass_at(look->p.row, out[k]), y = fd_mass_at(look->q.row, out[k]);
            fd_slope_loops_now->careful[look->sum](&x, &y, 1, pair, &of_out[k]);
        }
    fd_careful_sums sums = fd_sum_carefully(look, pair, out);
    of_p->top = out[0];
    of_q->top = out[1];
    fd_close_mean(look, &look->p, out, of_out, sums.slopes.by_x, sums.x, of_p);
    fd_close_mean(look, &look->q, out, of_out, sums.slopes.by_y, sums.y, of_q);
}

/* Bins whose derivatives are small, of either row, until there is a step's worth: in two doubles a step takes as long as
 * some twenty of the loops that came before. */
typedef struct {
    const fd_again_side *side[FD_LANES];
    const fd_again_mean *mean[FD_LANES];
    ptrdiff_t at[FD_LANES];
    double p[FD_LANES], q[FD_LANES];
    int count;
} fd_small_bins;

static void fd_mend_bins(const fd_again *look, const fd_careful_pair *pair, fd_small_bins *bins) {
    fd_careful_slopes slopes[FD_LANES];
    if (bins->count)
        fd_slope_loops_now->careful[look->sum](bins->p, bins->q, bins->count, pair, slopes);
    for (int k = 0; k < bins->count; k++) {
        const fd_again_side *s = bins->side[k];
        const fd_again_mean *m = bins->mean[k];
        fd_twofold rest = fd_twofold_minus(s == &look->p ? slopes[k].by_x : slopes[k].by_y, m->mean);
        s->slopes[bins->at[k]] = (bins->at[k] == m->top ? m->of_top.high : rest.high) * s->unit;
    }
    bins->count = 0;
}

/* Bins without mass in both rows have the slope of mass towards the one side (apart.h). */
static void fd_mend_side(const fd_again *look, const fd_again_side *s, const fd_careful_pair *pair,
                         const fd_again_mean *m, fd_small_bins *bins) {
    enum { AT_ONCE = 128 };
    for (ptrdiff_t start = 0; start < look->n; start += AT_ONCE) {
        ptrdiff_t end = look->n - start < AT_ONCE ? look->n : start + AT_ONCE;
        ptrdiff_t left = fd_slope_loops_now->below(s->slopes + start, end - start, m->least);
        for (ptrdiff_t i = start; left > 0; i++) {
            if (!(fabs(s->slopes[i]) < m->least))
                continue;
            double p = fd_mass_at(look->p.row, i), q = fd_mass_at(look->q.row, i);
            if (p == 0.0 && q == 0.0)
                *(s == &look->p ? &p : &q) = s->row->sum;
            const int k = bins->count++;
            bins->side[k] = s;
            bins->mean[k] = m;
            bins->at[k] = i;
            bins->p[k] = p;
            bins->q[k] = q;
            left--;
            if (bins->count == FD_LANES)
                fd_mend_bins(look, pair, bins);
        }
    }
}

/* Of signs: what pulls the other way, twice, and what does not pull. */
static void fd_mend_signs(const fd_again_side *s, ptrdiff_t n) {
    fd_twofold up = {0.0, 0.0}, down = {0.0, 0.0}, none = {0.0, 0.0};
    for (int pass = 0; pass < 2; pass++) {
        fd_twofold all = fd_twofold_plus(fd_twofold_plus(up, down), none);
        fd_twofold below = fd_twofold_plus(fd_twofold_plus(down, down), none);
        fd_twofold above = fd_twofold_plus(fd_twofold_plus(up, up), none), level = fd_twofold_minus(down, up);
        for (ptrdiff_t i = 0; i < n; i++) {
            double sign = nearbyint(s->slopes[i] / s->unit + s->mean);
            fd_twofold mass = {fd_mass_at(s->row, i), 0.0}, *of = sign > 0.0   ? &up
                                                                  : sign < 0.0 ? &down
                                                                               : &none;
            if (pass == 0)
                *of = fd_twofold_plus(*of, mass);
            else
                s->slopes[i] = (sign > 0.0   ? below.high
                                : sign < 0.0 ? -above.high
                                             : level.high) /
                               all.high * s->unit;
        }
    }
}

static fd_careful_pair fd_careful_pair_of(const fd_again *look) {
    const fd_pair *pair = look->pair;
    fd_twofold order = fd_two_sum(look->alpha, -1.0);
    return (fd_careful_pair){pair->c_hi, pair->c_lo,       0.0,        pair->w_p, pair->w_q, order.high,
                             order.low,  pair->divergence, pair->pivot};
}

/* Slopes are off by up to 1.2u of themselves, root mean square. Errors that are independent add to more than this many
 * times that once in 150 000 rows of those whose least derivative is just so small, one in some hundred. */
static const double FD_SURE = 4.5;

/* Of KL by q the mean is that of -(x - y)/y, for which no logarithm is asked: of rows without a bin that holds most of the
 * mass (above). */
static int fd_mean_of_excess(const fd_again *look, const fd_careful_pair *pair, fd_again_mean *of_q) {
    if (look->sum != FD_kl_divergence || fd_top_bin(look->q.row, look->n) >= 0)
        return 0;
    double excess = fd_careful_excess(look, pair).high;
    of_q->mean = (fd_twofold){-FD_LOG2_E * (excess / (pair->c_hi * look->q.row->sum)), 0.0};
    return 1;
}

/* What is to be looked at: whether there is something, and whether it asks for the means too. A mean is off by 4u of
 * the slopes' size at most; where that is too much, it is told more closely: a lane of the loops adds up to 32 terms,
 * and what the sum lacks can be mended. */
static int fd_is_small(const fd_again *look, const fd_again_side *s, fd_again_mean *m, int *by_mean) {
    double size = look->size, root, scale = 0.0, unit = fabs(s->unit),
           lane = 8.0 + fmin(look->n, FD_BLOCK) / FD_LANES;
    m->mean = (fd_twofold){s->mean, 0.0};
    m->top = -1;
    m->least = fd_least_slope(s->mean, size) * unit;
    if (!(s->least < fd_least_slope(s->mean, size)) || !(unit > 0x1p-960 && unit < 0x1p960))
        return 0;
    if (!s->row->normalize)
        return 1;
    if (look->n > FD_LONG) {
        m->mean = fd_two_sum(s->mean, s->rest);
        return 1;
    }
    fd_weigh_slopes(s, look->n, &size, &root);
    if (look->sum == FD_renyi_divergence && size > 0.0 && size < look->size &&
        16.0 * size <
            FD_LOG2_E * fabs(look->alpha / look->pair->order)) { /* exp(v) - 1 of small v = order (l - D) */
        root *= look->size / size;
        size = look->size;
    }
    m->least = fd_least_slope(s->mean, fmin(look->size, size)) * unit;
    if (fd_feels_scale(look->sum))
        scale = 0x1p-54 * size / sqrt(1.0 + (double)look->n / FD_BLOCK);
    /* (more than what the scale may ask for: root >= size sqrt(1.25 / n)) */
    if (s->least < 0x1p40 * FD_SURE * (0x1p-53 * sqrt(lane) * root)) {
        m->mean = fd_two_sum(s->mean, fd_mean_rest(s, look->n));
        *by_mean |= s->least < 0x1p40 * (FD_SURE * 0x1.6p-53 * root + scale);
    }
    return s->least * unit < m->least;
}

void fd_look_again(fd_again *look) {
    fd_again_mean of_p, of_q;
    fd_careful_pair pair = fd_careful_pair_of(look);
    int by_p_mean = 0, by_q_mean = 0;
    int p_is = fd_is_small(look, &look->p, &of_p, &by_p_mean),
        q_is = fd_is_small(look, &look->q, &of_q, &by_q_mean);
    if (look->sum == FD_total_variation) {
        if (p_is)
            fd_mend_signs(&look->p, look->n);
        if (q_is)
            fd_mend_signs(&look->q, look->n);
        return;
    }
    if (by_p_mean || (by_q_mean && !fd_mean_of_excess(look, &pair, &of_q)))
        fd_take_means(look, &pair, &of_p, &of_q);
    if (!look->p.row->normalize) /* the constant that is added instead, to two doubles */
        of_p.mean = (fd_twofold){look->p.mean, copysign(FD_TWOFOLD_LOG2_E.low, look->p.mean)};
    fd_small_bins bins;
    bins.count = 0;
    if (p_is)
        fd_mend_side(look, &look->p, &pair, &of_p, &bins);
    if (q_is)
        fd_mend_side(look, &look->q, &pair, &of_q, &bins);
    fd_mend_bins(look, &pair, &bins);
}
