/* A sum whose error does not grow with its length: the rounding error of every addition is kept and added
 * at the end (Ogita, Rump, Oishi, SISC 26 (2005) 1955, Sum2). For terms >= 0: relative error <= u + n^2 u^2.
 */
#ifndef FD_SUM_H
#define FD_SUM_H

/* What rounding took from s = a + b (Knuth's TwoSum). */
static inline double fd_sum_error(double a, double b, double s) {
    const double part = s - a;
    return (a - (s - part)) + (b - part);
}

typedef struct {
    double value, error;
} fd_sum;

static inline void fd_sum_add(fd_sum *s, double x) {
    const double value = s->value + x;
    s->error += fd_sum_error(s->value, x, value);
    s->value = value;
}

/* An infinite sum has a NaN for its error. */
static inline double fd_sum_total(fd_sum s) {
    const double total = s.value + s.error;
    return total == total ? total : s.value;
}

#endif
