/* Numbers as text, the same in every locale. */
#ifndef IP_BASE_NUMBER_H
#define IP_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

enum { IP_NUMBER_ROOM = 32 };

/* 17 significant digits, which give the double back; "null" when it is not finite. Returns out. */
const char *ip_number_text(double x, char out[IP_NUMBER_ROOM]);

/* A decimal number such as "-1.5e3", blanks around it allowed, and nothing else: no hexadecimal, "inf" or "nan". False
 * when text is none, or one too large for a double. */
bool ip_number_parse(const char *text, double *out);

/* For people: that many decimals (0 to 9), with an exponent from 1e15 on; "null" when it is not finite. Returns out. */
const char *ip_number_fixed(double x, int decimals, char out[IP_NUMBER_ROOM]);

#endif
