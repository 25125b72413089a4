/* What every CPU of the platform has: SSE2 on x86-64, Advanced SIMD with FMA on AArch64. */
#define FD_ISA base
#include "isa.h"
