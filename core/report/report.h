/* The parts of `report`: what was read, the words and numbers of the page, panels to draw in, and one function per
 * figure. A figure is a <section>: what to see, a legend, panels of static SVG, what the number cannot say, its table.
 *
 * Everything is written straight to the page as it is drawn; nothing depends on a time or a locale, so the same inputs
 * give the same bytes. Text from files reaches the page through report_escape or report_escaped alone.
 */
#ifndef IP_CORE_REPORT_H
#define IP_CORE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/number.h"
#include "core/infoplane.h"
#include "models/json.h"

/* ---- what was read (report_read.c) ---- */

typedef enum report_kind {
    REPORT_RUN,
    REPORT_BOUND,
    REPORT_TRAJECTORY,
    REPORT_CORRELATE,
    REPORT_PREFERENCE,
    REPORT_OVERLAP,
    REPORT_KINDS
} report_kind;

typedef struct report_input {
    report_kind kind;
    const char *path; /* as given */
    ip_node *node;    /* the whole document */
    ip_run *run;      /* of REPORT_RUN */
    char *name;       /* what the page calls it, escaped */
} report_input;

enum { REPORT_ROOM = 8 };

typedef struct report {
    FILE *file;
    report_input *inputs; /* runs first, each kind in the order given */
    size_t count, runs;   /* inputs[0 .. runs) are runs */
    unsigned orders;      /* most of any run */
    double log_bins;      /* nats; NaN when the runs have different numbers of bins: then there is no efficiency */
    bool same_depth;      /* all runs have as many layers */
    size_t layers;        /* of the deepest run */
    double *room;         /* REPORT_ROOM numbers for each layer of the deepest run, and its embedding */
} report;

ip_status report_read(report *r, const char *const *paths, size_t count, ip_error *error);
/* One document that is in memory, without the arrays that may stand beside it. */
ip_status report_parse(report *r, const char *path, const void *data, size_t size, ip_error *error);
void report_free(report *r);        /* also after a failure */
void report_write(const report *r); /* the page, to r->file */
/* Whether any input is of that kind. */
bool report_has(const report *r, report_kind kind);
/* A run's means over layers 1..L, as ip_run_mean, with the intervals that its run.json gives them. */
void report_mean(const report *r, size_t run, ip_layer_result *mean, double optimality[IP_MAX_ORDERS]);

/* ---- words and numbers (report_text.c) ---- */

void report_escape(FILE *file, const char *text); /* for HTML text and quoted attributes */
char *report_escaped(const char *text);           /* malloc'ed, NULL when memory is out */

/* The first characters of a text, escaped, with "…" where more follow. */
typedef struct report_short {
    char text[256];
} report_short;
void report_shorten(const char *text, size_t most, report_short *out);

/* A member that is a number, else NaN. */
double report_number(const ip_node *node, const char *key);

/* A number for people: fixed decimals, "–" when it is not finite, exponents where it is very large. */
const char *report_fixed(double x, int decimals, char out[IP_NUMBER_ROOM]);
/* A coordinate of a drawing: one decimal, clamped to what a drawing can hold. */
const char *report_place(double x, char out[IP_NUMBER_ROOM]);
#define FIXED(x, decimals) report_fixed(x, decimals, (char[IP_NUMBER_ROOM]){0})
#define PLACE(x)           report_place(x, (char[IP_NUMBER_ROOM]){0})
#define EXACT(x)           ip_number_text(x, (char[IP_NUMBER_ROOM]){0})

extern const double report_nats_per_bit;
double report_bits(double nats);
const char *report_order_name(unsigned order); /* 1: "tokens", 2: "bigrams" ... */

/* ---- figures' frames and tables (report_page.c, report_table.c) ---- */

/* Opens a section: title, and in one sentence what a reader should see. */
void report_figure_open(const report *r, const char *id, const char *title, const char *see);
/* columns: of panels on a wide screen. */
void report_panels_open(const report *r, unsigned columns);
void report_panels_close(const report *r);
/* What the figure cannot say; then table_open .. table_close may follow, then figure_close. */
void report_figure_limit(const report *r, const char *limit);
void report_figure_close(const report *r);
/* The runs as switches; runs beyond what colours can tell apart are a ramp. */
void report_legend(const report *r);
/* What lines, bands and dashes mean, where a figure has them. */
enum {
    REPORT_KEY_BAND = 1,
    REPORT_KEY_NULL = 2,
    REPORT_KEY_SWAP = 4,
    REPORT_KEY_PERMUTED = 8,
    REPORT_KEY_CROSS = 16,
    REPORT_KEY_BOUND = 32,
    REPORT_KEY_BOOTSTRAP = 64
};
void report_line_key(const report *r, unsigned keys);
/* What the colours f0, f1 ... of lines stand for; with marks, where each has a mark of its own. */
void report_colour_key(const report *r, const char *const *names, unsigned count, bool marks);

