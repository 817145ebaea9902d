/* Packing: a panel of 16 outputs at a time, from the file's rows to codes and scales (or floats), to the panel. */
#include "core/input/weights.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "models/quantise.h"

enum { Q8_0 = 8 }; /* its number in the list of types */

const ip_type *ip_weight_type(ip_compute compute, const ip_tensor *tensor) {
    return compute.requantise && tensor->ne[1] > 1 ? compute.requantise : tensor->type;
}

static bool requantised(ip_compute compute, const ip_tensor *tensor) {
    return ip_weight_type(compute, tensor) != tensor->type;
}

ip_arith ip_weight_arith(ip_compute compute, const ip_tensor *tensor) {
    switch (compute.name) {
    case IP_COMPUTE_AUTO: return ip_weight_type(compute, tensor)->to_codes ? IP_ARITH_INT16 : IP_ARITH_F32;
    case IP_COMPUTE_F32: return IP_ARITH_F32;
    case IP_COMPUTE_BF16: return IP_ARITH_BF16;
    case IP_COMPUTE_INT16: return IP_ARITH_INT16;
    case IP_COMPUTE_INT8: return IP_ARITH_INT8;
    }
    return IP_ARITH_F32;
}

static bool integers(ip_arith arith) { return arith == IP_ARITH_INT16 || arith == IP_ARITH_INT8; }

/* The type whose codes are packed under an integer arithmetic: float weights are quantised to Q8_0 for it. */
static const ip_type *coded_type(ip_compute compute, const ip_tensor *tensor) {
    const ip_type *type = ip_weight_type(compute, tensor);
    return type->to_codes ? type : ip_type_by_id(Q8_0);
}

ip_compute ip_weight_compute(ip_compute compute, const ip_weight *weight) {
    if (weight->as_stored) compute.requantise = NULL;
    return compute;
}

size_t ip_weight_bytes(const ip_kernels *kernels, ip_compute compute, const ip_weight *weight, size_t outputs) {
    compute = ip_weight_compute(compute, weight);
    const ip_type *type = coded_type(compute, weight->tensor);
    return ip_matrix_bytes(kernels, ip_weight_arith(compute, weight->tensor), outputs, weight->inputs, type->group,
                           type->has_min);
}

bool ip_weight_floats(ip_compute compute, const ip_tensor *tensor, size_t row, float *out) {
    size_t k = (size_t)tensor->ne[0];
    tensor->type->to_float(out, ip_tensor_row(tensor, row), k);
    return !requantised(compute, tensor) || ip_quantise_floats(compute.requantise, out, k);
}

/* The same of one output of a matrix, which need not be a row of its tensor. */
static bool weight_floats(ip_compute compute, const ip_weight *weight, size_t output, float *out) {
    ip_weight_read(weight, output, 1, out, weight->inputs);
    return !requantised(compute, weight->tensor) || ip_quantise_floats(compute.requantise, out, weight->inputs);
}

/* The same as codes; floats has room for a row. */
static bool weight_codes(ip_compute compute, const ip_weight *weight, size_t output, int8_t *codes, float *scale,
                         float *min, float *floats) {
    const ip_tensor *tensor = weight->tensor;
    const ip_type *type = ip_weight_type(compute, tensor), *coded = coded_type(compute, tensor);
    size_t k = weight->inputs;
    if (type == tensor->type && type == coded) {
        coded->to_codes(codes, scale, coded->has_min ? min : NULL, ip_tensor_row(tensor, ip_weight_row(weight, output)),
                        k);
        return true;
    }
    /* Quantised once when codes are asked for; to a float type first, when that is. */
    if (type == coded) {
        ip_weight_read(weight, output, 1, floats, k);
    } else if (!weight_floats(compute, weight, output, floats)) {
        return false;
    }
    return ip_quantise_codes(coded, codes, scale, min, floats, k);
}

