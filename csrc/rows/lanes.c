/* Pairs of rows side by side, FD_ROWS at once, a row a lane: for rows of few bins, and for rows that lie side by
 * side in memory (axis=0 of a C array).
 *
 * A row of ten bins costs what a call costs, and of 16 lanes over its bins six idle. Across rows no lane idles
 * and there is one call for all. A row's value is the same bits as by fd_row: terms are the same instructions,
 * and they are added in the same order (lane_loops.h). So whatever is out of the ordinary, a mask of rows, is
 * left to fd_row: bad, large, tiny masses, what may be equal, disjoint, in proportion.
 */
#include <stdlib.h>

#include "rows/finish.h"
#include "rows/lanes.h"
#include "rows/rows.h"
#include "rows/single.h"
#include "rows/weighed.h"

enum { FD_ALL_ROWS = (1 << FD_ROWS) - 1 };

static ptrdiff_t fd_block_size(ptrdiff_t n, ptrdiff_t start) {
    return n - start < FD_BLOCK ? n - start : FD_BLOCK;
}

/* Nearly always none. */
unsigned fd_marked(const double *mark) {
    uint64_t any = 0;
    unsigned rows = 0;
    _Pragma("omp simd reduction(| : any)") for (int i = 0; i < FD_ROWS; i++) any |= fd_bits(mark[i]);
    if (any != 0)
        for (int i = 0; i < FD_ROWS; i++)
            rows |= (unsigned)(mark[i] != 0.0) << i;
    return rows;
}

/* Of what gcc knows for zeros it makes rep stos (lane_loops.h). */
static void fd_clear(double *x) {
    static const volatile double hidden = 0.0;
    const double zero = hidden;
    for (int i = 0; i < FD_ROWS; i++)
        x[i] = zero;
}

/* As fd_work_through adds blocks up; what is not finite has NaN for its sum. */
static void fd_add_block(fd_sum *sums, const double *block) {
    for (int i = 0; i < FD_ROWS; i++)
        fd_sum_add(&sums[i], block[i]);
}

static void fd_terms_beside(const fd_beside *b, fd_measure sum, double *sums) {
    fd_lane_loop loop = (b->logs ? fd_row_loops_now->lane_log_sum : fd_row_loops_now->lane_sum)[sum];
    if (b->n <= FD_BLOCK) {
        loop(b->p, b->q, b->n, &b->pairs, sums);
        return;
    }
    fd_sum totals[FD_ROWS] = {{0}};
    for (ptrdiff_t start = 0; start < b->n; start += FD_BLOCK) {
        fd_pairs pairs = b->pairs;
        pairs.p_ahead += start * pairs.p_ahead_step;
        pairs.q_ahead += start * pairs.q_ahead_step;
        loop(b->p + start * FD_ROWS, b->q + start * FD_ROWS, fd_block_size(b->n, start), &pairs, sums);
        fd_add_block(totals, sums);
    }
    for (int i = 0; i < FD_ROWS; i++)
        sums[i] = totals[i].value + totals[i].error;
}

/* A row's bins, wherever they are, as column i of `out`. */
static void fd_lay_row(fd_view v, ptrdiff_t n, double *out, int i) {
    for (ptrdiff_t j = 0; j < n; j++)
        out[j * FD_ROWS + i] = fd_entry(&v, j);
}

static int fd_is_aligned(fd_view v, ptrdiff_t step) {
    uintptr_t size = (uintptr_t)fd_scalar_size(v.scalar);
    return (uintptr_t)v.data % size == 0 && (uintptr_t)v.stride % size == 0 && (uintptr_t)step % size == 0;
}

const double *fd_lay_beside(fd_view v, ptrdiff_t step, int rows, ptrdiff_t n, double *out, ptrdiff_t *pitch) {
    static const double as_it_is[2] = {1.0, 1.0};
    ptrdiff_t size = fd_scalar_size(v.scalar);
    *pitch = FD_ROWS;
    if (rows == FD_ROWS && step == size && fd_is_aligned(v, step)) {
        if (v.scalar == FD_FLOAT64) {
            *pitch = v.stride / size;
            return (const double *)v.data;
        }
        for (ptrdiff_t j = 0; j < n; j++)
            fd_row_loops_now->widen(v.data + j * v.stride, v.scalar, FD_ROWS, 0.0, as_it_is,
                                    out + j * FD_ROWS);
        return out;
    }
    if (rows == FD_ROWS && v.stride == size && fd_is_aligned(v, step)) {
        fd_row_loops_now->lane_turn(v.data, v.scalar, step / size, n, out);
        return out;
    }
    for (int i = 0; i < FD_ROWS; i++)
        fd_lay_row(fd_row_at(v, step, i < rows ? i : rows - 1), n, out, i);
    return out;
}

