/* Gradients of FD_ROWS pairs of rows of few bins side by side, a row a lane, after their values (lanes.c): the same
 * bits as by fd_gradient, to which a mask leaves rows that are out of the ordinary.
 */
#include "rows/again.h"
#include "rows/apart.h"
#include "rows/gradient.h"
#include "rows/lanes.h"
#include "rows/settle.h"
#include "rows/signs.h"

/* What a block of rows and its gradient have in common. */
typedef struct {
    fd_beside rows;
    fd_measure measure, sum;
    fd_options options;
    int normalize;
    double value[FD_ROWS], bits[FD_ROWS];
    unsigned near; /* rows that fd_write_at_once would leave */
} fd_slope_lanes;

static void fd_set_values(fd_slope_lanes *w) {
    for (int i = 0; i < FD_ROWS; i++) {
        fd_from_bits_up(w->measure, &w->options, &w->bits[i], &w->value[i]);
        w->bits[i] /= fd_measures[w->measure].times;
    }
}

/* The values as fd_gradient has them, and the rows that have a gradient here. */
static void fd_value_lanes(fd_slope_lanes *w, const fd_route *route) {
    int symmetric = fd_measures[w->measure].symmetric;
    fd_options in_bits = fd_options_in_bits(w->measure, &w->options);
    fd_values_beside(&w->rows, route, symmetric, &in_bits, w->bits);
    fd_turn_back_beside(&w->rows, route, symmetric);
    fd_set_values(w);
    for (int i = 0; i < FD_ROWS; i++)
        w->rows.alone |= (unsigned)!(w->value[i] != 0.0 && fabs(w->value[i]) < FD_VAST) << i;
}

/* fd_set_slope_pair and the second look at the scale. */
static void fd_set_slope_pairs(fd_slope_lanes *w) {
    fd_beside *b = &w->rows;
    fd_pairs *pairs = &b->pairs;
    const fd_options *o = &w->options;
    fd_pair common = {.w_p = o->w_p, .w_q = o->w_q, .order = o->alpha - 1.0, .is_raw = !w->normalize};
    fd_slopes none = fd_none_slopes(w->sum, &common);
    unsigned near = 0;
    pairs->none_x = none.by_x;
    pairs->none_y = none.by_y;
    pairs->undecided = w->normalize && !b->logs ? FD_UNDECIDED : 0.0;
    pairs->is_raw = common.is_raw;
    pairs->order = common.order;
    for (int i = 0; i < FD_ROWS; i++) {
        double of_p = w->normalize ? b->of_p.sum[i] : 1.0, of_q = w->normalize ? b->of_q.sum[i] : 1.0;
        double first_order = fd_first_order(w->measure, w->value[i]);
        pairs->w_p[i] = common.w_p;
        pairs->w_q[i] = common.w_q;
        pairs->c_hi[i] = of_p / of_q;
        pairs->c_lo[i] = fma(-pairs->c_hi[i], of_q, of_p) / of_q;
        pairs->divergence[i] = w->bits[i] * FD_LN_2;
        pairs->pivot[i] = !fd_is_entropy(w->sum) ? 0.0 : w->normalize ? fd_pivot(of_q, w->bits[i]) : 1.0;
        if (b->logs)
            pairs->pivot[i] = b->of_q.log[i] - w->bits[i] * FD_LN_2;
        int is_near = w->sum == FD_cross_entropy || fd_is_near(first_order);
        near |= (unsigned)is_near << i;
        pairs->c_lo[i] = is_near || fd_feels_scale(w->sum) ? pairs->c_lo[i] : 0.0;
    }
    if (b->logs)
        fd_shift_beside(b);
    near &= ~b->alone;
    if (near && w->normalize && w->sum != FD_entropy)
        fd_refine_beside(b, near);
}

/* fd_write_at_once, before the loop */
static void fd_pair_at_once(fd_slope_lanes *w, const fd_route *route) {
    fd_pairs *pairs = &w->rows.pairs;
    fd_pair common = {.w_p = w->options.w_p, .w_q = w->options.w_q};
    fd_slopes none = fd_none_slopes(w->sum, &common);
    fd_pair_beside(&w->rows, route, fd_measures[w->measure].symmetric, &w->options);
    pairs->none_x = none.by_x;
    pairs->none_y = none.by_y;
    pairs->is_raw = 0;
}

