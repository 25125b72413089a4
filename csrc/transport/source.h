/* Values as they are given, read in blocks of doubles. */
#ifndef FD_SOURCE_H
#define FD_SOURCE_H

#include <stdint.h>

typedef enum { FD_F64, FD_F32, FD_I8, FD_U8, FD_I16, FD_U16, FD_I32, FD_U32, FD_I64, FD_U64 } fd_kind;

typedef struct {
    const void *values;
    int64_t n;
    fd_kind kind;
    uint64_t origin; /* is taken from 64-bit integers first, modulo 2^64 */
} fd_source;

/* Whether some may be no doubles. */
static inline int fd_long(const fd_source *s) { return s->kind >= FD_I64; }

#define FD_WIDEN(KIND, type)                                                                                 \
case KIND: {                                                                                                 \
    const type *x = (const type *)s->values + i;                                                             \
    for (int j = 0; j < n; j++)                                                                              \
        buffer[j] = (double)x[j];                                                                            \
    break;                                                                                                   \
}

/* n values from the i-th on, where they lie or in the buffer. 64-bit integers are right up to 2^53. */
static inline const double *fd_fetch(const fd_source *s, int64_t i, int n, double *restrict buffer) {
    switch (s->kind) {
    case FD_F64:
        return (const double *)s->values + i;
        FD_WIDEN(FD_F32, float)
        FD_WIDEN(FD_I8, int8_t)
        FD_WIDEN(FD_U8, uint8_t)
        FD_WIDEN(FD_I16, int16_t)
        FD_WIDEN(FD_U16, uint16_t)
        FD_WIDEN(FD_I32, int32_t)
        FD_WIDEN(FD_U32, uint32_t)
    case FD_I64: {
        const uint64_t *x = (const uint64_t *)s->values + i, origin = s->origin;
        for (int j = 0; j < n; j++)
            buffer[j] = (double)(int64_t)(x[j] - origin);
        break;
    }
    case FD_U64: {
        const uint64_t *x = (const uint64_t *)s->values + i, origin = s->origin;
        for (int j = 0; j < n; j++)
            buffer[j] = (double)(x[j] - origin);
        break;
    }
    }
    return buffer;
}

#undef FD_WIDEN

/* Of 64-bit integers, n > 0: the least and the largest. */
static inline void fd_limits(const fd_source *s, __int128 *least, __int128 *most) {
    const uint64_t flip = s->kind == FD_I64 ? (uint64_t)1 << 63 : 0, *x = s->values;
    uint64_t low[4], high[4]; /* with the sign flipped, signed ones have the order of unsigned ones */
    for (int k = 0; k < 4; k++)
        low[k] = high[k] = x[0] ^ flip;
    int64_t i = 0;
    for (; i + 4 <= s->n; i += 4)
        for (int k = 0; k < 4; k++) {
            const uint64_t value = x[i + k] ^ flip;
            low[k] = value < low[k] ? value : low[k];
            high[k] = value > high[k] ? value : high[k];
        }
    for (; i < s->n; i++) {
        const uint64_t value = x[i] ^ flip;
        low[0] = value < low[0] ? value : low[0];
        high[0] = value > high[0] ? value : high[0];
    }
    for (int k = 1; k < 4; k++) {
        low[0] = low[k] < low[0] ? low[k] : low[0];
        high[0] = high[k] > high[0] ? high[k] : high[0];
    }
    *least = (__int128)low[0] - flip;
    *most = (__int128)high[0] - flip;
}

/* Makes doubles of both without rounding, by a shift where that takes one. 0: there is no way. */
static inline int fd_exactly(fd_source *u, fd_source *v) {
    const __int128 exact = (__int128)1 << 53, beyond = (__int128)1 << 64;
    __int128 low = beyond, high = -beyond, least, most;
    const fd_source *side[2] = {u, v};
    for (int s = 0; s < 2; s++) {
        if (!fd_long(side[s]))
            continue;
        fd_limits(side[s], &least, &most);
        low = least < low ? least : low;
        high = most > high ? most : high;
    }
    if (low >= -exact && high <= exact)
        return 1;
    if (!fd_long(u) || !fd_long(v) || high - low > exact)
        return 0;
    u->origin = v->origin = (uint64_t)low;
    return 1;
}

#endif