ip_status ip_weight_too_large(ip_compute compute, const ip_model *model, const ip_tensor *tensor, ip_error *error) {
    /* One that is not finite is told as such, whichever task comes to it first. */
    const char *path = ip_model_tensor_path(model, tensor);
    ip_status status = ip_tensor_check_finite(tensor, path, error);
    if (status != IP_OK) return status;
    return ip_fail(error, IP_BAD_INPUT, "%s: tensor '%s' has weights too large for %s: use %s--compute f32", path,
                   tensor->name, compute.requantise ? compute.requantise->name : "integer products",
                   compute.requantise ? "weights as stored or " : "");
}

/* Rows of one panel in the form that the pack kernels take. */
typedef struct panel_rows {
    float *floats;      /* [16][kp] */
    int8_t *codes;      /* [16][kp] */
    float *scale, *min; /* [16][kp / group] */
} panel_rows;

static bool allocate_rows(panel_rows *rows, ip_arith arith, size_t kp, unsigned group) {
    memset(rows, 0, sizeof *rows);
    rows->floats = ip_alloc64(IP_LANES * kp * sizeof *rows->floats);
    if (!integers(arith)) return rows->floats != NULL;
    rows->codes = ip_alloc64(IP_LANES * kp);
    rows->scale = ip_alloc64(IP_LANES * (kp / group) * sizeof *rows->scale);
    rows->min = ip_alloc64(IP_LANES * (kp / group) * sizeof *rows->min);
    return rows->floats && rows->codes && rows->scale && rows->min;
}

static void free_rows(panel_rows *rows) {
    free(rows->floats);
    free(rows->codes);
    free(rows->scale);
    free(rows->min);
}

/* int16 products take scales of normal size only; what is far below counts as zero. */
static bool fit_scales(panel_rows *rows, size_t groups, unsigned group) {
    for (size_t i = 0; i < IP_LANES * groups; i++) {
        switch (ip_scale_for_int16(&rows->scale[i])) {
        case IP_SCALE_FITS: break;
        case IP_SCALE_ZERO: memset(rows->codes + i * group, 0, group); break;
        case IP_SCALE_TOO_LARGE: return false;
        }
    }
    return true;
}

/* Both panels: false when a weight is too large for the scale it is to be quantised with, a half, or for int16. */
static bool pack_integer_panel(const ip_pack_job *job, const ip_pack *pack, size_t panel, size_t count,
                               panel_rows *rows) {
    const ip_kernels *kernels = job->kernels;
    ip_matrix *m = pack->matrix;
    size_t groups = m->kp / m->group;
    memset(rows->codes, 0, IP_LANES * m->kp);
    memset(rows->scale, 0, IP_LANES * groups * sizeof *rows->scale);
    memset(rows->min, 0, IP_LANES * groups * sizeof *rows->min);
    for (size_t i = 0; i < count; i++) {
        size_t output = pack->first + panel * IP_LANES + i;
        if (!weight_codes(ip_weight_compute(job->compute, pack->weight), pack->weight, output, rows->codes + i * m->kp,
                          rows->scale + i * groups, rows->min + i * groups, rows->floats))
            return false;
    }
    if (m->arith == IP_ARITH_INT16 && !fit_scales(rows, groups, m->group)) return false;
    unsigned char *to = m->codes + panel * m->panel_bytes;
    (m->arith == IP_ARITH_INT16 ? kernels->pack_int16 : kernels->pack_int8)(to, rows->codes, m->kp, count, m->kp);
    for (size_t g = 0; g < groups; g++) {
        for (size_t i = 0; i < IP_LANES; i++) {
            m->scale[(panel * groups + g) * IP_LANES + i] = rows->scale[i * groups + g];
            if (m->has_min) m->min[(panel * groups + g) * IP_LANES + i] = rows->min[i * groups + g];
        }
    }
    return true;
}

static bool pack_float_panel(const ip_pack_job *job, const ip_pack *pack, size_t panel, size_t count,
                             panel_rows *rows) {
    const ip_kernels *kernels = job->kernels;
    ip_matrix *m = pack->matrix;
    const size_t first = pack->first + panel * IP_LANES;
    const ip_compute compute = ip_weight_compute(job->compute, pack->weight);
    if (requantised(compute, pack->weight->tensor)) {
        for (size_t i = 0; i < count; i++)
            if (!weight_floats(compute, pack->weight, first + i, rows->floats + i * m->kp)) return false;
    } else {
        ip_weight_read(pack->weight, first, count, rows->floats, m->kp);
    }
    unsigned char *to = m->codes + panel * m->panel_bytes;
    if (m->arith == IP_ARITH_F32) {
        kernels->pack_f32((float *)(void *)to, rows->floats, m->kp, count, m->k);
    } else {
        kernels->pack_bf16(to, rows->floats, m->kp, count, m->k);
    }
    return true;
}