/* and after it: the values, of the sums of terms, and slopes by the caller's p and q. */
static void fd_value_at_once(fd_slope_lanes *w, const double *terms, double *mean_x, double *mean_y) {
    const fd_traits *traits = &fd_measures[w->measure];
    fd_options in_bits = fd_options_in_bits(w->measure, &w->options);
    fd_beside *b = &w->rows;
    for (int i = 0; i < FD_ROWS; i++) {
        w->bits[i] = terms[i] / b->of_p.sum[i];
        w->near |= (unsigned)!(w->bits[i] >= traits->again && w->bits[i] < INFINITY) << i;
    }
    fd_finish_beside(b, w->measure, &in_bits, w->bits);
    fd_set_values(w);
    for (int i = 0; i < FD_ROWS; i++) {
        double value = w->value[i];
        int is_near = !(value < FD_VAST) || fd_is_near(fd_first_order(w->measure, value));
        w->near |= (unsigned)is_near << i;
    }
    if (traits->symmetric) {
        fd_exchange_beside(b);
        fd_row_loops_now->lane_swap(mean_x, mean_y, 1, b->first);
    }
}

/* What is taken off the slopes by x and y, and what they are multiplied by. */
typedef struct {
    double mean_x[FD_ROWS], mean_y[FD_ROWS], scale_x[FD_ROWS], scale_y[FD_ROWS], least_x[FD_ROWS],
        least_y[FD_ROWS];
} fd_lane_chain;

static void fd_chain_lanes(fd_slope_lanes *w, fd_lane_chain *c) {
    fd_beside *b = &w->rows;
    for (int i = 0; i < FD_ROWS; i++) {
        double factor = fd_unit_of(w->measure, &w->options, w->value[i]);
        b->alone |= (unsigned)!(fabs(c->mean_x[i]) + fabs(c->mean_y[i]) < INFINITY) << i;
        c->mean_x[i] = w->normalize ? c->mean_x[i] / b->of_p.sum[i] : -fd_constant(w->sum);
        c->mean_y[i] = w->normalize ? c->mean_y[i] / b->of_q.sum[i] : -0.0; /* as -constant is */
        double size = w->normalize ? fd_slopes_size(w->sum, w->options.alpha, w->bits[i]) : 0.0;
        c->least_x[i] = fd_least_slope(c->mean_x[i], size);
        c->least_y[i] = fd_least_slope(c->mean_y[i], size);
        c->scale_x[i] = w->normalize ? factor / b->of_p.sum[i] : factor;
        c->scale_y[i] = w->normalize ? factor / b->of_q.sum[i] : factor;
    }
}

/* Rows with a sign that the loop left undecided. */
static unsigned fd_undecided_lanes(const double *slopes, ptrdiff_t n) {
    double mark[FD_ROWS] = {0.0};
    for (ptrdiff_t j = 0; j < n; j++)
        for (int i = 0; i < FD_ROWS; i++)
            mark[i] += slopes[j * FD_ROWS + i] == 0.0 ? 1.0 : 0.0;
    return fd_marked(mark);
}

/* Rows that fd_gradient looks at again. */
static unsigned fd_small_lanes(const double *least, const double *bound) {
    unsigned small = 0;
    for (int i = 0; i < FD_ROWS; i++)
        small |= (unsigned)(least[i] < bound[i]) << i;
    return small;
}

/* The values of the rows `which`; those that are left alone. */
static unsigned fd_keep_values(const fd_slope_lanes *w, unsigned which, double *values) {
    for (int i = 0; which >> i; i++)
        if (which >> i & 1)
            values[i] = w->value[i];
    return w->rows.alone & which;
}

/* Of logarithms, whose slopes are products with masses: these are taken from the logarithms once more for the mean. */
FD_NO_INLINE void fd_settle_log_lanes(fd_slope_lanes *w, fd_lane_chain *c, unsigned which, double *by_p,
                                      ptrdiff_t p_pitch, double *by_q, ptrdiff_t q_pitch) {
    double x_slopes[FD_FEW * FD_ROWS], y_slopes[FD_FEW * FD_ROWS];
    const fd_beside *b = &w->rows;
    fd_slope_loops_now->of_log_lanes[w->sum](b->p, b->q, b->n, &b->pairs, x_slopes, y_slopes, c->mean_x,
                                             c->mean_y);
    fd_chain_lanes(w, c);
    fd_slope_loops_now->settle_log_lanes(x_slopes, b->p, b->n, &b->of_p, c->mean_x, c->scale_x, which, by_p,
                                         p_pitch);
    if (by_q)
        fd_slope_loops_now->settle_log_lanes(y_slopes, b->q, b->n, &b->of_q, c->mean_y, c->scale_y, which,
                                             by_q, q_pitch);
}

/* Slopes take the place of the masses they are of. Writes the rows `which`, but for those that are `near` if all is
 * computed at once; which of the others are left to fd_gradient. */
