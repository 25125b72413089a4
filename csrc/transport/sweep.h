/* Sweeps over two sorted samples. A template over the type of the values: define FD_VALUE, FD_NAME(name) and
 * FD_GAP(a, b, share), the product (a - b) * share for a >= b and share <= 1, before including it.
 *
 * W1 is the area between the distribution functions F and G. A sweep walks the union of both samples, an
 * event per value, and adds |F - G| times each gap.
 */

/* How many of the first `events` values of the merged samples come from u; of equal values u's come first. */
static inline int64_t FD_NAME(fd_split)(const FD_VALUE *u, int64_t n, const FD_VALUE *v, int64_t m,
                                        int64_t events) {
    int64_t low = events > m ? events - m : 0, high = events < n ? events : n;
    while (low < high) {
        const int64_t i = low + (high - low) / 2;
        if (u[i] <= v[events - i - 1])
            low = i + 1;
        else
            high = i;
    }
    return low;
}

/* Adds what D is before an event, after the gap since the last one: |D|^power times the gap, or the larger
 * for power 0. */
static inline double FD_NAME(fd_after_gap)(double sum, double D, FD_VALUE next, FD_VALUE last, int power) {
    if (power)
        return sum + (power == 2 ? D * D : fabs(D)) * (double)(next - last);
    return next != last && fabs(D) > sum ? fabs(D) : sum;
}

/* Sum of |D|^power times gap over all events of two short samples, D exact in double; the largest |D| for
 * power 0. One event waits some 12 cycles for the previous one (load, compare, step), so four stretches of
 * the merge are walked at once. */
static inline double FD_NAME(fd_cdf_tile)(const FD_VALUE *u, int64_t n, const FD_VALUE *v, int64_t m,
                                          const double step[2], double difference, FD_VALUE left, int power) {
    enum { LANES = 4 };
    const FD_VALUE *x[LANES], *y[LANES], *x_end[LANES], *y_end[LANES];
    FD_VALUE last[LANES];
    double D[LANES], sum[LANES];
    for (int k = 0; k < LANES; k++) {
        const int64_t events = (n + m) * k / LANES;
        int64_t i = FD_NAME(fd_split)(u, n, v, m, events);
        if (k) { /* values that are not sorted must not lead out of bounds */
            const int64_t least = x[k - 1] - u, most = least + events - (n + m) * (k - 1) / LANES;
            i = i < least ? least : i > most ? most : i;
        }
        const int64_t j = events - i;
        x[k] = u + i;
        y[k] = v + j;
        D[k] = difference + (double)i * step[1] + (double)j * step[0];
        last[k] = left;
        if (i && u[i - 1] > last[k])
            last[k] = u[i - 1];
        if (j && v[j - 1] > last[k])
            last[k] = v[j - 1];
        sum[k] = 0.0;
        if (k) {
            x_end[k - 1] = x[k];
            y_end[k - 1] = y[k];
        }
    }
    x_end[LANES - 1] = u + n;
    y_end[LANES - 1] = v + m;
    for (;;) {
        int64_t safe = INT64_MAX; /* so many events no stretch can run out of either sample */
        for (int k = 0; k < LANES; k++) {
            const int64_t a = x_end[k] - x[k], b = y_end[k] - y[k];
            safe = a < safe ? a : safe;
            safe = b < safe ? b : safe;
        }
        if (safe < 4)
            break;
        for (; safe > 0; safe--) {
#pragma GCC unroll 4
            for (int k = 0; k < LANES; k++) {
                const FD_VALUE a = *x[k], b = *y[k], next = b < a ? b : a;
                const int64_t from_u = !(b < a);
                sum[k] = FD_NAME(fd_after_gap)(sum[k], D[k], next, last[k], power);
                last[k] = next;
                D[k] += step[from_u]; /* a table: a conditional would become an unpredictable branch */
                x[k] += from_u;
                y[k] += 1 - from_u;
            }
        }
    }
    double total = 0.0;
    for (int k = 0; k < LANES; k++) {
        while (x[k] < x_end[k] || y[k] < y_end[k]) {
            const int from_u = y[k] == y_end[k] || (x[k] < x_end[k] && *x[k] <= *y[k]);
            const FD_VALUE next = from_u ? *x[k]++ : *y[k]++;
            sum[k] = FD_NAME(fd_after_gap)(sum[k], D[k], next, last[k], power);
            last[k] = next;
            D[k] += step[from_u];
        }
        total = power ? total + sum[k] : sum[k] > total ? sum[k] : total;
    }
    return total;
}

