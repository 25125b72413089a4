/* The derivatives of a distance by the atoms of one side, u: by their values, and by their masses.
 * A template over the type of levels, after rotation.h; on a line the circle has no period, the offset is
 * `whole`.
 *
 * By masses a distance rises as the potential f of Kantorovich does. Between neighbours x, x' it is
 * f(x') - f(x) = c(x' - T) - c(x - T) with T = G^-1 at the level between the two: atoms without mass have a
 * potential, too. Where G^-1 jumps at that level there are two T, and any mean of both is a subgradient.
 */

/* What is known of one side. */
typedef struct {
    double *pull;      /* by values */
    double *potential; /* by shares of mass, times p; mean 0 */
    double turn
        [2]; /* what f gains in one turn by the mean of two T, and half of what the upper adds to the lower */
} FD_NAME(fd_side);

/* The mass of sorted atom i, a share of 1. */
static inline double FD_NAME(fd_share_at)(const FD_NAME(fd_circle) * c, int64_t i) {
    const FD_LEVEL level = i ? FD_NAME(fd_minus)(c->u_level[i], c->u_level[i - 1]) : c->u_level[0];
    return FD_NAME(fd_as_double)(level) / FD_NAME(fd_as_double)(c->whole);
}

static inline fd_twofold FD_NAME(fd_point)(const fd_arc *x, int64_t i) {
    return (fd_twofold){x->high[i], x->low ? x->low[i] : 0.0};
}

/* Atoms at one point have the mean pull of them all for their mass: no order of equal values comes before
 * another. Potentials lose their mean. */
static inline void FD_NAME(fd_even_out)(const FD_NAME(fd_circle) * c, FD_NAME(fd_side) * side) {
    const fd_arc *u = &c->u;
    fd_sum mean = {0.0, 0.0};
    for (int64_t i = 0, end; i < u->n; i = end) {
        fd_sum pull = {0.0, 0.0}, mass = {0.0, 0.0};
        for (end = i; end < u->n && u->high[end] == u->high[i] && (!u->low || u->low[end] == u->low[i]);
             end++) {
            const double share = FD_NAME(fd_share_at)(c, end);
            fd_sum_add(&mean, share * side->potential[end]);
            fd_sum_add(&mass, share);
            fd_sum_add(&pull, side->pull[end]);
        }
        if (end > i + 1 && fd_sum_total(mass) > 0.0)
            for (int64_t k = i; k < end; k++)
                side->pull[k] = fd_sum_total(pull) * (FD_NAME(fd_share_at)(c, k) / fd_sum_total(mass));
    }
    const double middle = fd_sum_total(mean);
    for (int64_t i = 0; i < u->n; i++) {
        const double slope = side->potential[i] - middle;
        side->potential[i] = fabs(slope) < FD_BEYOND / 2 ? slope : copysign(INFINITY, slope);
    }
}

/* The potential's rise from atom i, `turn` times round, to atom k, by T where laps are. At a jump of G^-1 from
 * y to y' that is the mean of both rises and `tilt` times half their difference. The mean is formed of
 * c(x' - y') - c(x - y) and c(x' - y) - c(x - y'), which are small where samples are nearly the same. */
static inline double FD_NAME(fd_climb)(const FD_NAME(fd_circle) * c, const FD_NAME(fd_lap) lap[2], int64_t i,
                                       int turn, int64_t k, int next_turn, double tilt, double W,
                                       fd_sum total[2]) {
    const int jumps = lap[1].j != lap[0].j || lap[1].turn != lap[0].turn;
    const fd_twofold x = FD_NAME(fd_circle_gap)(c, i, turn, lap),
                     next = FD_NAME(fd_circle_gap)(c, k, next_turn, lap);
    double mean = fd_rise(x, next, c->p, W), half = 0.0;
    if (jumps) {
        const fd_twofold x_above = FD_NAME(fd_circle_gap)(c, i, turn, lap + 1),
                         next_above = FD_NAME(fd_circle_gap)(c, k, next_turn, lap + 1);
        half = 0.5 * fd_rise(x_above, next_above, c->p, W) - 0.5 * mean;
        mean = 0.5 * fd_rise(x, next_above, c->p, W) + 0.5 * fd_rise(x_above, next, c->p, W);
    }
    fd_sum_add(total, mean);
    fd_sum_add(total + 1, half);
    return half == 0.0 ? mean : mean + tilt * half;
}

/* The potential on a circle at atom x without mass, between the atoms i and k that have some, at a jump of
 * G^-1 from y to y': the least that mass at x is moved for, min(f(i) + c(x - y) - c(i - y),
 * f(k) + c(x - y') - c(k - y')). */
typedef struct {
    int64_t i;
    int turn;
    double potential;
} FD_NAME(fd_post);

