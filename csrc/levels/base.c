/* What every CPU of the platform has: SSE2 on x86-64, Advanced SIMD with FMA on AArch64. */
#define FD_ISA        base
#define FD_DOT_ROWS   1
#define FD_L1_ROWS    1
#define FD_L1_COLUMNS 3
#define FD_L1_LANES   8
#include "levels/level.h"
