/* Errors are values: a status that is also the exit code, and one line for the person at the terminal.
 *
 * Every function that can fail returns ip_status and takes an ip_error *; on failure it has filled the message
 * with one line that names the file, the place in it and what to do. Text that comes from files goes through
 * ip_fail's formatting and is made printable (no control bytes reach a terminal).
 */
#ifndef IP_BASE_STATUS_H
#define IP_BASE_STATUS_H

#include <stddef.h>

typedef enum ip_status {
    IP_OK = 0,
    IP_FAILED = 1,       /* the job failed: disk full, out of memory, non-finite states */
    IP_USAGE = 2,        /* wrong usage: unknown option, impossible combination */
    IP_BAD_INPUT = 3,    /* an input file is wrong */
    IP_INTERRUPTED = 130 /* stopped by a signal or by the caller's cancel callback */
} ip_status;

typedef struct ip_error {
    ip_status status;
    char message[1024];
} ip_error;

#if defined(__GNUC__)
#define IP_PRINTF(a, b) __attribute__((format(printf, a, b)))
#else
#define IP_PRINTF(a, b)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Fills *error (error may be NULL) and returns status. Control bytes and invalid UTF-8 in the result become '?'. */
ip_status ip_fail(ip_error *error, ip_status status, const char *format, ...) IP_PRINTF(3, 4);

/* Makes text safe to print: control bytes (ESC, BEL, newline ...) and bytes that are not UTF-8 become '?'. In place. */
void ip_make_printable(char *text);

#ifdef __cplusplus
}
#endif

#endif
