/* libFuzzer target: any bytes as a safetensors file: header, tensors, values. Seeds: golden/badfiles/safetensors. */
#include <stdint.h>

#include "models/model.h"
#include "models/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ip_safetensors file;
    ip_error error;
    if (ip_safetensors_open_memory(&file, "fuzz.safetensors", data, size, &error) == IP_OK)
        for (size_t i = 0; i < file.count; i++) ip_tensor_check_finite(&file.tensors[i], "fuzz.safetensors", &error);
    ip_safetensors_close(&file);
    return 0;
}