/* ---- the job: tensors to check, then runs of panels ---- */

enum { PANELS_PER_TASK = 8 };

static size_t panel_tasks(const ip_pack *pack) {
    size_t panels = (pack->outputs + IP_LANES - 1) / IP_LANES;
    return (panels + PANELS_PER_TASK - 1) / PANELS_PER_TASK;
}

void ip_pack_begin(ip_pack_job *job, const ip_pack *packs, size_t count, bool trusted, const ip_model *model,
                   const ip_kernels *kernels, ip_compute compute) {
    *job = (ip_pack_job){packs, count, trusted ? 0 : count, trusted ? 0 : count, compute, model, kernels};
    for (size_t i = 0; i < count; i++) {
        const ip_tensor *tensor = packs[i].weight->tensor;
        const ip_compute own = ip_weight_compute(compute, packs[i].weight);
        const ip_type *type = coded_type(own, tensor);
        ip_matrix_layout(packs[i].matrix, packs[i].memory, kernels, ip_weight_arith(own, tensor), packs[i].outputs,
                         packs[i].weight->inputs, type->group, type->has_min);
        job->tasks += panel_tasks(&packs[i]);
    }
}

static ip_status pack_some(const ip_pack_job *job, size_t task, ip_error *error) {
    const ip_pack *pack = job->packs;
    while (task >= panel_tasks(pack)) task -= panel_tasks(pack++);
    const ip_matrix *m = pack->matrix;
    panel_rows rows;
    if (!allocate_rows(&rows, m->arith, m->kp, m->group)) {
        free_rows(&rows);
        return ip_fail(error, IP_FAILED, "out of memory while packing weights");
    }
    size_t panels = (pack->outputs + IP_LANES - 1) / IP_LANES;
    bool packed = true;
    for (size_t p = task * PANELS_PER_TASK; packed && p < panels && p < (task + 1) * PANELS_PER_TASK; p++) {
        size_t left = pack->outputs - p * IP_LANES, count = left < IP_LANES ? left : IP_LANES;
        packed = (integers(m->arith) ? pack_integer_panel : pack_float_panel)(job, pack, p, count, &rows);
    }
    free_rows(&rows);
    if (packed) return IP_OK;
    return ip_weight_too_large(job->compute, job->model, pack->weight->tensor, error);
}

ip_status ip_pack_task(const ip_pack_job *job, size_t task, ip_error *error) {
    if (task >= job->checks) return pack_some(job, task - job->checks, error);
    const ip_tensor *tensor = job->packs[task].weight->tensor;
    for (size_t i = 0; i < task; i++)
        if (job->packs[i].weight->tensor == tensor) return IP_OK; /* several matrices in one tensor */
    return ip_tensor_check_finite(tensor, ip_model_tensor_path(job->model, tensor), error);
}

static ip_status run_task(void *context, size_t task, unsigned worker, ip_error *error) {
    (void)worker;
    return ip_pack_task(context, task, error);
}

ip_status ip_pack_run(const ip_pack_job *job, ip_pool *pool, ip_error *error) {
    ip_pack_job copy = *job;
    return ip_pool_run(pool, job->tasks, run_task, &copy, error);
}

void ip_pack_read_ahead(const ip_weight *const *weights, size_t count) {
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < count; i++) {
        const ip_tensor *t = weights[i]->tensor;
        uintptr_t from = (uintptr_t)t->data & ~(page - 1),
                  to = (uintptr_t)(t->data + t->row_bytes * t->ne[1] * t->ne[2]);
        madvise((void *)from, to - from, MADV_WILLNEED); /* a hint: failure costs nothing but time */
    }
}
