/* Eigenvalues of symmetric matrices: the one door to LAPACK, loaded when it is first asked for. */
#ifndef IP_CORE_EIGENVALUES_H
#define IP_CORE_EIGENVALUES_H

#include <stdbool.h>
#include <stddef.h>

/* Whether this machine has LAPACK. */
bool ip_eigenvalues_there(void);

/* Doubles of work for matrices of n rows. */
size_t ip_eigenvalues_work(size_t n);

/* Eigenvalues of the symmetric matrix [n][n], of which the lower triangle is read, in rising order; the matrix is lost.
 * False when LAPACK does not converge, or is not there. */
bool ip_eigenvalues(double *matrix, size_t n, double *values, double *work);

#endif
