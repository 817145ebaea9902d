/* Fuzzes tokenizer.json: any bytes as the file, its tokenizer built, and a text taken through it. Ids must be those of the
 * vocabulary; a splitting expression may give up, which is an error and no more. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "models/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *context, const char *line) {
    (void)context;
    (void)line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char text[] =
        "The 12 the <|endoftext|> th\xC3\xA9 \xE2\x96\x81 <s>x</s>  it's\n\n\t\xE4\xB8\x80 \xF0\x9F\x98\x80  e\xCC\x81";
    ip_tokenizer *tokenizer;
    ip_error error;
    if (ip_tokenizer_open_json_memory(&tokenizer, "tokenizer.json", data, size, 0, ignore, NULL, &error) != IP_OK)
        return 0;
    ip_tokenizer_scratch *scratch = ip_tokenizer_scratch_new(tokenizer);
    if (!scratch) abort();
    for (int mode = 0; mode < 4; mode++) {
        ip_ids ids = {0};
        ip_status status = ip_tokenize(tokenizer, scratch, text, sizeof text - 1, mode & 1, mode & 2, &ids, &error);
        for (size_t i = 0; status == IP_OK && i < ids.count; i++)
            if (ids.data[i] < 0 || (size_t)ids.data[i] >= ip_tokenizer_vocabulary(tokenizer)) abort();
        free(ids.data);
    }
    if (strlen(ip_tokenizer_kind(tokenizer)) < 4) abort();
    ip_tokenizer_scratch_free(scratch);
    ip_tokenizer_free(tokenizer);
    return 0;
}
