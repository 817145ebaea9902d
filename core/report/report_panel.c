/* A panel: one drawing with two axes, static SVG.
 *
 *      title                          16
 *      y title            efficiency  34
 *   54 +--------------------------+ 48
 *      |                          |      right: 22 for the runs' numbers, 48 with a second scale
 *      +--------------------------+ 290
 *               tick labels         306
 *               x title             326
 */
#include <math.h>
#include <stdlib.h>

#include "core/report/report.h"

enum { WIDTH = 480, HEIGHT = 336, LEFT = 54, TOP = 50, BOTTOM = 290, RIGHT = 452, RIGHT_OF_TWO = 424 };

static double right_of(const report_panel *p) { return p->efficiency > 0.0 ? RIGHT_OF_TWO : RIGHT; }

static void draw_x_axis(const report_panel *p) {
    double x;
    char label[IP_NUMBER_ROOM];
    for (unsigned i = 0; i < 40 && report_axis_tick(&p->x, i, &x, label); i++) {
        double at = report_axis_at(&p->x, x);
        fprintf(p->file, "<path class=\"g\" d=\"M%s %dV%d\"/><text class=\"tx\" x=\"%s\" y=\"%d\">%s</text>\n",
                PLACE(at), TOP, BOTTOM, PLACE(at), BOTTOM + 16, label);
    }
    fprintf(p->file, "<text class=\"ax\" x=\"%s\" y=\"%d\">%s</text>\n", PLACE((LEFT + right_of(p)) / 2.0), BOTTOM + 36,
            p->x.title);
}

static void draw_y_axis(const report_panel *p) {
    double y;
    char label[IP_NUMBER_ROOM];
    for (unsigned i = 0; i < 40 && report_axis_tick(&p->y, i, &y, label); i++) {
        double at = report_axis_at(&p->y, y);
        fprintf(p->file, "<path class=\"g\" d=\"M%d %sH%s\"/><text class=\"ty\" x=\"%d\" y=\"%s\">%s</text>\n", LEFT,
                PLACE(at), PLACE(right_of(p)), LEFT - 6, PLACE(at + 4.0), label);
    }
    fprintf(p->file, "<text class=\"ay\" x=\"%d\" y=\"36\">%s</text>\n", 4, p->y.title);
}

/* The same scale as a share of log2(bins), on the right; ticks of its own, so that they are round there too. */
static void draw_efficiency(const report_panel *p) {
    report_axis share = p->y;
    share.scale = REPORT_LINEAR;
    report_range range = {p->y.low / p->efficiency, p->y.high / p->efficiency};
    if (!report_axis_fit(&share, range, false, 5)) return;
    double y;
    char label[IP_NUMBER_ROOM];
    for (unsigned i = 0; i < 40 && report_axis_tick(&share, i, &y, label); i++) {
        double at = report_axis_at(&p->y, y * p->efficiency);
        if (at > BOTTOM + 0.5 || at < TOP - 0.5) continue;
        fprintf(p->file, "<path class=\"e\" d=\"M%d %sh4\"/><text class=\"te\" x=\"%d\" y=\"%s\">%s</text>\n",
                RIGHT_OF_TWO, PLACE(at), RIGHT_OF_TWO + 7, PLACE(at + 4.0), label);
    }
    fprintf(p->file, "<text class=\"ae\" x=\"%d\" y=\"36\">efficiency</text>\n", WIDTH - 2);
}

void report_panel_open(report_panel *p, FILE *file, const char *title, const char *label) {
    p->file = file;
    p->tag_count = 0;
    p->x.from = LEFT;
    p->x.to = right_of(p);
    p->y.from = BOTTOM;
    p->y.to = TOP;
    fprintf(file, "<svg class=\"panel\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n", WIDTH, HEIGHT, label);
    fprintf(file, "<text class=\"pt\" x=\"4\" y=\"16\">%s</text>\n", title);
    draw_x_axis(p);
    draw_y_axis(p);
    if (p->efficiency > 0.0) draw_efficiency(p);
    fprintf(file, "<path class=\"f\" d=\"M%d %dV%dH%s\"/>\n", LEFT, TOP, BOTTOM, PLACE(right_of(p)));
}

/* ---- tags ---- */

static int by_height(const void *a, const void *b) {
    const report_tag *s = a, *t = b;
    if (s->y != t->y) return s->y < t->y ? -1 : 1;
    return s->series < t->series ? -1 : s->series > t->series;
}

void report_tag_add(report_panel *p, double x, double y, size_t series) {
    if (!isfinite(x) || !isfinite(y) || p->tag_count == REPORT_TAGS) return;
    p->tags[p->tag_count++] = (report_tag){report_axis_at(&p->x, x), report_axis_at(&p->y, y), series};
}

enum { TAG_HEIGHT = 13 };

/* Tags near each other at the same height move apart: downwards in order, then back up from the bottom. */
static void spread(report_tag *tags, size_t n) {
    for (size_t i = 1; i < n; i++)
        if (tags[i].y < tags[i - 1].y + TAG_HEIGHT) tags[i].y = tags[i - 1].y + TAG_HEIGHT;
    if (n > 0 && tags[n - 1].y > BOTTOM) tags[n - 1].y = BOTTOM;
    for (size_t i = n; i-- > 1;)
        if (tags[i - 1].y > tags[i].y - TAG_HEIGHT) tags[i - 1].y = tags[i].y - TAG_HEIGHT;
}

