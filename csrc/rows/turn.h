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

/* out[j pitch + i] = in[i step + j] of a tile. */
FD_INLINE void fd_turn_tile(const double *in, ptrdiff_t step, double *out, ptrdiff_t pitch) {
#ifdef FD_SHUFFLES
    typedef double four __attribute__((vector_size(32)));
    four a, b, c, d;
    memcpy(&a, in, sizeof a);
    memcpy(&b, in + step, sizeof b);
    memcpy(&c, in + 2 * step, sizeof c);
    memcpy(&d, in + 3 * step, sizeof d);
    const four even_ab = __builtin_shufflevector(a, b, 0, 4, 2, 6),
               odd_ab = __builtin_shufflevector(a, b, 1, 5, 3, 7),
               even_cd = __builtin_shufflevector(c, d, 0, 4, 2, 6),
               odd_cd = __builtin_shufflevector(c, d, 1, 5, 3, 7);
    a = __builtin_shufflevector(even_ab, even_cd, 0, 1, 4, 5);
    b = __builtin_shufflevector(odd_ab, odd_cd, 0, 1, 4, 5);
    c = __builtin_shufflevector(even_ab, even_cd, 2, 3, 6, 7);
    d = __builtin_shufflevector(odd_ab, odd_cd, 2, 3, 6, 7);
    memcpy(out, &a, sizeof a);
    memcpy(out + pitch, &b, sizeof b);
    memcpy(out + 2 * pitch, &c, sizeof c);
    memcpy(out + 3 * pitch, &d, sizeof d);
#else
    for (int i = 0; i < FD_TURNED; i++)
        for (int j = 0; j < FD_TURNED; j++)
            out[j * pitch + i] = in[i * step + j];
#endif
}

/* The same of FD_TURNED rows of n numbers where `by_row`, and where not of n rows of FD_TURNED. Of the last tile a part
 * may be turned twice. */
FD_INLINE void fd_turn(const double *in, ptrdiff_t step, ptrdiff_t n, int by_row, double *out,
                       ptrdiff_t pitch) {
    for (ptrdiff_t j = 0; n >= FD_TURNED && j < n; j += FD_TURNED) {
        ptrdiff_t at = j < n - FD_TURNED ? j : n - FD_TURNED;
        fd_turn_tile(in + (by_row ? at : at * step), step, out + (by_row ? at * pitch : at), pitch);
    }
    for (ptrdiff_t j = 0; n < FD_TURNED && j < n; j++)
        for (int i = 0; i < FD_TURNED; i++)
            out[by_row ? j * pitch + i : i * pitch + j] = in[by_row ? i * step + j : j * step + i];
}

#endif
