/* Hand-written scanners for the splitting rules that most models have. */
#ifndef IP_MODELS_TOKENIZER_SCAN_H
#define IP_MODELS_TOKENIZER_SCAN_H

#include <stddef.h>

typedef enum ip_quick {
    IP_QUICK_NONE,
    IP_QUICK_GPT2,
    IP_QUICK_GPT2_DIGITS,
    IP_QUICK_LLAMA3,
    IP_QUICK_QWEN2,
    IP_QUICK_TEKKEN,
    IP_QUICK_O200K,
} ip_quick;

/* Classes of all code points, malloc'ed; NULL: out of memory. */
unsigned char *ip_scan_classes(void);

/* End of the piece that begins at `at` < end in well-formed UTF-8. quick is not IP_QUICK_NONE. */
size_t ip_scan(ip_quick quick, const unsigned char *classes, const char *text, size_t at, size_t end);

#endif
