/* A sample in chunks: how many depends on its length only, so that bits do not depend on threads. */
#ifndef FD_CHUNKS_H
#define FD_CHUNKS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include "transport/source.h"

enum { FD_MAX_CHUNKS = 8, FD_SAMPLE = 1024 };

static inline int fd_chunks(int64_t n) {
    const int64_t chunks = n >> 18;
    return chunks < 1 ? 1 : chunks > FD_MAX_CHUNKS ? FD_MAX_CHUNKS : (int)chunks;
}

/* Where a chunk starts; chunk = chunks gives the end. */
static inline int64_t fd_chunk_start(int64_t n, int chunks, int chunk) {
    return chunk == chunks ? n : n / chunks * chunk;
}

/* Finite values at scattered places, so that no period in the data can hide the rest; `weigh` gets the weights there, 1
 * each where there are none. How many. */
static inline int fd_scattered_with(const fd_source *x, const double *weights, double *sample, double *weigh,
                                    int size) {
    uint64_t state = 0x9e3779b97f4a7c15ull;
    int kept = 0;
    for (int i = 0; i < size; i++) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        const int64_t at = (int64_t)(((unsigned __int128)state * (unsigned __int128)x->n) >> 64);
        double room;
        const double value = fd_fetch(x, at, 1, &room)[0];
        sample[kept] = value;
        if (weigh)
            weigh[kept] = weights ? weights[at] : 1.0;
        kept += isfinite(value) != 0;
    }
    return kept;
}

static inline int fd_scattered(const fd_source *x, double *sample, int size) {
    return fd_scattered_with(x, NULL, sample, NULL, size);
}

#endif