void fd_weigh_beside(fd_beside *b, fd_view v, ptrdiff_t step, int rows, const fd_options *o, double *out,
                     fd_lane_stats *stats) {
    fd_sum sums[FD_ROWS];
    double least = o->normalize != 0.0 ? FD_SUM_MIN : 0.0;
    ptrdiff_t pitch;
    if (b->n > FD_BLOCK)
        memset(sums, 0, sizeof sums);
    const double *in = fd_lay_beside(v, step, rows, b->n, out, &pitch);
    for (ptrdiff_t start = 0; start < b->n; start += FD_BLOCK) {
        fd_row_loops_now->lane_stats(in + start * pitch, pitch, fd_block_size(b->n, start), o->pseudocount,
                                     out + start * FD_ROWS, stats);
        if (b->n > FD_BLOCK)
            fd_add_block(sums, stats->sum);
        for (int i = 0; i < FD_ROWS; i++)
            b->mark[i] += stats->odd[i];
    }
    if (b->n > FD_BLOCK)
        for (int i = 0; i < FD_ROWS; i++)
            stats->sum[i] = sums[i].value + sums[i].error;
    _Pragma("omp simd") for (int i = 0; i < FD_ROWS; i++) {
        double odd = stats->sum[i] >= least ? 0.0 : 1.0;
        b->mark[i] += stats->sum[i] <= FD_SUM_MAX ? odd : 1.0;
    }
}

/* What b->first says of the order; twice is not at all. */
void fd_exchange_beside(fd_beside *b) {
    fd_row_loops_now->lane_swap(b->p, b->q, b->n, b->first);
    fd_row_loops_now->lane_swap(b->of_p.sum, b->of_q.sum, 1, b->first);
    if (b->logs) {
        fd_row_loops_now->lane_swap(b->of_p.max, b->of_q.max, 1, b->first);
        fd_row_loops_now->lane_swap(b->of_p.log, b->of_q.log, 1, b->first);
    }
}

/* Symmetric measures take their rows in the order of fd_in_order; where products do not tell, alone. */
static void fd_order_beside(fd_beside *b, int normalize, double *w_p, double *w_q) {
    double one[FD_ROWS];
    for (int i = 0; i < FD_ROWS; i++)
        one[i] = 1.0;
    fd_row_loops_now->lane_order(b->p, b->q, b->n, normalize ? b->of_p.sum : one,
                                 normalize ? b->of_q.sum : one, b->first);
    fd_exchange_beside(b);
    fd_row_loops_now->lane_swap(w_p, w_q, 1, b->first);
    for (int i = 0; i < FD_ROWS; i++)
        b->mark[i] += fabs(b->first[i]) > 0.0 ? 0.0 : 1.0;
}

void fd_refine_beside(fd_beside *b, unsigned which) {
    double excess[FD_ROWS];
    fd_terms_beside(b, FD_imbalance, excess);
    for (int i = 0; i < FD_ROWS; i++) {
        b->pairs.c_lo[i] += which >> i & 1 ? excess[i] / b->of_q.sum[i] : 0.0;
        if (b->logs)
            b->pairs.shift_lo[i] += which >> i & 1 ? excess[i] : 0.0;
    }
}

/* fd_small_variation */
static void fd_small_variations(fd_beside *b, unsigned which, double *d) {
    double gain[FD_ROWS], mass[FD_ROWS], excess[FD_ROWS];
    fd_refine_beside(b, which);
    fd_terms_beside(b, FD_gain, gain);
    fd_terms_beside(b, FD_gain_mass, mass);
    fd_terms_beside(b, FD_imbalance, excess);
    for (int i = 0; i < FD_ROWS; i++)
        if (which >> i & 1) {
            double least = mass[i] > 0.5 * b->of_p.sum[i] ? gain[i] - excess[i] : gain[i];
            d[i] = 2.0 * least / b->of_p.sum[i];
            b->alone |= (unsigned)(!b->logs && d[i] < FD_FIRST_ORDER_NONE) << i; /* in proportion? */
        }
}

