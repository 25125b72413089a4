/* Doubles >= 0, their sums and products with one more, as whole numbers of 2^-1074 (and of 2^-2148): exact whatever they
 * are. For what has to be known for certain and is seldom asked, such as which of two near shares is larger.
 */
#ifndef FD_WHOLE_H
#define FD_WHOLE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* A sum of 2^63 doubles has 2161 bits, its product with another 2214 at 2^-1074, 4260 from 2^-2148 on. */
enum { FD_WHOLE_LIMBS = 68 };

/* Limbs of 64 bits, the lowest first; all outside [first, end) are 0. */
typedef struct {
    int first, end;
    uint64_t limb[FD_WHOLE_LIMBS];
} fd_whole;

static inline fd_whole fd_whole_zero(void) { return (fd_whole){.first = FD_WHOLE_LIMBS, .end = 0}; }

/* x >= 0 is mantissa 2^(place - 1074). */
static inline uint64_t fd_whole_mantissa(double x, int *place) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 52) & 0x7ff;
    *place = exponent ? exponent - 1 : 0;
    return (bits & 0xfffffffffffffu) | (exponent ? (uint64_t)1 << 52 : 0);
}

/* Adds a whole number of 2^(64 k). */
static inline void fd_whole_add_limb(fd_whole *w, int k, uint64_t limb) {
    w->first = limb && k < w->first ? k : w->first;
    for (; limb; k++) {
        w->limb[k] += limb;
        limb = w->limb[k] < limb;
        w->end = k + 1 > w->end ? k + 1 : w->end;
    }
}

static inline void fd_whole_add(fd_whole *w, double x) {
    int place;
    unsigned __int128 mantissa = fd_whole_mantissa(x, &place); /* which is to come before its place is read */
    mantissa <<= place % 64;
    fd_whole_add_limb(w, place / 64, (uint64_t)mantissa);
    fd_whole_add_limb(w, place / 64 + 1, (uint64_t)(mantissa >> 64));
}

static inline fd_whole fd_whole_times(const fd_whole *w, double x) {
    fd_whole product = fd_whole_zero();
    int place;
    uint64_t mantissa = fd_whole_mantissa(x, &place), below = 0;
    unsigned __int128 carry = 0;
    for (int k = w->first; mantissa && (k < w->end || carry || below); k++) {
        carry += k < w->end ? (unsigned __int128)w->limb[k] * mantissa : 0;
        uint64_t limb = (uint64_t)carry;
        fd_whole_add_limb(&product, k + place / 64,
                          limb << place % 64 | (place % 64 ? below >> (64 - place % 64) : 0));
        below = limb;
        carry >>= 64;
    }
    return product;
}

/* a - b, a >= b. */
static inline fd_whole fd_whole_minus(const fd_whole *a, const fd_whole *b) {
    fd_whole difference = fd_whole_zero();
    uint64_t borrow = 0;
    for (int k = a->first < b->first ? a->first : b->first; k < a->end; k++) {
        uint64_t limb = a->limb[k] - b->limb[k], less = limb - borrow;
        borrow = (a->limb[k] < b->limb[k]) | (limb < borrow);
        fd_whole_add_limb(&difference, k, less);
    }
    return difference;
}

/* a/b, as doubles have it. */
static inline double fd_whole_over(const fd_whole *a, const fd_whole *b) {
    double top[2] = {0.0, 0.0};
    const fd_whole *w[2] = {a, b};
    int places[2];
    for (int i = 0; i < 2; i++) {
        places[i] = 64 * w[i]->end;
        for (int k = w[i]->end - 1; k >= w[i]->first && k >= w[i]->end - 3; k--)
            top[i] += ldexp((double)w[i]->limb[k], 64 * (k - w[i]->end));
    }
    return ldexp(top[0] / top[1], places[0] - places[1]);
}

/* -1, 0 or 1: whether a < b, a = b or a > b. */
static inline int fd_whole_compare(const fd_whole *a, const fd_whole *b) {
    int first = a->first < b->first ? a->first : b->first, end = a->end > b->end ? a->end : b->end;
    for (int k = end - 1; k >= first; k--)
        if (a->limb[k] != b->limb[k])
            return a->limb[k] > b->limb[k] ? 1 : -1;
    return 0;
}

#endif
