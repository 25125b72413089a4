/* The best rotation of one sample on a circle against another. A template over the type of levels: define
 * FD_LEVEL, FD_NAME(name) and fd_plus, fd_minus, fd_less, fd_share_of and fd_as_double for it before.
 */

typedef struct {
    fd_arc u, v;
    const FD_LEVEL *u_level, *v_level; /* up to and with each atom; the last is `whole` */
    FD_LEVEL whole;
    fd_twofold period; /* 0: a line */
    double p, scale;   /* scale: 1 for p = 1, else a power of two above all distances */
} FD_NAME(fd_circle);

/* Where a walk over t from 0 is in v: at atom j, `turn` times round. */
typedef struct {
    int64_t j;
    int turn;
    FD_LEVEL base, lap; /* its atom ends at t = level[j] + lap - base */
} FD_NAME(fd_lap);

/* x - y of atom i of u, `turns` round, and of the atom of v where the lap is. */
static inline fd_twofold FD_NAME(fd_circle_gap)(const FD_NAME(fd_circle) * c, int64_t i, int turn,
                                                const FD_NAME(fd_lap) * lap) {
    const double x = c->u.high[i], y = c->v.high[lap->j], turns = (double)(turn - lap->turn);
    const fd_twofold d = fd_two_sum(x, -y), e = fd_two_sum(d.high, turns * c->period.high);
    const double low = c->u.low ? c->u.low[i] - c->v.low[lap->j] + turns * c->period.low : 0.0;
    return fd_two_sum(e.high, e.low + (d.low + low));
}

static inline double FD_NAME(fd_circle_distance)(const FD_NAME(fd_circle) * c, int64_t i,
                                                 const FD_NAME(fd_lap) * lap) {
    return fabs(FD_NAME(fd_circle_gap)(c, i, 0, lap).high);
}

/* Offsets count from one turn back: s = whole is none. */
static inline FD_NAME(fd_lap) FD_NAME(fd_lap_from)(const FD_NAME(fd_circle) * c, FD_LEVEL s) {
    FD_NAME(fd_lap) lap = {.turn = -1, .base = s};
    for (; !FD_NAME(fd_less)(lap.base, c->whole); lap.turn++)
        lap.base = FD_NAME(fd_minus)(lap.base, c->whole);
    for (int64_t end = c->v.n - 1; lap.j < end;) { /* the first level above the base */
        const int64_t middle = lap.j + (end - lap.j) / 2;
        if (FD_NAME(fd_less)(lap.base, c->v_level[middle]))
            end = middle;
        else
            lap.j = middle + 1;
    }
    return lap;
}

static inline FD_LEVEL FD_NAME(fd_lap_end)(const FD_NAME(fd_circle) * c, const FD_NAME(fd_lap) * lap) {
    return FD_NAME(fd_minus)(FD_NAME(fd_plus)(c->v_level[lap->j], lap->lap), lap->base);
}

static inline void FD_NAME(fd_lap_on)(const FD_NAME(fd_circle) * c, FD_NAME(fd_lap) * lap) {
    if (++lap->j == c->v.n) {
        lap->j = 0;
        lap->turn++;
        lap->lap = c->whole;
    }
}

/* The slope of the cost right of an offset s. */
typedef struct {
    double slope;        /* of distances over a scale, up to a factor > 0 */
    double largest;      /* distance that it takes into account */
    FD_LEVEL back, room; /* it is the same from s - back on, and until s + room */
} FD_NAME(fd_slope);

/* A larger offset moves each of the m jumps of G^-1 to the left, within the atom of u that ends there or
 * later. */
static inline FD_NAME(fd_slope)
    FD_NAME(fd_circle_slope_in)(const FD_NAME(fd_circle) * c, FD_LEVEL s, double scale) {
    FD_NAME(fd_lap) lap = FD_NAME(fd_lap_from)(c, s);
    FD_NAME(fd_slope) r = {.back = c->whole, .room = c->whole};
    fd_sum slope = {0.0, 0.0};
    FD_LEVEL start = {0};
    double after = 0.0;
    int64_t i = 0;
    for (int64_t k = 0, known = -1; k < c->v.n; k++) {
        const FD_LEVEL t = FD_NAME(fd_lap_end)(c, &lap);
        for (; FD_NAME(fd_less)(c->u_level[i], t); i++)
            start = c->u_level[i];
        const FD_LEVEL room = FD_NAME(fd_minus)(t, start), back = FD_NAME(fd_minus)(c->u_level[i], t);
        r.room = FD_NAME(fd_less)(room, r.room) ? room : r.room;
        r.back = FD_NAME(fd_less)(back, r.back) ? back : r.back;
        if (known != i) {
            const double d = FD_NAME(fd_circle_distance)(c, i, &lap);
            r.largest = d > r.largest ? d : r.largest;
            after = fd_slope_power(d / scale, c->p);
            known = i;
        }
        FD_NAME(fd_lap_on)(c, &lap);
        const double before = after, d = FD_NAME(fd_circle_distance)(c, i, &lap);
        r.largest = d > r.largest ? d : r.largest;
        after = fd_slope_power(d / scale, c->p);
        fd_sum_add(&slope, after - before);
    }
    r.slope = fd_sum_total(slope);
    return r;
}

