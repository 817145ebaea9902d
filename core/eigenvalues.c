/* dsyevd of LAPACK, eigenvalues only, by its Fortran name: a matrix by rows is its transpose by columns. */
#include "core/eigenvalues.h"

size_t ip_eigenvalues_work(size_t n) { return 66 * n + 64; }

#ifdef INFOPLANE_LAPACK
/* The last two arguments are the lengths of the texts, as Fortran compilers pass them. */
void dsyevd_(const char *job, const char *triangle, const int *n, double *matrix, const int *stride, double *values,
             double *work, const int *work_room, int *whole_work, const int *whole_room, int *info, size_t job_length,
             size_t triangle_length);

bool ip_eigenvalues_there(void) { return true; }

bool ip_eigenvalues(double *matrix, size_t n, double *values, double *work) {
    int size = (int)n, room = (int)ip_eigenvalues_work(n), whole[1], one = 1, info = 0;
    dsyevd_("N", "U", &size, matrix, &size, values, work, &room, whole, &one, &info, 1, 1);
    return info == 0;
}
#else
bool ip_eigenvalues_there(void) { return false; }

bool ip_eigenvalues(double *matrix, size_t n, double *values, double *work) {
    (void)matrix;
    (void)n;
    (void)values;
    (void)work;
    return false;
}
#endif
