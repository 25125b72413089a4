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
    double unit;
    double value[FD_ROWS], bits[FD_ROWS];
} fd_slope_lanes;

/* The values as fd_gradient has them, and the rows that have a gradient here. */
static void fd_value_lanes(fd_slope_lanes *w, const fd_route *route) {
    const fd_traits *traits = &fd_measures[w->measure];
    int has_unit = traits->in_bits && !traits->root;
    fd_options in_bits = w->options;
    if (has_unit) {
        in_bits.unit_hi = 0.25;
        in_bits.unit_lo = 0.0;
    }
    fd_values_beside(&w->rows, route, traits->symmetric, &in_bits, w->bits);
    fd_turn_back_beside(&w->rows, route, traits->symmetric);
    for (int i = 0; i < FD_ROWS; i++) {
        double bits = w->bits[i];
        w->value[i] = has_unit ? 4.0 * fd_in_unit(bits, &w->options) : bits;
        w->bits[i] = (has_unit ? 4.0 * bits : bits) / traits->times;
        w->rows.alone |= (unsigned)!(w->value[i] != 0.0 && fabs(w->value[i]) < FD_VAST) << i;
    }
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
    pairs->undecided = w->normalize ? FD_UNDECIDED : 0.0;
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
        int is_near = w->sum == FD_cross_entropy || fd_is_near(first_order);
        near |= (unsigned)is_near << i;
        pairs->c_lo[i] = is_near || fd_feels_scale(w->sum) ? pairs->c_lo[i] : 0.0;
    }
    near &= ~b->alone;
    if (near && w->normalize && w->sum != FD_entropy)
        fd_refine_beside(b, near);
}

/* What is taken off the slopes by x and y, and what they are multiplied by. */
typedef struct {
    double mean_x[FD_ROWS], mean_y[FD_ROWS], scale_x[FD_ROWS], scale_y[FD_ROWS], least_x[FD_ROWS],
        least_y[FD_ROWS];
} fd_lane_chain;

static void fd_chain_lanes(fd_slope_lanes *w, fd_lane_chain *c) {
    fd_beside *b = &w->rows;
    const fd_traits *traits = &fd_measures[w->measure];
    for (int i = 0; i < FD_ROWS; i++) {
        double factor = traits->times * (traits->root ? 0.5 * w->unit / w->value[i] : w->unit);
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

/* Slopes take the place of the masses they are of. Which rows are left to fd_gradient. */
static unsigned fd_gradient_lanes(fd_measure measure, fd_view p, ptrdiff_t p_step, fd_view q,
                                  ptrdiff_t q_step, int rows, ptrdiff_t n, const fd_options *o,
                                  double *values, double *by_p, ptrdiff_t p_pitch, double *by_q,
                                  ptrdiff_t q_pitch) {
    double copies[2 * FD_FEW * FD_ROWS];
    const fd_traits *traits = &fd_measures[measure];
    fd_route route = fd_route_of(measure, o);
    int is_entropy = !by_q;
    double least[FD_ROWS];
    fd_lane_chain c;
    fd_slope_lanes w; /* not cleared (lanes.c) */
    fd_beside *b = &w.rows;
    w.measure = measure;
    w.sum = is_entropy ? FD_entropy : route.measure == FD_kl_divergence ? FD_kl_divergence : traits->sum;
    w.options = *o;
    w.normalize = o->normalize != 0.0;
    w.unit = traits->in_bits ? fd_in_unit(1.0, o) : 1.0;
    if (measure == FD_bhattacharyya_distance)
        w.options.alpha = 0.5;
    fd_open_beside(b, &route, p, p_step, q, q_step, is_entropy, rows, n, o, copies);
    fd_value_lanes(&w, &route);
    fd_set_slope_pairs(&w);
    b->pairs.p_ahead = (const char *)by_p; /* while slopes are computed, where they will be is asked for */
    b->pairs.q_ahead = (const char *)(by_q ? by_q : by_p);
    b->pairs.p_ahead_step = b->pairs.q_ahead_step = FD_ROWS * sizeof *by_p;
    double *y_slopes = is_entropy ? copies + n * FD_ROWS : b->q;
    fd_slope_loops_now->of_lanes[w.sum](b->p, b->q, n, &b->pairs, b->p, y_slopes, c.mean_x, c.mean_y);
    fd_chain_lanes(&w, &c);
    if (measure == FD_total_variation && w.normalize)
        b->alone |= fd_undecided_lanes(b->p, n);
    fd_slope_loops_now->settle_lanes(b->p, n, c.mean_x, c.scale_x, rows, by_p, p_pitch, least);
    b->alone |= fd_small_lanes(least, c.least_x);
    if (by_q) {
        fd_slope_loops_now->settle_lanes(b->q, n, c.mean_y, c.scale_y, rows, by_q, q_pitch, least);
        b->alone |= fd_small_lanes(least, c.least_y);
    }
    memcpy(values, w.value, (size_t)rows * sizeof *values);
    return b->alone;
}

int fd_has_slope_lanes(fd_measure measure, ptrdiff_t n, const fd_options *options) {
    return n <= FD_FEW && fd_has_lanes(measure, n, options);
}

void fd_gradients(fd_measure measure, fd_view p, ptrdiff_t p_step, fd_view q, ptrdiff_t q_step, int rows,
                  ptrdiff_t n, const fd_options *options, double *values, double *by_p, ptrdiff_t p_pitch,
                  double *by_q, ptrdiff_t q_pitch) {
    unsigned alone = ~0u;
    if (rows > 1 && fd_has_slope_lanes(measure, n, options) &&
        fd_is_worth_lanes(p, p_step, q, q_step, rows, n))
        alone = fd_gradient_lanes(measure, p, p_step, q, q_step, rows, n, options, values, by_p, p_pitch,
                                  by_q, q_pitch);
    for (int i = 0; alone >> i && i < rows; i++)
        if (alone >> i & 1)
            values[i] = fd_gradient(measure, fd_row_at(p, p_step, i), fd_row_at(q, q_step, i), n, options,
                                    by_p + i * p_pitch, by_q ? by_q + i * q_pitch : NULL);
}
