/* The quantile coupling: mass matched in order. A template like sweep.h; FD_DISTANCE(x, y, scale) is
 * |x - y| times a power of two, of use where |x - y| or its power leaves the range of double.
 *
 * W_p^p = int_0^1 |F^-1(t) - G^-1(t)|^p dt. The levels t where either quantile function jumps are A/S and B/T
 * with prefix masses A, B and totals S, T; they are compared as A*T and B*S in 256 bits. Rounded levels would
 * leave slivers of mass 1e-17 paired with neighbours: 1e-9 of a gap in W_2 where the truth is 0.
 */

/* Walks the pieces (i, j, mass) of the coupling. At most n + m - 1 have mass. */
typedef struct {
    const FD_VALUE *u, *v;
    fd_masses a, b;
    int64_t i, j;
    fd_mass A, B;  /* prefix masses up to and including i and j */
    fd_u256 x, y;  /* A T and B S */
    fd_u256 level; /* S T times the mass walked so far */
    int64_t count; /* the same where both samples have equal weights and n m < 2^62; else -1 */
    double unit;   /* 1 / (S T) */
    double mass;   /* of the piece, a share of 1 */
} FD_NAME(fd_walk);

static inline FD_NAME(fd_walk)
    FD_NAME(fd_walk_from)(const FD_VALUE *u, fd_masses a, const FD_VALUE *v, fd_masses b) {
    FD_NAME(fd_walk) w = {.u = u, .v = v, .a = a, .b = b, .A = fd_mass_at(&a, 0), .B = fd_mass_at(&b, 0)};
    w.unit = 1.0 / (fd_mass_to_double(a.total) * fd_mass_to_double(b.total));
    w.x = fd_product(w.A, b.total);
    w.y = fd_product(w.B, a.total);
    w.count = a.weights || b.weights || (double)a.n * (double)b.n >= 0x1p62 ? -1 : 0;
    return w;
}

/* Moves to the next piece with mass, or to the next at all: its atoms are *i and *j. 0 at the end. */
static inline int FD_NAME(fd_walk_on)(FD_NAME(fd_walk) * w, int64_t *i, int64_t *j, int every) {
    if (w->count >= 0 && w->i < w->a.n && w->j < w->b.n) {
        const int64_t x = (w->i + 1) * w->b.n, y = (w->j + 1) * w->a.n, next = x < y ? x : y;
        *i = w->i;
        *j = w->j;
        w->mass = (double)(next - w->count) * w->unit;
        w->count = next;
        w->i += x <= y;
        w->j += y <= x;
        return 1;
    }
    while (w->i < w->a.n && w->j < w->b.n) {
        const int u_ends = !fd_less(w->y, w->x), v_ends = !fd_less(w->x, w->y);
        const fd_u256 next = u_ends ? w->x : w->y, mass = fd_minus(next, w->level);
        *i = w->i;
        *j = w->j;
        w->level = next;
        if (u_ends && ++w->i < w->a.n) {
            w->A += fd_mass_at(&w->a, w->i);
            w->x = fd_product(w->A, w->b.total);
        }
        if (v_ends && ++w->j < w->b.n) {
            w->B += fd_mass_at(&w->b, w->j);
            w->y = fd_product(w->B, w->a.total);
        }
        if (every || (mass.high | mass.low)) {
            w->mass = fd_u256_to_double(mass) * w->unit;
            return 1;
        }
    }
    return 0;
}

static inline double FD_NAME(fd_largest_distance)(const FD_VALUE *u, fd_masses a, const FD_VALUE *v,
                                                  fd_masses b, double scale) {
    double largest = 0.0;
    int64_t i, j;
    if (!a.weights && !b.weights && a.n == b.n) {
        for (i = 0; i < a.n; i++) {
            const double d = FD_DISTANCE(u[i], v[i], scale);
            largest = d > largest ? d : largest;
        }
        return largest;
    }
    FD_NAME(fd_walk) w = FD_NAME(fd_walk_from)(u, a, v, b);
    while (FD_NAME(fd_walk_on)(&w, &i, &j, 0)) {
        const double d = FD_DISTANCE(u[i], v[j], scale);
        largest = d > largest ? d : largest;
    }
    return largest;
}

