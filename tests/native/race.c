/* Threads at the doors of the C kernels at once: clang -fsanitize=thread. All make the same calls, beginning elsewhere;
 * each must give the same bits in all.
 *
 *     race SEED CALLS THREADS
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "doors.h"

enum { FD_SIZE = 700, FD_MOST_THREADS = 64 };

static uint8_t *fd_bytes; /* of all calls */
static long fd_calls;

typedef struct {
    long start;
    uint64_t *digest;
    pthread_t thread;
} fd_worker;

static void *fd_work(void *argument) {
    const fd_worker *own = argument;
    for (long k = 0; k < fd_calls; k++) {
        const long i = (own->start + k) % fd_calls;
        own->digest[i] = fd_call_door(fd_bytes + i * FD_SIZE, FD_SIZE);
    }
    return NULL;
}

int main(int argc, char **argv) {
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    fd_calls = argc > 2 ? atol(argv[2]) : 1000;
    const int threads = argc > 3 ? atoi(argv[3]) : 8;
    if (threads < 1 || threads > FD_MOST_THREADS || fd_calls < 1)
        return 2;
    fd_open_doors();
    fd_bytes = malloc((size_t)fd_calls * FD_SIZE);
    for (long i = 0; i < fd_calls * FD_SIZE; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        fd_bytes[i] = (uint8_t)(seed >> 56);
    }
    fd_worker workers[FD_MOST_THREADS];
    for (int t = 0; t < threads; t++) {
        workers[t] = (fd_worker){t * fd_calls / threads, calloc((size_t)fd_calls, sizeof(uint64_t)), 0};
        if (pthread_create(&workers[t].thread, NULL, fd_work, &workers[t]))
            return 2;
    }
    long different = 0;
    for (int t = 0; t < threads; t++) {
        pthread_join(workers[t].thread, NULL);
        for (long i = 0; i < fd_calls; i++)
            different += workers[t].digest[i] != workers[0].digest[i];
    }
    printf("%ld calls by each of %d threads, %ld with other bits\n", fd_calls, threads, different);
    return different != 0;
}
