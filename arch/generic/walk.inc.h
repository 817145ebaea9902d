/* The integer products around their tile. The including file defines
 *   ROWS_OF_CODES                   rows per group of activations,
 *   CODE_STEP, ACT_STEP             bytes per input and output of a panel, per input and row of activations,
 *   integer_tile(t, group, has_min) one block of a panel (tile.h) times one group of rows. */

/* Each of the four kinds of weight gets straight code of its own. */
static void integer_tile_32(const int_tile *t) { integer_tile(t, IP_GROUP, false); }
static void integer_tile_32_min(const int_tile *t) { integer_tile(t, IP_GROUP, true); }
static void integer_tile_16(const int_tile *t) { integer_tile(t, IP_GROUP / 2, false); }
static void integer_tile_16_min(const int_tile *t) { integer_tile(t, IP_GROUP / 2, true); }

typedef struct walk_job {
    float *c;
    size_t ldc, panel;
    const ip_matrix *w;
    const ip_act *a;
    void (*run)(const int_tile *t);
} walk_job;

IP_INLINE void walk_integers(const void *context, size_t j, size_t k, size_t count, size_t r) {
    const walk_job *job = context;
    const ip_matrix *w = job->w;
    const ip_act *a = job->a;
    const size_t rows = ROWS_OF_CODES, p = job->panel + j;
    const size_t groups = w->kp / w->group, groups32 = w->kp / IP_GROUP, g = k / w->group, g32 = k / IP_GROUP;
    const int_tile t = {
        .c = job->c + r * rows * job->ldc + j * IP_LANES,
        .ldc = job->ldc,
        .groups = count / w->group,
        .first = k == 0,
        .codes = w->codes + p * w->panel_bytes + k * IP_LANES * CODE_STEP,
        .x = a->codes + r * a->group_bytes + k * rows * ACT_STEP,
        .panel = w->codes + p * w->panel_bytes,
        .k = k,
        .wscale = w->scale + (p * groups + g) * IP_LANES,
        .wmin = w->has_min ? w->min + (p * groups + g) * IP_LANES : NULL,
        .xscale = a->scale + (r * groups32 + g32) * rows,
        .xsum = (w->group == IP_GROUP ? a->sum32 : a->sum16) + (r * groups + g) * rows,
        .extra = a->extra + (r * groups32 + g32) * 3 * rows,
    };
    job->run(&t);
}

static void walk(float *c, size_t ldc, const ip_matrix *w, size_t panel, size_t panels, const ip_act *a) {
    walk_job job = {.c = c, .ldc = ldc, .panel = panel, .w = w, .a = a};
    if (w->group == IP_GROUP) {
        job.run = w->has_min ? integer_tile_32_min : integer_tile_32;
    } else {
        job.run = w->has_min ? integer_tile_16_min : integer_tile_16;
    }
    const walk_operands operands = walk_over(w, panel, panels, a, w->kp, CODE_STEP, ACT_STEP);
    walk_blocks(&operands, walk_integers, &job);
}