/* fd_sum_terms of rows that are normalised. */
static void fd_sums_beside(fd_beside *b, fd_measure sum, double again, double *d) {
    double mark[FD_ROWS];
    fd_terms_beside(b, sum, d);
    _Pragma("omp simd") for (int i = 0; i < FD_ROWS; i++) {
        double share = d[i] / b->of_p.sum[i], small = share < again ? 1.0 : 0.0;
        d[i] = share;
        mark[i] = share > 0.0 ? small : 0.0;
    }
    unsigned near = fd_marked(mark);
    near = near ? near & ~fd_marked(b->mark) : 0;
    if (!(near & (near - 1))) { /* one at most */
        b->alone |= near;
        return;
    }
    fd_refine_beside(b, near);
    if (sum == FD_total_variation) {
        fd_small_variations(b, near, d);
        return;
    }
    double second[FD_ROWS];
    fd_terms_beside(b, sum, second);
    for (int i = 0; i < FD_ROWS; i++)
        if (near >> i & 1) {
            d[i] = second[i] / b->of_p.sum[i];
            b->alone |= (unsigned)(!b->logs && d[i] < FD_SECOND_ORDER_NONE) << i; /* in proportion? */
        }
}

/* fd_kl_as_it_stands */
static void fd_kl_beside(const fd_beside *b, double *d) {
    double near[FD_ROWS], size[FD_ROWS], imbalance[FD_ROWS];
    unsigned stands = 0, is_near = 0;
    fd_terms_beside(b, FD_log_excess, d);
    for (int i = 0; i < FD_ROWS; i++)
        stands |= (unsigned)fd_kl_stands(d[i], b->of_q.sum[i]) << i;
    if (stands == FD_ALL_ROWS)
        return;
    fd_terms_beside(b, FD_kl_divergence, near);
    fd_terms_beside(b, FD_imbalance, imbalance);
    for (int i = 0; i < FD_ROWS; i++)
        is_near |= (unsigned)fd_kl_is_near(near[i], d[i]) << i;
    if ((stands | is_near) != FD_ALL_ROWS)
        fd_terms_beside(b, FD_log_excess_size, size);
    for (int i = 0; i < FD_ROWS; i++)
        if (!(stands >> i & 1) && (is_near >> i & 1 || near[i] < size[i]))
            d[i] = near[i] + FD_LOG2_E * imbalance[i];
}

/* Renyi's divergence of normalised rows; what its sum does not tell is left to renyi.h. */
static void fd_renyi_beside(fd_beside *b, const fd_route *route, double *d) {
    double alpha = route->alpha, again = fd_measures[FD_renyi_divergence].again;
    fd_measure sum = b->logs        ? FD_renyi_divergence
                     : alpha == 2.0 ? FD_chi_square
                     : alpha == 0.5 ? FD_hellinger_distance
                                    : FD_renyi_divergence;
    if (alpha > 4.0)
        fd_refine_beside(b, FD_ALL_ROWS);
    fd_sums_beside(b, sum, again, d);
    for (int i = 0; i < FD_ROWS; i++) {
        double grown = route->order * d[i];
        if (sum == FD_chi_square)
            d[i] = fd_renyi_of_chi_square(d[i]);
        else if (sum == FD_hellinger_distance)
            d[i] = fd_renyi_of_hellinger(d[i]);
        else
            d[i] = grown >= -0.5 && grown < 0x1p900 ? log1p(grown) / route->order * FD_LOG2_E : NAN;
        d[i] *= route->factor;
        b->alone |= (unsigned)!(d[i] < INFINITY) << i;
    }
}

