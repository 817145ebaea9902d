/* dsyevd of LAPACK, eigenvalues only, by its Fortran name: a matrix by rows is its transpose by columns.
 *
 * The library is loaded when it is first asked for, not linked: an optimised LAPACK starts threads and takes buffers as
 * soon as it is in a process (and may not come to an end where memory is refused), which every other run would pay. */
#include "core/numbers/eigenvalues.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdint.h>

/* The last two arguments are the lengths of the texts, as Fortran compilers pass them. */
typedef void (*dsyevd_function)(const char *job, const char *triangle, const int *n, double *matrix, const int *stride,
                                double *values, double *work, const int *work_room, int *whole_work,
                                const int *whole_room, int *info, size_t job_length, size_t triangle_length);

/* Two threads that come at once find the same address; the library stays loaded. */
static dsyevd_function find(void) {
    static const char *const names[] = {"liblapack.so.3", "libopenblas.so.0", "liblapack.so", "libopenblas.so",
                                        "/System/Library/Frameworks/Accelerate.framework/Accelerate"};
    static _Atomic(uintptr_t) found;
    uintptr_t address = atomic_load(&found);
    for (size_t i = 0; address == 0 && i < sizeof names / sizeof *names; i++) {
        void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        if (library) address = (uintptr_t)dlsym(library, "dsyevd_");
    }
    atomic_store(&found, address);
    return (dsyevd_function)address;
}

size_t ip_eigenvalues_work(size_t n) { return 66 * n + 64; }

bool ip_eigenvalues_there(void) { return find() != NULL; }

bool ip_eigenvalues(double *matrix, size_t n, double *values, double *work) {
    dsyevd_function dsyevd = find();
    if (!dsyevd) return false;
    int size = (int)n, room = (int)ip_eigenvalues_work(n), whole[1], one = 1, info = 0;
    dsyevd("N", "U", &size, matrix, &size, values, work, &room, whole, &one, &info, 1, 1);
    return info == 0;
}