void report_table_open(const report *r, const char *caption);
void report_table_close(const report *r);
void report_head_cell(const report *r, const char *text); /* text is ours, not escaped */
void report_cell_nats(const report *r, double nats);      /* shown in bits, exact nats beside in value="" */
void report_cell_small(const report *r, double nats);     /* the same with six decimals */
void report_cell_number(const report *r, double x, int decimals);
void report_cell_whole(const report *r, uint64_t x);
/* A bar in a table, as long as share (0 to 1) says. */
void report_cell_length(const report *r, double share);
void report_cell_run(const report *r, size_t run); /* number and name */

/* ---- series (report_series.c) ---- */

enum { REPORT_DISTINCT = 8 }; /* series that colours and marks can tell apart; more become a ramp */

void report_series_style(const report *r); /* CSS rules of every run */
/* <g> of a run; everything in it is switched by the run's legend. */
void report_series_open(FILE *file, size_t series);
void report_series_close(FILE *file);
/* The mark of a series as SVG path data around 0, 0. */
const char *report_mark(size_t series, size_t count);

/* ---- panels (report_panel.c, report_axis.c) ---- */

typedef struct report_range {
    double low, high; /* low > high: empty */
} report_range;
report_range report_range_empty(void);
void report_range_add(report_range *range, double x);
void report_range_pad(report_range *range); /* room for marks at the borders, but not beyond zero */

typedef enum report_scale { REPORT_LINEAR, REPORT_LOG, REPORT_LOG1P } report_scale;

typedef struct report_axis {
    const char *title; /* ours, not escaped */
    report_scale scale;
    bool whole, tight; /* ticks at whole numbers; both end where the range ends */
    double low, high;  /* data at the ends */
    double step;       /* between ticks, when linear */
    int decimals;      /* of tick labels */
    double from, to;   /* places of the ends */
} report_axis;

/* Ends and ticks around what is to be shown; with zero the axis begins at 0. False: nothing to show. */
bool report_axis_fit(report_axis *axis, report_range range, bool zero, unsigned ticks);
double report_axis_at(const report_axis *axis, double x);
/* The i-th tick's value and label; false behind the last. */
bool report_axis_tick(const report_axis *axis, unsigned i, double *x, char label[IP_NUMBER_ROOM]);

enum { REPORT_TAGS = 128 };

typedef struct report_tag {
    double x, y;
    size_t series;
} report_tag;

typedef struct report_panel {
    FILE *file;
    report_axis x, y;
    double efficiency; /* bits of efficiency 1: a second scale on the right; 0: none */
    report_tag tags[REPORT_TAGS];
    size_t tag_count, series;
} report_panel;

/* Axes are fitted; draws frame, grid, ticks, titles. title and label are ours; label tells the panel to a screen reader. */
void report_panel_open(report_panel *p, FILE *file, const char *title, const char *label);
void report_panel_close(report_panel *p); /* draws the tags, none over another */

void report_line(const report_panel *p, const char *class, const double *x, const double *y, size_t n);
void report_band(const report_panel *p, const double *x, const double *low, const double *high, size_t n);
/* A mark with a text: what is written between open and close is shown on hover. False (and nothing open) when the point
 * is not finite. path NULL: a small dot. */
bool report_point_open(const report_panel *p, const char *class, const char *path, double x, double y);
void report_point_close(const report_panel *p);
void report_bar_open(const report_panel *p, const char *class, double x, double width, double low, double high);
void report_bar_close(const report_panel *p);
void report_cross(const report_panel *p, double x, double x_low, double x_high, double y, double y_low, double y_high);
/* The run's number beside a place. */
void report_tag_add(report_panel *p, double x, double y, size_t series);

/* The curve of a bound that belongs to the runs, in a panel of the information plane. */
void report_bound_in_plane(const report *r, const report_panel *p, unsigned order);

/* ---- figures: what report_figures.def lists ---- */

#define REPORT_FIGURE(id, name, has, draw)                                                                             \
    bool has(const report *r);                                                                                         \
    void draw(const report *r);
#include "core/report/report_figures.def"
#undef REPORT_FIGURE

#endif
