/* Sweeps over two sorted samples. A template over the type of the values: define FD_VALUE, FD_NAME(name) and
 * FD_GAP(a, b), the difference a - b >= 0 as a double, before including it.
 *
 * W1 is the area between the distribution functions F and G. A sweep walks the union of both samples and adds
 * |F - G| times each gap.
 */

/* Area between the CDFs of n and m sorted values; F - G is the integer i*m - j*n, n*m < 2^63. */
static inline double FD_NAME(fd_area)(const FD_VALUE *u, int64_t n, const FD_VALUE *v, int64_t m) {
    const double unit = 1.0 / ((double)n * (double)m);
    fd_sum area = {0.0, 0.0};
    int64_t i = 0, j = 0, difference = 0;
    FD_VALUE last = u[0] < v[0] ? u[0] : v[0];
    while (i < n && j < m) {
        const int from_u = u[i] <= v[j];
        const FD_VALUE x = from_u ? u[i] : v[j];
        fd_add(&area, FD_GAP(x, last, (double)(difference < 0 ? -difference : difference) * unit));
        last = x;
        i += from_u;
        j += !from_u;
        difference += from_u ? m : -n;
    }
    for (; i < n; i++, difference += m) {
        fd_add(&area, FD_GAP(u[i], last, (double)-difference * unit));
        last = u[i];
    }
    for (; j < m; j++, difference -= n) {
        fd_add(&area, FD_GAP(v[j], last, (double)difference * unit));
        last = v[j];
    }
    return fd_total(area);
}

/* The same with weights, finite and >= 0, not all 0. */
static inline double FD_NAME(fd_area_weighted)(const FD_VALUE *u, const double *a, int64_t n,
                                               const FD_VALUE *v, const double *b, int64_t m) {
    const fd_weights x = fd_weigh(a, n), y = fd_weigh(b, m);
    const double unit = 1.0 / (fd_mass_to_double(x.total) * fd_mass_to_double(y.total));
    fd_sum area = {0.0, 0.0};
    int64_t i = 0, j = 0;
    fd_mass A = 0, B = 0;
    FD_VALUE last = u[0] < v[0] ? u[0] : v[0];
    while (i < n || j < m) {
        const int from_u = j == m || (i < n && u[i] <= v[j]);
        const FD_VALUE next = from_u ? u[i] : v[j];
        if (next != last) {
            const double share = fd_cross_difference(A, y.total, B, x.total) * unit;
            fd_add(&area, FD_GAP(next, last, fabs(share)));
            last = next;
        }
        if (from_u)
            A += fd_mass_of(a[i++], x.scale);
        else
            B += fd_mass_of(b[j++], y.scale);
    }
    return fd_total(area);
}

/* W1 of one row. a and b are both NULL (equal weights) or both given. NaN: a value is NaN, a sample is empty
 * or both have mass at one infinity; inf: one has. Atoms without mass at either end are dropped first, so
 * that an infinity among them does not count. NaNs have sorted last, where `omit` leaves them. */
static inline double FD_NAME(fd_w1_row)(const FD_VALUE *u, const double *a, int64_t n, const FD_VALUE *v,
                                        const double *b, int64_t m, int omit) {
    if (omit) {
        for (; n && u[n - 1] != u[n - 1]; n--)
            ;
        for (; m && v[m - 1] != v[m - 1]; m--)
            ;
    }
    if (n == 0 || m == 0 || u[n - 1] != u[n - 1] || v[m - 1] != v[m - 1])
        return NAN;
    if (a) {
        for (; n && a[n - 1] == 0.0; n--)
            ;
        for (; m && b[m - 1] == 0.0; m--)
            ;
        for (; n && *a == 0.0; n--)
            u++, a++;
        for (; m && *b == 0.0; m--)
            v++, b++;
        if (n == 0 || m == 0)
            return NAN;
    }
    if (isinf((double)u[0]) || isinf((double)v[0]) || isinf((double)u[n - 1]) || isinf((double)v[m - 1])) {
        const int below = u[0] == v[0] && isinf((double)u[0]);
        const int above = u[n - 1] == v[m - 1] && isinf((double)u[n - 1]);
        return below || above ? NAN : INFINITY;
    }
    return a ? FD_NAME(fd_area_weighted)(u, a, n, v, b, m) : FD_NAME(fd_area)(u, n, v, m);
}