/* Mean of (scale |x - y| / unit)^p over the coupling. */
static inline double FD_NAME(fd_mean_power)(const FD_VALUE *u, fd_masses a, const FD_VALUE *v, fd_masses b,
                                            double p, double scale, double unit) {
    fd_sum mean = {0.0, 0.0};
    int64_t i, j;
    if (!a.weights && !b.weights && a.n == b.n) {
        for (int64_t start = 0; start < a.n; start += 1024) {
            const int64_t end = a.n - start < 1024 ? a.n : start + 1024;
            double sum[8] = {0.0};
            i = start;
            if (p == 2.0)
                for (; i + 8 <= end; i += 8)
                    for (int k = 0; k < 8; k++) {
                        const double d = FD_DISTANCE(u[i + k], v[i + k], scale) / unit;
                        sum[k] += d * d;
                    }
            for (; i < end; i++)
                sum[0] += fd_power(FD_DISTANCE(u[i], v[i], scale) / unit, p);
            fd_sum_add(&mean,
                       ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7])));
        }
        return fd_sum_total(mean) / (double)a.n;
    }
    FD_NAME(fd_walk) w = FD_NAME(fd_walk_from)(u, a, v, b);
    while (FD_NAME(fd_walk_on)(&w, &i, &j, 0))
        fd_sum_add(&mean, fd_power(FD_DISTANCE(u[i], v[j], scale) / unit, p) * w.mass);
    return fd_sum_total(mean);
}

/* `scale` times W_p of sorted atoms. Distances are divided by the largest before they are raised to p, so
 * that p = 600 neither under- nor overflows. */
static inline double FD_NAME(fd_wasserstein_times)(const FD_VALUE *u, fd_masses a, const FD_VALUE *v,
                                                   fd_masses b, double p, double scale) {
    const double largest = FD_NAME(fd_largest_distance)(u, a, v, b, scale);
    if (largest == 0.0 || !(largest < INFINITY) || p == INFINITY)
        return largest;
    const double mean = FD_NAME(fd_mean_power)(u, a, v, b, p, scale, largest);
    return largest * (p == 2.0 ? sqrt(mean) : pow(mean, 1.0 / p));
}

/* W_p for p > 1. p = 2 tries without a division first; a distance may overflow where W_p does not. */
static inline double FD_NAME(fd_wasserstein)(const FD_VALUE *u, fd_masses a, const FD_VALUE *v, fd_masses b,
                                             double p) {
    if (p == 2.0) {
        const double mean = FD_NAME(fd_mean_power)(u, a, v, b, p, 1.0, 1.0);
        if (mean == 0.0 ? 0 : mean > 0x1p-900 && mean < 0x1p900)
            return sqrt(mean);
    }
    const double distance = FD_NAME(fd_wasserstein_times)(u, a, v, b, p, 1.0);
    return distance < INFINITY || p == INFINITY ? distance
                                                : 4.0 * FD_NAME(fd_wasserstein_times)(u, a, v, b, p, 0.25);
}

/* Fills the pieces with mass, at most n + m - 1, as positions that u_order and v_order give to the sorted
 * atoms, and in the order of those positions potentials f, g with f_i + g_j <= |x_i - y_j|^p everywhere and
 * equality along the walk. Where both atoms end at once the walk takes the corner (i + 1, j) on the way:
 * costs that are convex in x - y make any such staircase feasible (Monge). Returns the number of pieces. */
static inline int64_t FD_NAME(fd_couple)(const FD_VALUE *u, fd_masses a, const FD_VALUE *v, fd_masses b,
                                         fd_coupling *c) {
    double *f = c->u_potential, *g = c->v_potential;
    fd_sum total = {0.0, 0.0};
    FD_NAME(fd_walk) w = FD_NAME(fd_walk_from)(u, a, v, b);
    int64_t pieces = 0, i, j, row = 0, col = -1; /* the last atoms that have a potential */
    double f_row = 0.0, g_col = 0.0, cost = 0.0;
    f[c->u_order[0]] = 0.0;
    c->largest = 0.0;
    while (FD_NAME(fd_walk_on)(&w, &i, &j, 1)) {
        if (i != row) {
            cost = fd_coupling_cost(c, FD_DISTANCE(u[i], v[col], c->scale));
            f_row = cost - g_col;
            f[c->u_order[i]] = f_row;
            row = i;
        }
        if (j != col) {
            cost = fd_coupling_cost(c, FD_DISTANCE(u[i], v[j], c->scale));
            g_col = cost - f_row;
            g[c->v_order[j]] = g_col;
            col = j;
        }
        if (w.mass > 0.0) {
            c->rows[pieces] = c->u_order[i];
            c->cols[pieces] = c->v_order[j];
            c->mass[pieces++] = w.mass;
            fd_sum_add(&total, w.mass * cost);
        }
    }
    for (i = row + 1; i < a.n; i++) /* atoms without mass at the end */
        f[c->u_order[i]] = fd_coupling_cost(c, FD_DISTANCE(u[i], v[col], c->scale)) - g_col;
    for (j = col + 1; j < b.n; j++)
        g[c->v_order[j]] = fd_coupling_cost(c, FD_DISTANCE(u[row], v[j], c->scale)) - f_row;
    c->cost = fd_sum_total(total);
    return pieces;
}
