/* One row: from values as they come to one number. A template like sweep.h. */

/* Copies one side into `values` (and `weights`), sorted, and returns it; where it is sorted already, itself.
 * `order` is needed with weights. */
static inline const FD_VALUE *FD_NAME(fd_arrange)(const FD_VALUE *x, const double **weights, int64_t n,
                                                  int sorted, FD_VALUE *values, double *w, ptrdiff_t *order) {
    if (sorted)
        return x;
    if (*weights == NULL) {
        FD_NAME(fd_sorted)(x, n, values);
        return values;
    }
    FD_NAME(fd_order)(x, n, order, values);
    for (int64_t i = 0; i < n; i++)
        w[i] = (*weights)[order[i]];
    *weights = w;
    return values;
}

/* The statistic of one row of sorted values. a and b are both NULL (equal weights) or both given. NaN: a
 * value is NaN (they sort last; `omit` leaves them out), a sample is empty, or both have mass at one
 * infinity; inf: one has. Atoms without mass at either end are dropped first, so that an infinity among them
 * does not count. */
static inline double FD_NAME(fd_statistic_of)(const FD_VALUE *u, const double *a, int64_t n,
                                              const FD_VALUE *v, const double *b, int64_t m,
                                              const fd_task *task) {
    if (task->omit) {
        while (n && u[n - 1] != u[n - 1])
            n--;
        while (m && v[m - 1] != v[m - 1])
            m--;
    }
    if (n == 0 || m == 0 || u[n - 1] != u[n - 1] || v[m - 1] != v[m - 1])
        return NAN;
    if (a) {
        int64_t i = 0, j = 0;
        while (n && a[n - 1] == 0.0)
            n--;
        while (m && b[m - 1] == 0.0)
            m--;
        while (i < n && a[i] == 0.0)
            i++;
        while (j < m && b[j] == 0.0)
            j++;
        u += i;
        a += i;
        n -= i;
        v += j;
        b += j;
        m -= j;
        if (n == 0 || m == 0)
            return NAN;
    }
    if (task->statistic == FD_KS)
        return FD_NAME(fd_cdf_distance)(u, fd_masses_of(a, n), v, fd_masses_of(b, m), 0, 1.0);
    if (isinf((double)u[0]) || isinf((double)v[0]) || isinf((double)u[n - 1]) || isinf((double)v[m - 1])) {
        const int below = u[0] == v[0] && isinf((double)u[0]);
        const int above = u[n - 1] == v[m - 1] && isinf((double)u[n - 1]);
        return below || above ? NAN : INFINITY;
    }
    if (task->statistic == FD_CRAMER || task->statistic == FD_ENERGY)
        return FD_NAME(fd_cdf_norm)(u, fd_masses_of(a, n), v, fd_masses_of(b, m),
                                    task->statistic == FD_ENERGY ? 2.0 : 1.0);
    if (task->p != 1.0)
        return FD_NAME(fd_wasserstein)(u, fd_masses_of(a, n), v, fd_masses_of(b, m), task->p);
    if (a || (double)n * (double)m >= 0x1p62)
        return FD_NAME(fd_cdf_area)(u, fd_masses_of(a, n), v, fd_masses_of(b, m));
    return FD_NAME(fd_area)(u, n, v, m);
}
