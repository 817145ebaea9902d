/* PCRE2, 8-bit. UTF mode without UCP: no property table of the library's own is ever asked, since the expressions that
 * come here carry their ranges. */
#include "models/tokenizer_regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdint.h>
#include <stdlib.h>

struct ip_regex {
    pcre2_code *code;
};

struct ip_regex_scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

ip_status ip_regex_compile(ip_regex **out, const char *pattern, size_t n, ip_error *error) {
    *out = NULL;
    ip_regex *regex = malloc(sizeof *regex);
    if (!regex) return ip_fail(error, IP_FAILED, "tokenizer: out of memory");
    int number;
    PCRE2_SIZE place;
    regex->code = pcre2_compile((PCRE2_SPTR)pattern, n, PCRE2_UTF, &number, &place, NULL);
    if (!regex->code) {
        PCRE2_UCHAR text[128];
        if (pcre2_get_error_message(number, text, sizeof text) < 0) text[0] = '\0';
        free(regex);
        return ip_fail(error, IP_BAD_INPUT, "tokenizer: splitting expression, byte %zu: %s", (size_t)place,
                       (char *)text);
    }
    /* Where the library has no JIT for this machine the interpreter gives the same matches. */
    (void)pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
    *out = regex;
    return IP_OK;
}

void ip_regex_free(ip_regex *regex) {
    if (!regex) return;
    pcre2_code_free(regex->code);
    free(regex);
}

ip_regex_scratch *ip_regex_scratch_new(void) {
    ip_regex_scratch *scratch = calloc(1, sizeof *scratch);
    if (!scratch) return NULL;
    scratch->data = pcre2_match_data_create(1, NULL);
    scratch->context = pcre2_match_context_create(NULL);
    scratch->stack = pcre2_jit_stack_create((size_t)32 << 10, (size_t)1 << 20, NULL);
    if (!scratch->data || !scratch->context) {
        ip_regex_scratch_free(scratch);
        return NULL;
    }
    /* One step of the engine per character of a long run is fine: these expressions have no exponential case. */
    pcre2_set_match_limit(scratch->context, UINT32_MAX);
    if (scratch->stack) pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
    return scratch;
}

void ip_regex_scratch_free(ip_regex_scratch *scratch) {
    if (!scratch) return;
    pcre2_match_data_free(scratch->data);
    pcre2_match_context_free(scratch->context);
    pcre2_jit_stack_free(scratch->stack);
    free(scratch);
}

ip_status ip_regex_find(const ip_regex *regex, ip_regex_scratch *scratch, const char *text, size_t from, size_t end,
                        size_t *start, size_t *stop, ip_error *error) {
    /* The subject begins at from: nothing looks behind, and the offsets stay small. */
    PCRE2_SPTR subject = (PCRE2_SPTR)text + from;
    int got = pcre2_match(regex->code, subject, end - from, 0, PCRE2_NO_UTF_CHECK, scratch->data, scratch->context);
    if (got == PCRE2_ERROR_JIT_STACKLIMIT)
        got = pcre2_match(regex->code, subject, end - from, 0, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, scratch->data,
                          scratch->context);
    *start = *stop = end;
    if (got == PCRE2_ERROR_NOMATCH) return IP_OK;
    if (got < 0) return ip_fail(error, IP_FAILED, "tokenizer: the splitting expression gave up (PCRE2 error %d)", got);
    const PCRE2_SIZE *place = pcre2_get_ovector_pointer(scratch->data);
    *start = from + place[0];
    *stop = from + place[1];
    return IP_OK;
}