/* fd_finish; alone goes what may be at the bound, and NaN. */
void fd_finish_beside(fd_beside *b, fd_measure measure, const fd_options *o, double *d) {
    const fd_traits *traits = &fd_measures[measure];
    int whole = measure == FD_renyi_divergence || measure == FD_cross_entropy;
    double bound = fd_bound(measure, o->w_p, o->w_q), times = whole ? 1.0 : traits->times, mark[FD_ROWS];
    double high = traits->in_bits ? o->unit_hi : 1.0, low = traits->in_bits ? o->unit_lo : 0.0;
    memcpy(mark, b->mark, sizeof mark);
    bound = whole || o->normalize == 0.0 ? INFINITY : bound * (1.0 - 1e-9);
    _Pragma("omp simd") for (int i = 0; i < FD_ROWS; i++) {
        double bits = d[i] * times, at_bound = bits > bound ? 1.0 : 0.0;
        double value = bits * high + bits * low;
        mark[i] += bits < INFINITY ? at_bound : bits == bits ? 0.0 : 1.0;
        d[i] = bits < INFINITY ? value : bits;
    }
    b->alone |= fd_marked(mark);
    if (traits->root && !whole)
        _Pragma("omp simd") for (int i = 0; i < FD_ROWS; i++) d[i] = sqrt(d[i]);
}

void fd_pair_beside(fd_beside *b, const fd_route *route, int symmetric, const fd_options *o) {
    int normalize = o->normalize != 0.0;
    double *w_p = b->pairs.w_p, *w_q = b->pairs.w_q;
    for (int i = 0; i < FD_ROWS; i++) {
        w_p[i] = route->swap ? o->w_q : o->w_p;
        w_q[i] = route->swap ? o->w_p : o->w_q;
    }
    if (symmetric)
        fd_order_beside(b, normalize, w_p, w_q);
    b->pairs.order = route->order;
    const double *of_p = b->of_p.sum, *of_q = b->of_q.sum;
    double *c_hi = b->pairs.c_hi, *s_hi = b->pairs.s_hi;
    _Pragma("omp simd") for (int i = 0; i < FD_ROWS; i++) {
        c_hi[i] = of_p[i] / of_q[i];
        s_hi[i] = of_q[i];
    }
    fd_clear(b->pairs.c_lo);
    fd_clear(b->pairs.s_lo);
    if (!normalize)
        for (int i = 0; i < FD_ROWS; i++)
            c_hi[i] = s_hi[i] = 1.0;
    if (b->logs)
        fd_shift_beside(b);
}

void fd_values_beside(fd_beside *b, const fd_route *route, int symmetric, const fd_options *o, double *d) {
    fd_measure measure = route->measure;
    const fd_traits *traits = &fd_measures[measure];
    int normalize = o->normalize != 0.0;
    fd_pair_beside(b, route, symmetric, o);
    if (measure == FD_chi_square && b->logs)
        fd_mark_far_beside(b);
    if (measure == FD_renyi_divergence) {
        fd_renyi_beside(b, route, d);
    } else if (measure == FD_cross_entropy) {
        fd_terms_beside(b, b->p == b->q ? FD_entropy : FD_cross_entropy, d);
        for (int i = 0; i < FD_ROWS; i++) {
            d[i] /= normalize ? b->of_p.sum[i] : 1.0;
            b->alone |= (unsigned)(normalize && !b->logs && d[i] < 0x1p-5)
                        << i; /* one bin holds nearly all */
        }
    } else if (normalize) {
        fd_sums_beside(b, traits->sum, traits->again, d);
    } else if (measure == FD_kl_divergence) {
        fd_kl_beside(b, d);
    } else {
        fd_terms_beside(b, traits->sum, d);
    }
    fd_finish_beside(b, measure, o, d);
}

int fd_has_lanes(fd_measure measure, fd_scalar scalar, ptrdiff_t n, const fd_options *o) {
    fd_route route = fd_route_of(measure, o);
    if (o->log_input != 0.0 && (o->normalize == 0.0 || n > FD_FEW))
        return 0;
    if (n > FD_COPY || fd_is_single(measure, scalar, n, o))
        return 0;
    if (route.measure == FD_cross_entropy)
        return n <= FD_FEW;
    return route.measure != FD_renyi_divergence ||
           (o->normalize != 0.0 && route.alpha >= FD_ALPHA_MIN && route.alpha < INFINITY);
}

static int fd_is_column(fd_view v, ptrdiff_t step) { /* 0: one row for all */
    return step != 0 && llabs(step) < llabs(v.stride);
}

ptrdiff_t fd_ahead_step(fd_view v, ptrdiff_t step) {
    return fd_is_column(v, step) ? v.stride : FD_ROWS * fd_scalar_size(v.scalar);
}

