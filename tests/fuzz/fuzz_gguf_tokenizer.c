/* Fuzzes tokenizers: any bytes as a GGUF file, its tokenizer built, and a text taken through it. Ids must be those of
 * the vocabulary. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "models/gguf.h"
#include "models/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *context, const char *line) {
    (void)context;
    (void)line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char text[] =
        "The 12 the <|endoftext|> th\xC3\xA9 \xE2\x96\x81 <s>x</s>  it's\n\n\t\xE4\xB8\x80 \xF0\x9F\x98\x80  [PAD5]";
    ip_gguf *file;
    ip_error error;
    if (ip_gguf_open_memory(&file, "fuzz.gguf", data, size, ignore, NULL, &error) != IP_OK) return 0;
    ip_tokenizer *tokenizer;
    ip_status status = ip_tokenizer_from_gguf(&tokenizer, file, ignore, NULL, &error);
    ip_gguf_close(file);
    if (status != IP_OK) return 0;
    ip_tokenizer_scratch *scratch = ip_tokenizer_scratch_new(tokenizer);
    if (!scratch) abort();
    for (int mode = 0; mode < 4; mode++) {
        ip_ids ids = {0};
        if (ip_tokenize(tokenizer, scratch, text, sizeof text - 1, mode & 1, mode & 2, &ids, &error) != IP_OK) abort();
        for (size_t i = 0; i < ids.count; i++)
            if (ids.data[i] < 0 || (size_t)ids.data[i] >= ip_tokenizer_vocabulary(tokenizer)) abort();
        free(ids.data);
    }
    if (strlen(ip_tokenizer_kind(tokenizer)) < 4) abort();
    ip_tokenizer_scratch_free(scratch);
    ip_tokenizer_free(tokenizer);
    return 0;
}
