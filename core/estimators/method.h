/* Which estimators there are (methods.def), and what those other than `soft` have in common: they look at the states of
 * a layer once all are there.
 *
 *   hard, binning, kmeans   a code per position, and from it the same figures as soft: codes.h
 *   matrix                  eigenvalues of a covariance: matrix.h
 */
#ifndef IP_CORE_METHOD_H
#define IP_CORE_METHOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/kernels.h"
#include "core/base/pool.h"
#include "core/estimators/anchors.h"
#include "core/estimators/resample.h"
#include "core/infoplane.h"

typedef enum ip_method_kind {
#define IP_METHOD(id, name, bins, what) IP_METHOD_##id,
#include "core/estimators/methods.def"
#undef IP_METHOD
    IP_METHODS
} ip_method_kind;

const char *ip_method_name(ip_method_kind kind);

/* The estimator that settings name, and whether their bins are possible: else IP_USAGE. */
ip_status ip_method_check(ip_method_kind *out, const ip_settings *settings, ip_error *error);
/* As settings say, once they are checked. */
ip_method_kind ip_method_of(const ip_settings *settings);

/* The same without null, groups and resamples where the estimator has none. */
ip_settings ip_method_settings(const ip_settings *settings);

/* The name as a text that lasts, or NULL when there is no such estimator. */
const char *ip_method_known(const char *name);

/* log of the number of codes that the figures are a share of; NaN where there is no such number. */
double ip_method_log_bins(const char *name, uint64_t bins);

/* "100 anchors, vmf-bound, epsilon 0.0135", "30 bins per dimension": for tables. */
void ip_method_describe(FILE *file, const char *name, uint64_t bins, const char *calibration, double temperature);

/* Rows of the counted positions, [positions][width], wherever they are. read gives rows first .. first + count - 1 as
 * doubles, from any worker; where says which row a message is about. */
typedef struct ip_rows {
    void *context;
    size_t positions, width;
    ip_status (*read)(void *context, size_t first, size_t count, double *out, ip_error *error);
    ip_status (*bad)(void *context, size_t position, const char *what, ip_error *error);
} ip_rows;

/* Rows that a task of a pass takes; sums over rows are made per so many rows first, so that no number depends on threads. */
enum { IP_ROWS_CHUNK = 256 };

/* The mean of rows into mean [width]: sums of chunks, added in the order of the chunks. rows_room: per worker, `room_bytes`
 * apart, (IP_ROWS_CHUNK + 1) * width doubles. */
ip_status ip_rows_mean(const ip_rows *rows, ip_pool *pool, double *mean, char *rows_room, size_t room_bytes,
                       ip_error *error);

/* An estimator other than soft, opened before the run for states of one width. */
typedef struct ip_method {
    ip_method_kind kind;
    const ip_kernels *kernels;
    ip_pool *pool;
    size_t positions, width, bins;
    uint64_t seed;
    ip_anchors anchors; /* hard */
    uint32_t *code;     /* [positions], all but matrix: below distinct once coded */
    size_t distinct;    /* codes in use */
    double entropy;     /* matrix */
    char *work;         /* per worker */
    size_t work_bytes;  /* of one */
    void *shared;       /* binning: hashes; kmeans: centres; matrix: the covariance */
    size_t shared_bytes;
} ip_method;

ip_status ip_method_open(ip_method *out, ip_method_kind kind, const ip_settings *settings, const ip_input *anchors,
                         size_t positions, size_t width, const ip_kernels *kernels, ip_pool *pool, ip_error *error);
void ip_method_close(ip_method *estimator);
/* Anonymous bytes of open and of a run with so many label sets. */
uint64_t ip_method_bytes(ip_method_kind kind, size_t positions, size_t width, size_t bins, size_t sets,
                         unsigned threads, const ip_kernels *kernels, const ip_resampling *resampling);

/* Takes in the rows of one layer: their codes, or the entropy of their spectrum. */
ip_status ip_method_look(ip_method *estimator, const ip_rows *rows, ip_error *error);

/* Figures as ip_soft_estimate gives them, of the rows that were looked at last. */
ip_status ip_method_figures(ip_method *estimator, const ip_rows *rows, const ip_partition *const *partitions,
                            size_t sets, const ip_resampling *resampling, ip_soft_figures *figures, ip_error *error);

/* e to the entropy of the spectrum; NaN of estimators other than matrix. */
double ip_method_effective_rank(const ip_method *estimator);

/* ---- one file each ---- */

ip_status ip_code_hard(ip_method *e, const ip_rows *rows, ip_error *error);
ip_status ip_code_binning(ip_method *e, const ip_rows *rows, ip_error *error);
ip_status ip_code_kmeans(ip_method *e, const ip_rows *rows, ip_error *error);
ip_status ip_matrix_look(ip_method *e, const ip_rows *rows, ip_error *error);
ip_status ip_matrix_figures(ip_method *e, const ip_rows *rows, const ip_partition *const *partitions, size_t sets,
                            ip_soft_figures *figures, ip_error *error);

/* What they take: shared by all workers, and for each. */
typedef struct ip_method_need {
    size_t shared, work;
} ip_method_need;
ip_method_need ip_hard_need(size_t positions, size_t width, size_t bins, unsigned threads, const ip_kernels *kernels);
ip_method_need ip_binning_need(size_t positions, size_t width, size_t bins, unsigned threads,
                               const ip_kernels *kernels);
ip_method_need ip_kmeans_need(size_t positions, size_t width, size_t bins, unsigned threads, const ip_kernels *kernels);
ip_method_need ip_matrix_need(size_t positions, size_t width, size_t bins, unsigned threads, const ip_kernels *kernels);

#endif
