/* The page around the figures, and the two files that stand in it (made into C by the build). */
#ifndef IP_CORE_REPORT_PAGE_H
#define IP_CORE_REPORT_PAGE_H

#include "core/report/report.h"

extern const unsigned char ip_report_css[], ip_report_js[];
extern const size_t ip_report_css_size, ip_report_js_size;

void report_page_open(const report *r);  /* up to <main> */
void report_page_close(const report *r); /* provenance, script, the end */

#endif
