/* libFuzzer target: any bytes as the config.json of a model folder, through the family and the plan. The weights are those
 * of a file that INFOPLANE_FUZZ_WEIGHTS names (golden/badfiles/hf_valid/model.safetensors); without it none are there,
 * and only what comes before the first tensor is reached. Seeds: golden/badfiles/config. */
#include <stdint.h>
#include <stdlib.h>

#include "core/base/file.h"
#include "models/checkpoint.h"
#include "models/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *context, const char *line) {
    (void)context;
    (void)line;
}

/* A file of one small tensor, in case there is no other. */
static const char none[] =
    "\x3f\0\0\0\0\0\0\0{\"x\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}             ";

static ip_bytes weights(void) {
    static ip_map map;
    ip_error error;
    const char *path = getenv("INFOPLANE_FUZZ_WEIGHTS");
    if (!map.data && path && ip_map_open(&map, path, &error) != IP_OK) abort();
    if (map.data) return (ip_bytes){(const char *)map.data, map.size};
    return (ip_bytes){none, 8 + 63 + 1};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ip_checkpoint file = {NULL, NULL};
    ip_model *model;
    ip_error error;
    ip_bytes config = {(const char *)data, size};
    if (ip_folder_open_memory(&file.folder, "fuzz", config, weights(), &error) != IP_OK) {
        ip_checkpoint_close(&file);
        return 0;
    }
    if (ip_model_from_checkpoint(&model, &file, NULL, ignore, NULL, &error) != IP_OK) return 0;
    const ip_plan *plan = ip_model_plan(model);
    for (size_t i = 0; i < plan->layers; i++) {
        const ip_weight *q = &plan->blocks[i].q;
        float *row = malloc(q->inputs * sizeof *row);
        for (size_t o = 0; row && o < q->outputs; o++) ip_weight_read(q, o, 1, row, q->inputs);
        free(row);
    }
    ip_model_close(model);
    return 0;
}