static inline double FD_NAME(fd_between)(const FD_NAME(fd_circle) * c, const FD_NAME(fd_lap) lap[2],
                                         FD_NAME(fd_post) i, int64_t x, int turn, FD_NAME(fd_post) k,
                                         double W) {
    const double rise = fd_rise(FD_NAME(fd_circle_gap)(c, i.i, i.turn, lap),
                                FD_NAME(fd_circle_gap)(c, x, turn, lap), c->p, W),
                 fall = fd_rise(FD_NAME(fd_circle_gap)(c, x, turn, lap + 1),
                                FD_NAME(fd_circle_gap)(c, k.i, k.turn, lap + 1), c->p, W);
    return fmin(i.potential + rise, k.potential - fall);
}

static inline int FD_NAME(fd_massless)(const FD_NAME(fd_circle) * c, int64_t i) {
    const FD_LEVEL none = {0};
    return !FD_NAME(fd_less)(i ? c->u_level[i - 1] : none, c->u_level[i]);
}

/* The derivatives of W_p = W at offset s. */
static inline void FD_NAME(fd_pull_of_quantiles)(const FD_NAME(fd_circle) * c, FD_LEVEL s, double tilt,
                                                 double W, FD_NAME(fd_side) * side) {
    const double unit = 1.0 / FD_NAME(fd_as_double)(c->whole);
    const int round = c->period.high > 0.0;
    const FD_NAME(fd_lap) start = FD_NAME(fd_lap_from)(c, s);
    FD_NAME(fd_lap) lap[2] = {start, start}; /* where T is, below and above the level t */
    FD_LEVEL t = {0};
    fd_sum potential = {0.0, 0.0}, total[2] = {{0.0, 0.0}, {0.0, 0.0}};
    int64_t first = 0;
    while (!FD_NAME(fd_less)(t, c->u_level[first]))
        first++;
    for (int64_t i = first; i < c->u.n; i++) {
        const FD_LEVEL end = c->u_level[i];
        fd_sum pull = {0.0, 0.0};
        if (i > first)
            fd_sum_add(&potential, FD_NAME(fd_climb)(c, lap, i - 1, 0, i, 0, tilt, W, total));
        side->potential[i] = fd_sum_total(potential);
        if (FD_NAME(fd_less)(t, end)) {
            int64_t before = i - 1;
            while (round && before > first && FD_NAME(fd_massless)(c, before))
                before--;
            for (int64_t k = before + 1; round && k < i && i > first; k++)
                side->potential[k] =
                    FD_NAME(fd_between)(c, lap, (FD_NAME(fd_post)){before, 0, side->potential[before]}, k, 0,
                                        (FD_NAME(fd_post)){i, 0, side->potential[i]}, W);
            lap[0] = lap[1];
            for (;;) {
                const FD_LEVEL v_end = FD_NAME(fd_lap_end)(c, lap),
                               next = FD_NAME(fd_less)(end, v_end) ? end : v_end;
                if (FD_NAME(fd_less)(t, next))
                    fd_sum_add(&pull, FD_NAME(fd_as_double)(FD_NAME(fd_minus)(next, t)) * unit *
                                          fd_pull(FD_NAME(fd_circle_gap)(c, i, 0, lap).high, c->p, W));
                t = next;
                if (!FD_NAME(fd_less)(t, end))
                    break;
                FD_NAME(fd_lap_on)(c, lap);
            }
            lap[1] = lap[0];
            while ((round || FD_NAME(fd_less)(t, c->whole)) &&
                   !FD_NAME(fd_less)(t, FD_NAME(fd_lap_end)(c, lap + 1)))
                FD_NAME(fd_lap_on)(c, lap + 1);
        }
        side->pull[i] = fd_sum_total(pull);
    }
    if (!round)
        lap[0] = lap[1] = start;
    for (int64_t k = 0; k < first;
         k++) { /* without mass: on a circle one turn on, on a line before the rest */
        const int64_t from = round ? (k ? k - 1 : c->u.n - 1) : first;
        const double rise = FD_NAME(fd_climb)(c, lap, from, round && k, k, round, tilt, W, total);
        if (round)
            fd_sum_add(&potential, rise); /* and the potential below */
        else
            side->potential[k] = rise;
        side->pull[k] = 0.0;
    }
    if (round) {
        fd_sum_add(&potential, FD_NAME(fd_climb)(c, lap, first ? first - 1 : c->u.n - 1, first > 0, first, 1,
                                                 tilt, W, total));
        int64_t last = c->u.n - 1;
        while (last > first && FD_NAME(fd_massless)(c, last))
            last--;
        const FD_NAME(fd_post) from = {last, 0, side->potential[last]},
                               to = {first, 1, fd_sum_total(potential)};
        for (int64_t k = last + 1; k < c->u.n; k++)
            side->potential[k] = FD_NAME(fd_between)(c, lap, from, k, 0, to, W);
        for (int64_t k = 0; k < first; k++)
            side->potential[k] = FD_NAME(fd_between)(c, lap, from, k, 1, to, W);
    }
    side->turn[0] = fd_sum_total(total[0]);
    side->turn[1] = fd_sum_total(total[1]);
    FD_NAME(fd_even_out)(c, side);
}

