/* The doors of the C kernels, called as bytes say: what Cython would call, and in no other way. */
#ifndef FD_DOORS_H
#define FD_DOORS_H

#include <stddef.h>
#include <stdint.h>

/* One call. Its arrays are as long as they must be, so that a sanitizer sees what is read or written beyond. Where two
 * ways must lead to the same bits and do not, it aborts. Returns a digest of all results. */
uint64_t fd_call_door(const uint8_t *bytes, size_t size);
/* Once, before the first call. */
void fd_open_doors(void);

#endif
