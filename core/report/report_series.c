/* Series: a colour for light pages, one for dark pages, and a mark for each run. Few runs take colours that differ in
 * hue and lightness and stay apart for colour-blind readers; many runs (checkpoints) are a ramp in the order given. */
#include "core/report/report.h"

typedef struct colour {
    unsigned char r, g, b;
} colour;

static const colour light[REPORT_DISTINCT] = {{0x00, 0x5f, 0xb8}, {0xc8, 0x4a, 0x00}, {0x00, 0x80, 0x66},
                                              {0xa0, 0x2c, 0x83}, {0x8a, 0x6d, 0x00}, {0x2b, 0x2b, 0x80},
                                              {0x6a, 0x6a, 0x6a}, {0x3c, 0x9b, 0xd8}};
static const colour dark[REPORT_DISTINCT] = {{0x58, 0xa9, 0xf2}, {0xff, 0x8b, 0x4a}, {0x3f, 0xc8, 0xa4},
                                             {0xe4, 0x8c, 0xca}, {0xdd, 0xbd, 0x3f}, {0xa3, 0xa0, 0xff},
                                             {0xad, 0xad, 0xad}, {0x9a, 0xdb, 0xff}};

/* Even steps in lightness from dark violet over blue and green to ochre (light pages) or pale yellow (dark pages). */
static const colour light_ramp[] = {{0x3b, 0x0f, 0x5c}, {0x3a, 0x3f, 0x8a}, {0x2a, 0x6a, 0x92},
                                    {0x1d, 0x8f, 0x86}, {0x4f, 0xa3, 0x4a}, {0xb0, 0x9a, 0x12}};
static const colour dark_ramp[] = {{0x8b, 0x62, 0xc9}, {0x70, 0x83, 0xd8}, {0x4f, 0xa4, 0xcf},
                                   {0x4c, 0xc3, 0xab}, {0x9d, 0xd8, 0x6a}, {0xf6, 0xe6, 0x6a}};
enum { STOPS = sizeof light_ramp / sizeof *light_ramp, STEPS = 16 /* colours of a trajectory */ };

static unsigned char mixed(unsigned a, unsigned b, double t) { return (unsigned char)(a + (b - (double)a) * t + 0.5); }

static colour on_ramp(const colour *ramp, size_t i, size_t count) {
    double place = count > 1 ? (double)i / (double)(count - 1) * (STOPS - 1) : 0.0;
    size_t stop = (size_t)place;
    if (stop > STOPS - 2) stop = STOPS - 2;
    double t = place - (double)stop;
    const colour *a = &ramp[stop], *b = &ramp[stop + 1];
    return (colour){mixed(a->r, b->r, t), mixed(a->g, b->g, t), mixed(a->b, b->b, t)};
}

static void rules(const report *r, const char *before, const colour *few, const colour *ramp) {
    for (size_t i = 0; i < r->runs; i++) {
        colour c = r->runs <= REPORT_DISTINCT ? few[i] : on_ramp(ramp, i, r->runs);
        fprintf(r->file, "%s.s%zu{--c:#%02x%02x%02x}\n", before, i, c.r, c.g, c.b);
    }
    for (size_t i = 0; i < STEPS; i++) {
        colour c = on_ramp(ramp, i, STEPS);
        fprintf(r->file, "%s.r%zu{--c:#%02x%02x%02x}\n", before, i, c.r, c.g, c.b);
    }
    for (size_t i = 0; i < REPORT_DISTINCT; i++)
        fprintf(r->file, "%s.f%zu{--c:#%02x%02x%02x}\n", before, i, few[i].r, few[i].g, few[i].b);
}

void report_series_style(const report *r) {
    rules(r, "", light, light_ramp);
    fputs("@media screen and (prefers-color-scheme:dark){\n", r->file);
    rules(r, ":root:not(:has(#theme-light:checked)) ", dark, dark_ramp);
    fputs("}\n@media screen{\n", r->file);
    rules(r, ":root:has(#theme-dark:checked) ", dark, dark_ramp);
    fputs("}\n", r->file);
    for (size_t i = 0; i < r->runs; i++)
        fprintf(r->file,
                ":root:has(#k%zu:not(:checked)) .s%zu{display:none}"
                ":root:has(#k%zu:not(:checked)) label[for=k%zu]{display:inline-flex;opacity:.45;"
                "text-decoration:line-through}\n",
                i, i, i, i);
    for (size_t i = 0; i < REPORT_DISTINCT; i++)
        fprintf(r->file, ".fig:has(.fam%zu:not(:checked)) .panel .f%zu{display:none}\n", i, i);
}

void report_series_open(FILE *file, size_t series) { fprintf(file, "<g class=\"s s%zu\">\n", series); }
void report_series_close(FILE *file) { fputs("</g>\n", file); }

const char *report_mark(size_t series, size_t count) {
    static const char *const marks[] = {
        "M5 0A5 5 0 1 1 -5 0A5 5 0 1 1 5 0Z",                           /* circle */
        "M-4.5 -4.5H4.5V4.5H-4.5Z",                                     /* square */
        "M0 -6L5.6 4.2H-5.6Z",                                          /* triangle */
        "M0 -6.2L6.2 0L0 6.2L-6.2 0Z",                                  /* diamond */
        "M0 6L5.6 -4.2H-5.6Z",                                          /* triangle down */
        "M-1.8 -5.5H1.8V-1.8H5.5V1.8H1.8V5.5H-1.8V1.8H-5.5V-1.8H-1.8Z", /* plus */
        "M0 -6L5.7 -1.9L3.5 4.9H-3.5L-5.7 -1.9Z",                       /* pentagon */
        "M-6 -3.5H6V3.5H-6Z",                                           /* bar */
    };
    return count <= REPORT_DISTINCT ? marks[series % REPORT_DISTINCT] : marks[0];
}
