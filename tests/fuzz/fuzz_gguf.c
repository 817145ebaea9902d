/* libFuzzer target: any bytes as a GGUF file, through the container, the family and the values. Seeds: the small files
 * of golden/badfiles/gguf. */
#include <stdint.h>
#include <stdlib.h>

#include "models/gguf.h"
#include "models/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *context, const char *line) {
    (void)context;
    (void)line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ip_gguf *file;
    ip_model *model;
    ip_error error;
    if (ip_gguf_open_memory(&file, "fuzz.gguf", data, size, ignore, NULL, &error) != IP_OK) return 0;
    for (size_t i = 0; i < ip_gguf_tensor_count(file); i++)
        ip_tensor_check_finite(ip_gguf_tensor_at(file, i), "fuzz.gguf", &error);
    if (ip_model_from_gguf(&model, file, NULL, ignore, NULL, &error) != IP_OK) return 0;
    const ip_plan *plan = ip_model_plan(model);
    for (size_t i = 0; i < plan->layers; i++) {
        const ip_weight *q = &plan->blocks[i].q;
        float *row = malloc(q->inputs * sizeof *row);
        for (size_t o = 0; row && o < q->outputs; o++)
            q->tensor->type->to_float(row, ip_tensor_row(q->tensor, ip_weight_row(q, o)), q->inputs);
        free(row);
    }
    ip_model_close(model);
    return 0;
}