static void fd_read_beside(fd_beside *b, fd_view v, ptrdiff_t step, int rows, const fd_options *o,
                           double *out, fd_lane_stats *stats) {
    if (b->logs)
        fd_log_weigh_beside(b, v, step, rows, out, stats);
    else
        fd_weigh_beside(b, v, step, rows, o, out, stats);
}

void fd_open_beside(fd_beside *b, const fd_route *route, fd_view p, ptrdiff_t p_step, fd_view q,
                    ptrdiff_t q_step, int is_entropy, int rows, ptrdiff_t n, const fd_options *o,
                    double *copies) {
    b->n = n;
    b->logs = o->log_input != 0.0;
    b->alone = 0;
    fd_clear(b->mark);
    b->p = copies;
    b->q = copies + n * FD_ROWS;
    fd_read_beside(b, route->swap ? q : p, route->swap ? q_step : p_step, rows, o, b->p, &b->of_p);
    if (is_entropy) {
        b->q = b->p;
        b->of_q = b->of_p;
    } else {
        fd_read_beside(b, route->swap ? p : q, route->swap ? p_step : q_step, rows, o, b->q, &b->of_q);
    }
    b->pairs.p_ahead = p.data + FD_ROWS * p_step;
    b->pairs.q_ahead = q.data + FD_ROWS * q_step;
    b->pairs.p_ahead_step = fd_ahead_step(p, p_step);
    b->pairs.q_ahead_step = fd_ahead_step(q, q_step);
}

void fd_turn_back_beside(fd_beside *b, const fd_route *route, int symmetric) {
    if (symmetric)
        fd_exchange_beside(b);
    if (route->swap) {
        fd_lane_stats of_p = b->of_p;
        double *p = b->p;
        b->of_p = b->of_q;
        b->of_q = of_p;
        b->p = b->q;
        b->q = p;
    }
}

static int fd_rows_beside(fd_measure measure, fd_view p, ptrdiff_t p_step, fd_view q, ptrdiff_t q_step,
                          int rows, ptrdiff_t n, const fd_options *o, double *out) {
    double few[2 * FD_FEW * FD_ROWS], d[FD_ROWS];
    fd_route route = fd_route_of(measure, o);
    int same = p.data == q.data && p.stride == q.stride && p_step == q_step;
    fd_beside b; /* large, and not all of it is used: not cleared */
    double *copies = n <= FD_FEW ? few : malloc(2 * (size_t)n * FD_ROWS * sizeof *copies);
    if (!copies)
        return 0;
    fd_open_beside(&b, &route, p, p_step, q, q_step, same && measure == FD_cross_entropy, rows, n, o, copies);
    fd_values_beside(&b, &route, fd_measures[measure].symmetric, o, d);
    if (copies != few)
        free(copies);
    memcpy(out, d, (size_t)rows * sizeof *d);
    for (int i = 0; b.alone >> i && i < rows; i++)
        if (b.alone >> i & 1)
            out[i] = fd_row(measure, fd_row_at(p, p_step, i), fd_row_at(q, q_step, i), n, o);
    return 1;
}

/* Side by side a block costs as much for one row as for all; alone a row has its own costs, those of some 80 bins.
 * What lies side by side in memory would have to be gathered first. */
int fd_is_worth_lanes(fd_view p, ptrdiff_t p_step, fd_view q, ptrdiff_t q_step, int rows, ptrdiff_t n) {
    if (n <= FD_FEW)
        return rows * (80 + n) >= FD_ROWS * n;
    return rows > FD_ROWS / 4 && (fd_is_column(p, p_step) || fd_is_column(q, q_step));
}

void fd_rows(fd_measure measure, fd_view p, ptrdiff_t p_step, fd_view q, ptrdiff_t q_step, int rows,
             ptrdiff_t n, const fd_options *options, double *out) {
    if (rows > 1 && fd_has_lanes(measure, p.scalar, n, options) &&
        fd_is_worth_lanes(p, p_step, q, q_step, rows, n) &&
        fd_rows_beside(measure, p, p_step, q, q_step, rows, n, options, out))
        return;
    for (int i = 0; i < rows; i++)
        out[i] = fd_row(measure, fd_row_at(p, p_step, i), fd_row_at(q, q_step, i), n, options);
}
