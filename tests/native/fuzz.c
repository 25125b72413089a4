/* libFuzzer at the doors of the C kernels: clang -fsanitize=fuzzer,address,undefined. */
#include "doors.h"

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    fd_open_doors();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    fd_call_door(bytes, size);
    return 0;
}