/* Integral of |F - G|^power over [left, right], or the largest of it for power 0, of n and m sorted values
 * within: D = F - G, times step_u step_v, is `difference` at the left edge; a value of u adds step_u (the
 * size of the other sample), one of v takes step_v away. D is an integer, so it is 0 where it is 0. */
static inline double FD_NAME(fd_counts_between)(const FD_VALUE *u, int64_t n, const FD_VALUE *v, int64_t m,
                                                int64_t step_u, int64_t step_v, int64_t difference,
                                                FD_VALUE left, FD_VALUE right, int power) {
    enum { TILE = 4096 };
    const double unit = 1.0 / ((double)step_u * (double)step_v);
    fd_sum area = {0.0, 0.0};
    double largest = 0.0;
    int64_t i = 0, j = 0;
    FD_VALUE last = left;
    if (unit > 0x1p-52 && right - last < FD_WIDE) {
        const double step[2] = {-(double)step_v, (double)step_u};
        while (i < n || j < m) {
            const int64_t x = n - i < TILE ? n - i : TILE, y = m - j < TILE ? m - j : TILE;
            const int64_t events = x + y < TILE ? x + y : TILE;
            const int64_t from_u = FD_NAME(fd_split)(u + i, x, v + j, y, events), from_v = events - from_u;
            const double part =
                FD_NAME(fd_cdf_tile)(u + i, from_u, v + j, from_v, step, (double)difference, last, power);
            fd_sum_add(&area, part);
            largest = part > largest ? part : largest;
            i += from_u;
            j += from_v;
            difference += from_u * step_u - from_v * step_v;
            last = from_u && u[i - 1] > last ? u[i - 1] : last;
            last = from_v && v[j - 1] > last ? v[j - 1] : last;
        }
        const double end = fabs((double)difference);
        if (!power)
            return (end > largest ? end : largest) * unit;
        fd_sum_add(&area, (power == 2 ? end * end : end) * (double)(right - last));
        return fd_sum_total(area) * unit * (power == 2 ? unit : 1.0);
    }
    while (i < n || j < m) {
        const int from_u = j == m || (i < n && u[i] <= v[j]);
        const FD_VALUE next = from_u ? u[i++] : v[j++];
        const double share = fabs((double)difference) * unit;
        if (power)
            fd_sum_add(&area, FD_GAP(next, last, power == 2 ? share * share : share));
        else
            largest = next != last && share > largest ? share : largest;
        last = next;
        difference += from_u ? step_u : -step_v;
    }
    const double share = fabs((double)difference) * unit;
    if (!power)
        return share > largest ? share : largest;
    fd_sum_add(&area, FD_GAP(right, last, power == 2 ? share * share : share));
    return fd_sum_total(area);
}

/* Sum of |u_i - v_i|, added in 8 lanes and blocks. */
static inline double FD_NAME(fd_sum_of_distances)(const FD_VALUE *u, const FD_VALUE *v, int64_t n) {
    fd_sum total = {0.0, 0.0};
    for (int64_t start = 0; start < n; start += 1024) {
        const int64_t end = n - start < 1024 ? n : start + 1024;
        double sum[8] = {0.0};
        int64_t i = start;
        for (; i + 8 <= end; i += 8)
            for (int k = 0; k < 8; k++)
                sum[k] += (double)(u[i + k] > v[i + k] ? u[i + k] - v[i + k] : v[i + k] - u[i + k]);
        for (; i < end; i++)
            sum[0] += (double)(u[i] > v[i] ? u[i] - v[i] : v[i] - u[i]);
        fd_sum_add(&total, ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7])));
    }
    return fd_sum_total(total);
}

/* Area between the CDFs of two sorted samples, n m < 2^63. Samples of one size match value by value. */
static inline double FD_NAME(fd_area)(const FD_VALUE *u, int64_t n, const FD_VALUE *v, int64_t m) {
    const FD_VALUE left = u[0] < v[0] ? u[0] : v[0], right = u[n - 1] > v[m - 1] ? u[n - 1] : v[m - 1];
    if (n == m && right - left < FD_WIDE)
        return FD_NAME(fd_sum_of_distances)(u, v, n) / (double)n;
    return FD_NAME(fd_counts_between)(u, n, v, m, m, n, 0, left, right, 1);
}

