/* PCRE2, 8-bit. UTF mode without UCP: no property table of the library's own is ever asked, since the expressions that
 * come here carry their ranges. */
#include "models/tokenizer_regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdint.h>
#include <stdlib.h>

/* Steps of one search. A megabyte of white space takes some millions; an expression with an exponential case, which a
 * hostile file may bring, is stopped after about a second. */
enum { MATCH_LIMIT = 50000000 };

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
    char *expanded;
    size_t size;
    ip_status status = ip_expression_expand(pattern, n, &expanded, &size, error);
    if (status != IP_OK) return status;
    ip_regex *regex = calloc(1, sizeof *regex);
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    int number = 0;
    PCRE2_SIZE place = 0;
    if (regex && context) {
        /* As in the reference engine: a line ends with \n and nothing else, $ and ^ know lines. */
        pcre2_set_newline(context, PCRE2_NEWLINE_LF);
        regex->code = pcre2_compile((PCRE2_SPTR)expanded, size, PCRE2_UTF | PCRE2_MULTILINE, &number, &place, context);
    }
    pcre2_compile_context_free(context);
    free(expanded);
    if (!regex || !regex->code) {
        PCRE2_UCHAR text[128];
        if (pcre2_get_error_message(number, text, sizeof text) < 0) text[0] = '\0';
        status = number ? ip_fail(error, IP_BAD_INPUT, "regular expression: %s", (char *)text)
                        : ip_fail(error, IP_FAILED, "out of memory");
        free(regex);
        return status;
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
    pcre2_set_match_limit(scratch->context, MATCH_LIMIT);
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

ip_status ip_regex_find(const ip_regex *regex, ip_regex_scratch *scratch, const char *text, size_t begin, size_t from,
                        size_t end, size_t *start, size_t *stop, ip_error *error) {
    PCRE2_SPTR subject = (PCRE2_SPTR)text + begin;
    int got = pcre2_match(regex->code, subject, end - begin, from - begin, PCRE2_NO_UTF_CHECK, scratch->data,
                          scratch->context);
    if (got == PCRE2_ERROR_JIT_STACKLIMIT)
        got = pcre2_match(regex->code, subject, end - begin, from - begin, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT,
                          scratch->data, scratch->context);
    *start = *stop = end;
    if (got == PCRE2_ERROR_NOMATCH) return IP_OK;
    if (got < 0) return ip_fail(error, IP_FAILED, "tokenizer: the splitting expression gave up (PCRE2 error %d)", got);
    const PCRE2_SIZE *place = pcre2_get_ovector_pointer(scratch->data);
    *start = begin + place[0];
    *stop = begin + place[1];
    /* \K inside an assertion can put the start behind the end, or before where the search began. */
    if (*stop < *start || *start < from)
        return ip_fail(error, IP_FAILED, "tokenizer: the splitting expression moves its own start");
    return IP_OK;
}