static unsigned fd_gradient_lanes(fd_measure measure, fd_view p, ptrdiff_t p_step, fd_view q,
                                  ptrdiff_t q_step, int rows, ptrdiff_t n, const fd_options *o,
                                  double *values, double *by_p, ptrdiff_t p_pitch, double *by_q,
                                  ptrdiff_t q_pitch, unsigned which, unsigned *near) {
    double copies[2 * FD_FEW * FD_ROWS], terms[FD_ROWS], least[FD_ROWS];
    const fd_traits *traits = &fd_measures[measure];
    fd_route route = fd_route_of(measure, o);
    int is_entropy = !by_q;
    fd_lane_chain c;
    fd_slope_lanes w; /* not cleared (lanes.c) */
    fd_beside *b = &w.rows;
    w.measure = measure;
    w.sum = is_entropy ? FD_entropy : route.measure == FD_kl_divergence ? FD_kl_divergence : traits->sum;
    w.options = *o;
    w.normalize = o->normalize != 0.0;
    w.near = 0;
    if (measure == FD_bhattacharyya_distance)
        w.options.alpha = 0.5;
    fd_open_beside(b, &route, p, p_step, q, q_step, is_entropy, rows, n, o, copies);
    if (b->logs &&
        w.sum == FD_renyi_divergence) /* fd_has_hidden_part? (Chi-square's are marked by its values.) */
        fd_mark_far_beside(b);
    if (near) {
        fd_pair_at_once(&w, &route);
    } else {
        fd_value_lanes(&w, &route);
        fd_set_slope_pairs(&w);
    }
    b->pairs.by_p_ahead = (const char *)by_p; /* while slopes are computed, where they will be is asked for */
    b->pairs.by_q_ahead = (const char *)(by_q ? by_q : by_p);
    if (b->logs) {
        fd_settle_log_lanes(&w, &c, which, by_p, p_pitch, by_q, q_pitch);
        return fd_keep_values(&w, which, values);
    }
    double *y_slopes = is_entropy ? copies + n * FD_ROWS : b->q;
    fd_slope_loops_now->of_lanes[w.sum](b->p, b->q, n, &b->pairs, b->p, y_slopes, c.mean_x, c.mean_y, terms);
    if (near) {
        fd_value_at_once(&w, terms, c.mean_x, c.mean_y);
        w.near &= which & ~b->alone;
        *near = w.near;
    }
    which &= ~w.near;
    fd_chain_lanes(&w, &c);
    if (measure == FD_total_variation && w.normalize)
        b->alone |= fd_undecided_lanes(b->p, n);
    fd_slope_loops_now->settle_lanes(b->p, n, c.mean_x, c.scale_x, which, by_p, p_pitch, least);
    b->alone |= fd_small_lanes(least, c.least_x);
    if (by_q) {
        fd_slope_loops_now->settle_lanes(b->q, n, c.mean_y, c.scale_y, which, by_q, q_pitch, least);
        b->alone |= fd_small_lanes(least, c.least_y);
    }
    return fd_keep_values(&w, which, values);
}

int fd_has_slope_lanes(fd_measure measure, ptrdiff_t n, const fd_options *options) {
    return n <= FD_FEW && fd_has_lanes(measure, FD_FLOAT64, n, options);
}

void fd_gradients(fd_measure measure, fd_view p, ptrdiff_t p_step, fd_view q, ptrdiff_t q_step, int rows,
                  ptrdiff_t n, const fd_options *options, double *values, double *by_p, ptrdiff_t p_pitch,
                  double *by_q, ptrdiff_t q_pitch) {
    unsigned all = (1u << rows) - 1, alone = all, near = all;
    if (rows > 1 && fd_has_slope_lanes(measure, n, options) &&
        fd_is_worth_lanes(p, p_step, q, q_step, rows, n)) {
        alone = 0;
        if (by_q && fd_is_at_once(measure, options))
            alone = fd_gradient_lanes(measure, p, p_step, q, q_step, rows, n, options, values, by_p, p_pitch,
                                      by_q, q_pitch, all, &near);
        alone |= near & (near - 1) ? fd_gradient_lanes(measure, p, p_step, q, q_step, rows, n, options,
                                                       values, by_p, p_pitch, by_q, q_pitch, near, NULL)
                                   : near;
    }
    for (int i = 0; alone >> i && i < rows; i++)
        if (alone >> i & 1)
            values[i] = fd_gradient(measure, fd_row_at(p, p_step, i), fd_row_at(q, q_step, i), n, options,
                                    by_p + i * p_pitch, by_q ? by_q + i * q_pitch : NULL);
}