static bool overlaps(const report_tag *a, const report_tag *b) {
    return fabs(a->x - b->x) < 18.0 && fabs(a->y - b->y) < TAG_HEIGHT - 1.0;
}

static void draw_tag(const report_panel *p, const report_tag *t) {
    fprintf(p->file, "<text class=\"tag s s%zu\" x=\"%s\" y=\"%s\">%zu</text>\n", t->series, PLACE(t->x + 7.0),
            PLACE(t->y + 4.0), t->series + 1);
}

void report_panel_close(report_panel *p) {
    bool column = true; /* all at one x: the ends of lines */
    for (size_t i = 1; i < p->tag_count; i++) column = column && p->tags[i].x == p->tags[0].x;
    if (column && p->tag_count <= REPORT_DISTINCT) {
        qsort(p->tags, p->tag_count, sizeof *p->tags, by_height);
        spread(p->tags, p->tag_count);
        for (size_t i = 0; i < p->tag_count; i++) draw_tag(p, &p->tags[i]);
    } else {
        /* Too many to move: the first and the last, then whichever fits between those already there. */
        size_t drawn[REPORT_TAGS], count = 0;
        for (size_t i = 0; i < p->tag_count; i++) {
            size_t at = i == 0 ? 0 : i == 1 ? p->tag_count - 1 : i - 1;
            bool free_place = true;
            for (size_t j = 0; j < count; j++) free_place = free_place && !overlaps(&p->tags[at], &p->tags[drawn[j]]);
            if (!free_place) continue;
            drawn[count++] = at;
            draw_tag(p, &p->tags[at]);
        }
    }
    fputs("</svg>\n", p->file);
}

/* ---- what is drawn ---- */

void report_line(const report_panel *p, const char *class, const double *x, const double *y, size_t n) {
    bool open = false, any = false;
    for (size_t i = 0; i < n; i++) {
        bool there = isfinite(x[i]) && isfinite(y[i]);
        if (there && !any) fprintf(p->file, "<path class=\"%s\" d=\"", class);
        if (there)
            fprintf(p->file, "%s%s %s", open ? "L" : "M", PLACE(report_axis_at(&p->x, x[i])),
                    PLACE(report_axis_at(&p->y, y[i])));
        open = there;
        any = any || there;
    }
    if (any) fputs("\"/>\n", p->file);
}

void report_band(const report_panel *p, const double *x, const double *low, const double *high, size_t n) {
    /* Each stretch without gaps is a closed shape: along the low ends, back along the high ones. */
    for (size_t from = 0; from < n;) {
        size_t to = from;
        while (to < n && isfinite(low[to]) && isfinite(high[to])) to++;
        if (to > from) {
            fputs("<path class=\"b\" d=\"", p->file);
            for (size_t i = from; i < to; i++)
                fprintf(p->file, "%s%s %s", i == from ? "M" : "L", PLACE(report_axis_at(&p->x, x[i])),
                        PLACE(report_axis_at(&p->y, low[i])));
            for (size_t i = to; i-- > from;)
                fprintf(p->file, "L%s %s", PLACE(report_axis_at(&p->x, x[i])), PLACE(report_axis_at(&p->y, high[i])));
            fputs("Z\"/>\n", p->file);
        }
        from = to + 1;
    }
}

bool report_point_open(const report_panel *p, const char *class, const char *path, double x, double y) {
    if (!isfinite(x) || !isfinite(y)) return false;
    const char *at_x = PLACE(report_axis_at(&p->x, x)), *at_y = PLACE(report_axis_at(&p->y, y));
    if (path) {
        fprintf(p->file, "<path class=\"%s\" d=\"%s\" transform=\"translate(%s %s)\"><title>", class, path, at_x, at_y);
    } else {
        fprintf(p->file, "<path class=\"%s\" d=\"M%s %sh0\"><title>", class, at_x, at_y);
    }
    return true;
}

void report_point_close(const report_panel *p) { fputs("</title></path>\n", p->file); }

void report_bar_open(const report_panel *p, const char *class, double x, double width, double low, double high) {
    double left = report_axis_at(&p->x, x - width / 2.0), right = report_axis_at(&p->x, x + width / 2.0);
    double bottom = report_axis_at(&p->y, low), top = report_axis_at(&p->y, high);
    fprintf(p->file, "<path class=\"%s\" d=\"M%s %sV%sH%sV%sZ\"><title>", class, PLACE(left), PLACE(bottom), PLACE(top),
            PLACE(right), PLACE(bottom));
}

void report_bar_close(const report_panel *p) { fputs("</title></path>\n", p->file); }

void report_cross(const report_panel *p, double x, double x_low, double x_high, double y, double y_low, double y_high) {
    double at_x = report_axis_at(&p->x, x), at_y = report_axis_at(&p->y, y);
    if (isfinite(x_low) && isfinite(x_high) && isfinite(y))
        fprintf(p->file, "<path class=\"i\" d=\"M%s %sH%s\"/>\n", PLACE(report_axis_at(&p->x, x_low)), PLACE(at_y),
                PLACE(report_axis_at(&p->x, x_high)));
    if (isfinite(y_low) && isfinite(y_high) && isfinite(x))
        fprintf(p->file, "<path class=\"i\" d=\"M%s %sV%s\"/>\n", PLACE(at_x), PLACE(report_axis_at(&p->y, y_low)),
                PLACE(report_axis_at(&p->y, y_high)));
}
