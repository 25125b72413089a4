/* Rows side by side and back: tiles of 4 x 4 doubles, turned in registers. A number at a time, or gathered, that takes as
 * long as all that is computed of rows of few bins.
 */
#ifndef FD_TURN_H
#define FD_TURN_H

#include <stddef.h>
#include <string.h>

#include "math/log.h"

#if defined(__has_builtin)
#    if __has_builtin(__builtin_shufflevector)
#        define FD_SHUFFLES 1
#    endif
#endif

enum { FD_TURNED = 4 };

#ifdef FD_SHUFFLES
typedef double fd_four __attribute__((vector_size(32)));

/* A tile's numbers in[i step + j], by j. */
typedef struct {
    fd_four column[FD_TURNED];
} fd_four_fours;

FD_INLINE fd_four_fours fd_tile_of(const double *in, ptrdiff_t step) {
    fd_four a, b, c, d;
    memcpy(&a, in, sizeof a);
    memcpy(&b, in + step, sizeof b);
    memcpy(&c, in + 2 * step, sizeof c);
    memcpy(&d, in + 3 * step, sizeof d);
    const fd_four even_ab = __builtin_shufflevector(a, b, 0, 4, 2, 6),
                  odd_ab = __builtin_shufflevector(a, b, 1, 5, 3, 7),
                  even_cd = __builtin_shufflevector(c, d, 0, 4, 2, 6),
                  odd_cd = __builtin_shufflevector(c, d, 1, 5, 3, 7);
    return (fd_four_fours){{
        __builtin_shufflevector(even_ab, even_cd, 0, 1, 4, 5),
        __builtin_shufflevector(odd_ab, odd_cd, 0, 1, 4, 5),
        __builtin_shufflevector(even_ab, even_cd, 2, 3, 6, 7),
        __builtin_shufflevector(odd_ab, odd_cd, 2, 3, 6, 7),
    }};
}
#endif

/* out[j pitch + i] = in[i step + j] of a tile. */
FD_INLINE void fd_turn_tile(const double *in, ptrdiff_t step, double *out, ptrdiff_t pitch) {
#ifdef FD_SHUFFLES
    const fd_four_fours tile = fd_tile_of(in, step);
    for (int j = 0; j < FD_TURNED; j++)
        memcpy(out + j * pitch, &tile.column[j], sizeof tile.column[j]);
#else
    for (int i = 0; i < FD_TURNED; i++)
        for (int j = 0; j < FD_TURNED; j++)
            out[j * pitch + i] = in[i * step + j];
#endif
}

/* Of two tiles, the second FD_TURNED rows below. Whole registers are written: what is read at once of two numbers that
 * have only just been written waits until both are in the cache. */
FD_INLINE void fd_turn_tiles(const double *in, ptrdiff_t step, double *out, ptrdiff_t pitch) {
#if defined(FD_SHUFFLES) && defined(FD_AVX512)
    typedef double eight __attribute__((vector_size(64)));
    const fd_four_fours first = fd_tile_of(in, step), second = fd_tile_of(in + FD_TURNED * step, step);
    for (int j = 0; j < FD_TURNED; j++) {
        const eight both = __builtin_shufflevector(first.column[j], second.column[j], 0, 1, 2, 3, 4, 5, 6, 7);
        memcpy(out + j * pitch, &both, sizeof both);
    }
#else
    fd_turn_tile(in, step, out, pitch);
    fd_turn_tile(in + FD_TURNED * step, step, out + FD_TURNED, pitch);
#endif
}

/* out[i pitch + j] = in[j stride + i] of a tile of floats, wherever they are; stride in bytes. */
FD_INLINE void fd_turn_floats(const char *in, ptrdiff_t stride, float *out, ptrdiff_t pitch) {
#ifdef FD_SHUFFLES
    typedef float four __attribute__((vector_size(16)));
    four a, b, c, d;
    memcpy(&a, in, sizeof a);
    memcpy(&b, in + stride, sizeof b);
    memcpy(&c, in + 2 * stride, sizeof c);
    memcpy(&d, in + 3 * stride, sizeof d);
    const four low_ab = __builtin_shufflevector(a, b, 0, 4, 1, 5),
               high_ab = __builtin_shufflevector(a, b, 2, 6, 3, 7),
               low_cd = __builtin_shufflevector(c, d, 0, 4, 1, 5),
               high_cd = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    a = __builtin_shufflevector(low_ab, low_cd, 0, 1, 4, 5);
    b = __builtin_shufflevector(low_ab, low_cd, 2, 3, 6, 7);
    c = __builtin_shufflevector(high_ab, high_cd, 0, 1, 4, 5);
    d = __builtin_shufflevector(high_ab, high_cd, 2, 3, 6, 7);
    memcpy(out, &a, sizeof a);
    memcpy(out + pitch, &b, sizeof b);
    memcpy(out + 2 * pitch, &c, sizeof c);
    memcpy(out + 3 * pitch, &d, sizeof d);
#else
    for (int j = 0; j < FD_TURNED; j++)
        for (int i = 0; i < FD_TURNED; i++)
            memcpy(&out[i * pitch + j], in + j * stride + i * (ptrdiff_t)sizeof *out, sizeof *out);
#endif
}

/* fd_turn_tile of n rows of FD_TURNED numbers. Of the last tile a part may be turned twice. */
FD_INLINE void fd_turn(const double *in, ptrdiff_t step, ptrdiff_t n, double *out, ptrdiff_t pitch) {
    for (ptrdiff_t j = 0; n >= FD_TURNED && j < n; j += FD_TURNED) {
        ptrdiff_t at = j < n - FD_TURNED ? j : n - FD_TURNED;
        fd_turn_tile(in + at * step, step, out + at, pitch);
    }
    for (ptrdiff_t j = 0; n < FD_TURNED && j < n; j++)
        for (int i = 0; i < FD_TURNED; i++)
            out[i * pitch + j] = in[j * step + i];
}

#endif
