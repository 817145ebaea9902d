/* What a run will hold in memory, and what goes to scratch files so that it stays under the bound. */
#ifndef IP_CORE_BUDGET_H
#define IP_CORE_BUDGET_H

#include "core/forward/tiles.h"
#include "core/input/session.h"

typedef struct ip_budget {
    uint64_t held;         /* anonymous memory of the process already: program, model's tables, tokens */
    uint64_t counting;     /* label sets while they are made, before the forward pass */
    uint64_t fixed;        /* buffers that cannot spill: labels, packed layer, threads' work, head, losses */
    uint64_t soft, hidden; /* soft assignments of a layer, hidden states of the corpus: these can */
    bool ahead;            /* there is memory for two packed layers: the next one is packed while one runs */
    bool soft_spilled;
    uint64_t resident_rows; /* hidden states kept in memory, a tile's border */
    uint64_t least, peak;   /* anonymous bytes with everything spilled, and as decided */
    uint64_t scratch;       /* bytes of scratch files */
    uint64_t slack;         /* of least and peak: left free for what is not counted, and mostly not taken */
} ip_budget;

/* estimates: the run assigns positions to settings' bins; head: it computes the loss or the lens. IP_FAILED when even with everything
 * spilled the bound is too small: the message says what is needed. */
ip_status ip_budget_make(ip_budget *out, const ip_session *session, const ip_tiling *tiling, bool estimates,
                         size_t bins, bool head, ip_error *error);

/* The same for a run that assigns `positions` positions of its own choice; label_bytes: what it holds beside them. */
ip_status ip_budget_make_labelled(ip_budget *out, const ip_session *session, const ip_tiling *tiling,
                                  uint64_t positions, size_t bins, uint64_t label_bytes, ip_error *error);

/* The folder for scratch files: --scratch, else fallback, else $TMPDIR, else /tmp. */
const char *ip_scratch_folder(const ip_settings *settings, const char *fallback);

#endif