/* The derivatives of W_p = W on a circle, by both sides at the best offset s, where they have to close: the
 * potential gains nothing in one turn. Of the means of two T that is done by one, since the slope of the cost
 * changes its sign at s. */
static inline void FD_NAME(fd_pull_round)(const FD_NAME(fd_circle) * c, FD_LEVEL s, double W,
                                          const fd_gradients *out) {
    FD_NAME(fd_side)
    side[2] = {{out->values[0], out->weights[0], {0.0, 0.0}}, {out->values[1], out->weights[1], {0.0, 0.0}}};
    const FD_NAME(fd_circle)
        turned = {c->v, c->u, c->v_level, c->u_level, c->whole, c->period, c->p, c->scale};
    const FD_LEVEL back = FD_NAME(fd_minus)(FD_NAME(fd_plus)(c->whole, c->whole), s);
    for (int k = 0; k < 2; k++) {
        const FD_NAME(fd_circle) *x = k ? &turned : c;
        FD_NAME(fd_pull_of_quantiles)(x, k ? back : s, 0.0, W, side + k);
        const double gain = side[k].turn[0], half = side[k].turn[1];
        if (gain != 0.0 && half != 0.0)
            FD_NAME(fd_pull_of_quantiles)(x, k ? back : s, fmax(-1.0, fmin(1.0, -gain / half)), W, side + k);
    }
}

/* W_p on a circle, and where it is not 0 its derivatives, unless `out` is NULL. */
static inline double FD_NAME(fd_circle_solved)(const FD_NAME(fd_circle) * c, const fd_gradients *out) {
    const FD_LEVEL s = FD_NAME(fd_circle_offset)(c);
    const double W = FD_NAME(fd_circle_of)(c, s);
    if (out && W > 0.0)
        FD_NAME(fd_pull_round)(c, s, W, out);
    return W;
}

static inline double FD_NAME(fd_signed)(FD_LEVEL x, FD_LEVEL y) {
    return FD_NAME(fd_less)(x, y) ? -FD_NAME(fd_as_double)(FD_NAME(fd_minus)(y, x))
                                  : FD_NAME(fd_as_double)(FD_NAME(fd_minus)(x, y));
}

/* The derivatives of (int (F - G)^2 dx)^(1/2) = D on a line: by a value -a (L + R) / 2D with L, R = F - G on
 * either side of it and the share a of mass, by a share the potential -int (F - G) dx / D. */
static inline void FD_NAME(fd_pull_of_area)(const FD_NAME(fd_circle) * c, double D, FD_NAME(fd_side) * side) {
    const double unit = 1.0 / FD_NAME(fd_as_double)(c->whole);
    FD_LEVEL F = {0}, G = {0};
    fd_sum area = {0.0, 0.0};
    fd_twofold last = FD_NAME(fd_point)(&c->u, 0);
    int64_t j = 0, end;
    for (int64_t i = 0; i < c->u.n; i = end) {
        const fd_twofold x = FD_NAME(fd_point)(&c->u, i);
        for (; j < c->v.n; j++) {
            const fd_twofold y = FD_NAME(fd_point)(&c->v, j);
            if (!(fd_twofold_minus(y, x).high < 0.0))
                break;
            fd_sum_add(&area, FD_NAME(fd_signed)(F, G) * unit * fd_twofold_minus(y, last).high);
            G = c->v_level[j];
            last = y;
        }
        fd_sum_add(&area, FD_NAME(fd_signed)(F, G) * unit * fd_twofold_minus(x, last).high);
        last = x;
        if (i == 0) /* potentials start anywhere: here digits are not lost to what is common to all */
            area = (fd_sum){0.0, 0.0};
        FD_LEVEL after = G; /* G right of x */
        for (int64_t k = j; k < c->v.n && fd_twofold_minus(FD_NAME(fd_point)(&c->v, k), x).high == 0.0; k++)
            after = c->v_level[k];
        for (end = i + 1; end < c->u.n && fd_twofold_minus(FD_NAME(fd_point)(&c->u, end), x).high == 0.0;)
            end++;
        const double both =
            FD_NAME(fd_signed)(FD_NAME(fd_plus)(F, c->u_level[end - 1]), FD_NAME(fd_plus)(G, after)) * unit;
        F = c->u_level[end - 1];
        for (int64_t k = i; k < end; k++) {
            side->pull[k] = -0.5 * (both / D) * FD_NAME(fd_share_at)(c, k);
            side->potential[k] = -fd_sum_total(area) / D;
        }
    }
    FD_NAME(fd_even_out)(c, side);
}