/* The same where powers underflow, of which only the sign is of use: then over a scale of its own. */
static inline FD_NAME(fd_slope) FD_NAME(fd_circle_slope)(const FD_NAME(fd_circle) * c, FD_LEVEL s) {
    FD_NAME(fd_slope) r = FD_NAME(fd_circle_slope_in)(c, s, c->scale);
    if (c->p == 1.0 || r.largest == 0.0 || fabs(r.slope) > 0x1p-900)
        return r;
    r = FD_NAME(fd_circle_slope_in)(c, s, r.largest);
    r.slope = r.slope ? copysign(0x1p-900, r.slope) : 0.0;
    return r;
}

/* The least offset right of which the cost does not fall: left of `low` it does, right of `high` it does not.
 * The slope rises, and nearly straight where atoms are many: by regula falsi (Illinois), and every
 * fourth guess by halves. */
static inline FD_LEVEL FD_NAME(fd_circle_offset)(const FD_NAME(fd_circle) * c) {
    FD_LEVEL low = {0}, high = FD_NAME(fd_plus)(c->whole, c->whole);
    double below = 0.0, above = 0.0; /* slopes left of low and right of high; 0: not known */
    for (int guess = 1, last = 0; FD_NAME(fd_less)(low, high); guess++) {
        const FD_LEVEL gap = FD_NAME(fd_minus)(high, low);
        const double share = below < 0.0 && above > 0.0 && guess % 4 ? below / (below - above) : 0.5;
        const FD_LEVEL middle = FD_NAME(fd_plus)(low, FD_NAME(fd_share_of)(gap, share));
        const FD_NAME(fd_slope) here = FD_NAME(fd_circle_slope)(c, middle);
        if (here.slope < 0.0) {
            low = FD_NAME(fd_plus)(middle, here.room);
            below = here.slope;
            above *= last < 0 ? 0.5 : 1.0;
            last = -1;
        } else if (!FD_NAME(fd_less)(here.back, FD_NAME(fd_minus)(middle, low))) {
            return low;
        } else {
            high = FD_NAME(fd_minus)(middle, here.back);
            above = here.slope;
            below *= last > 0 ? 0.5 : 1.0;
            last = 1;
        }
    }
    return low;
}

/* Mean of (distance / scale)^p at offset s; for p = inf the largest distance. */
static inline double FD_NAME(fd_circle_power)(const FD_NAME(fd_circle) * c, FD_LEVEL s, double p,
                                              double scale) {
    const double unit = 1.0 / FD_NAME(fd_as_double)(c->whole);
    FD_NAME(fd_lap) lap = FD_NAME(fd_lap_from)(c, s);
    fd_sum mean = {0.0, 0.0};
    FD_LEVEL t = {0};
    double largest = 0.0;
    for (int64_t i = 0; i < c->u.n;) {
        const FD_LEVEL u_end = c->u_level[i], v_end = FD_NAME(fd_lap_end)(c, &lap);
        const FD_LEVEL next = FD_NAME(fd_less)(u_end, v_end) ? u_end : v_end;
        if (FD_NAME(fd_less)(t, next)) {
            const double d = FD_NAME(fd_circle_distance)(c, i, &lap);
            largest = d > largest ? d : largest;
            if (p < INFINITY)
                fd_sum_add(&mean,
                           FD_NAME(fd_as_double)(FD_NAME(fd_minus)(next, t)) * unit * fd_power(d / scale, p));
        }
        t = next;
        i += !FD_NAME(fd_less)(next, u_end);
        if (!FD_NAME(fd_less)(next, v_end))
            FD_NAME(fd_lap_on)(c, &lap);
    }
    return p < INFINITY ? fd_sum_total(mean) : largest;
}

/* W_p at offset s. */
static inline double FD_NAME(fd_circle_of)(const FD_NAME(fd_circle) * c, FD_LEVEL s) {
    const double p = c->p;
    if (p == 1.0)
        return FD_NAME(fd_circle_power)(c, s, 1.0, 1.0);
    const double largest = FD_NAME(fd_circle_power)(c, s, INFINITY, 1.0);
    if (largest == 0.0)
        return 0.0;
    const double mean = FD_NAME(fd_circle_power)(c, s, p, largest);
    return largest * (p == 2.0 ? sqrt(mean) : pow(mean, 1.0 / p));
}