/* Integral of |scale (F - G)|^power over [left, right] for power 1 or 2; power 0: the largest of it. A and B
 * is the mass left of it. Among values at one point the gap is 0, and what F - G is there does not count. */
static inline double FD_NAME(fd_cdf_between)(const FD_VALUE *u, fd_masses a, fd_mass A, const FD_VALUE *v,
                                             fd_masses b, fd_mass B, FD_VALUE left, FD_VALUE right, int power,
                                             double scale) {
    const fd_mass S = a.total, T = b.total;
    const double unit = scale / (fd_mass_to_double(S) * fd_mass_to_double(T));
    const double one[2] = {1.0, 1.0};
    const double *weights[2] = {b.weights ? b.weights : one, a.weights ? a.weights : one};
    const int64_t stride[2] = {b.weights != NULL, a.weights != NULL};
    const int binary[2] = {b.scale, a.scale};
    const fd_mass total[2] = {S, T};
    fd_mass mass[2] = {B, A};
    fd_u256 level[2] = {fd_product(B, S), fd_product(A, T)}; /* a product of 256 bits for an event, not two */
    fd_sum area = {0.0, 0.0};
    double share = fd_u256_apart(level[0], level[1]) * unit, largest = 0.0;
    FD_VALUE last = left;
    for (int64_t i = 0, j = 0; i < a.n || j < b.n;) {
        const int from_u = j == b.n || (i < a.n && u[i] <= v[j]);
        const int64_t at = from_u ? i : j;
        const FD_VALUE next = from_u ? u[i] : v[j];
        if (power)
            fd_sum_add(&area, FD_GAP(next, last, power == 2 ? share * share : share));
        else
            largest = next != last && share > largest ? share : largest;
        mass[from_u] += fd_mass_of(weights[from_u][at * stride[from_u]], binary[from_u]);
        level[from_u] = fd_product(mass[from_u], total[from_u]);
        share = fd_u256_apart(level[0], level[1]) * unit;
        last = next;
        i += from_u;
        j += 1 - from_u;
    }
    largest = share > largest ? share : largest;
    if (power)
        fd_sum_add(&area, FD_GAP(right, last, power == 2 ? share * share : share));
    return power ? fd_sum_total(area) : largest;
}

static inline double FD_NAME(fd_cdf_distance)(const FD_VALUE *u, fd_masses a, const FD_VALUE *v, fd_masses b,
                                              int power, double scale) {
    const FD_VALUE left = u[0] < v[0] ? u[0] : v[0],
                   right = u[a.n - 1] > v[b.n - 1] ? u[a.n - 1] : v[b.n - 1];
    if (!a.weights && !b.weights && scale == 1.0 && (double)a.n * (double)b.n < 0x1p62)
        return FD_NAME(fd_counts_between)(u, a.n, v, b.n, b.n, a.n, 0, left, right, power);
    return FD_NAME(fd_cdf_between)(u, a, 0, v, b, 0, left, right, power, scale);
}

/* The area between the CDFs; where its parts would lose digits to underflow, from F - G times a power of two.
 */
static inline double FD_NAME(fd_cdf_area)(const FD_VALUE *u, fd_masses a, const FD_VALUE *v, fd_masses b) {
    const double area = FD_NAME(fd_cdf_distance)(u, a, v, b, 1, 1.0);
    return area > 0x1p-900 ? area : FD_NAME(fd_cdf_distance)(u, a, v, b, 1, 0x1p400) * 0x1p-400;
}

/* (factor * integral of (F - G)^2)^1/2, factor 1 or 2: the integral may leave the range where its root does
 * not. */
static inline double FD_NAME(fd_cdf_norm)(const FD_VALUE *u, fd_masses a, const FD_VALUE *v, fd_masses b,
                                          double factor) {
    const double integral = FD_NAME(fd_cdf_distance)(u, a, v, b, 2, 1.0);
    if (integral > 0x1p-900 && integral < 0x1p900)
        return sqrt(factor * integral);
    const double scale = integral < 1.0 ? 0x1p400 : 0x1p-100;
    return sqrt(factor * FD_NAME(fd_cdf_distance)(u, a, v, b, 2, scale)) / scale;
}
