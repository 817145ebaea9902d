/* infoplane: how a language model compresses what it reads.
 *
 * The one public header of the engine; the command line uses nothing else. All information is in nats, all sizes in
 * bytes. Every function is safe to call from several threads on different objects; there is no global state. Strings
 * passed in are only borrowed for the call; objects handed out are freed by the function named beside them.
 */
#ifndef INFOPLANE_H
#define INFOPLANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/ranks.h"
#include "core/base/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define INFOPLANE_VERSION "0.1.0"

enum { IP_MAX_ORDERS = 4, IP_MAX_GROUPS = 1024, IP_TOP_MOST = 1000 };

/* ---- what the engine tells while it works ---- */

typedef struct ip_progress {
    const char *stage;     /* "tokens", "forward", "loss" ... */
    double done, all;      /* in units; all is 0 when unknown */
    const char *unit;      /* "tokens", "MB" */
    const char *step_name; /* "layer", "block": what a stage with steps goes through, each of `all` units */
    unsigned step, steps;  /* the one at hand and the last one, from 0; 0 0 when the stage has no steps */
} ip_progress;

/* Called from worker threads, one at a time. Any pointer may be NULL. */
typedef struct ip_host {
    void *context;
    void (*progress)(void *context, const ip_progress *progress);
    void (*warn)(void *context, const char *line); /* one printable line */
    bool (*cancelled)(void *context);              /* true: stop with IP_INTERRUPTED */
    ip_ranks *ranks;                               /* of ip_ranks_join; NULL: the process is alone */
} ip_host;

/* A `cancelled` for hosts whose callbacks are dear (an interpreter behind a lock): context points at an int that is set
 * to other than 0 when to stop. */
bool ip_cancelled_by_flag(void *context);

/* ---- arrays in memory, where else a .npy file would be named ---- */

/* In this machine's byte order, only borrowed for the call. */
typedef struct ip_array {
    const char *name; /* for error lines and reports; NULL: "array" */
    const void *data; /* elements without gaps, aligned or not */
    char kind;        /* 'f', 'i' or 'u' */
    unsigned size;    /* bytes per element: f 2 4 8, i and u 1 2 4 8 */
    bool fortran;     /* first dimension fastest */
    unsigned dims;    /* 0 .. 4 */
    uint64_t shape[4];
} ip_array;

/* ---- settings: defaults from ip_settings_default ---- */

/* Tokens that stay for the next analysis with the same settings->tokens: a series of models over one text tokenizes it
 * once, as long as files, their cutting and the tokenizer are the same. Used by one analysis at a time. */
typedef struct ip_tokens ip_tokens;
ip_tokens *ip_tokens_new(void); /* NULL: out of memory */
void ip_tokens_free(ip_tokens *tokens);

typedef struct ip_settings {
    /* corpus */
    uint64_t documents;              /* at most; 0: all */
    uint64_t max_tokens;             /* tokens per document, special ones included; 0: not cut. 512 */
    const char *split;               /* chunk */
    const char *text_field;          /* NULL: found */
    const char *format;              /* NULL: by name */
    const char *offsets;             /* NULL */
    bool add_special, parse_special; /* both true */
    const ip_array *ids;     /* token ids in memory, int32 or int64, as a .npy holds them, after the files; NULL */
    const ip_array *borders; /* of their documents, when ids has one dimension; NULL: one document */
    /* estimates */
    unsigned orders;         /* 1 .. IP_MAX_ORDERS. 3 */
    bool backoff;            /* labels: false exact */
    uint32_t min_count;      /* 2 */
    bool count_at_positions; /* false: over the corpus */
    const char *estimator;   /* soft, hard, binning, kmeans, matrix. soft */
    uint64_t bins;           /* anchors, clusters, or bins per dimension (binning). 100 */
    uint64_t seed;           /* 0 */
    const char *anchors;     /* .npy or NULL */
    const char *calibration; /* vmf-bound */
    unsigned null;           /* permutations of the labels; 0: no null. 4 */
    unsigned groups;         /* jackknife groups over documents; 0: no bias, no interval */
    unsigned bootstrap;      /* resamples of the documents; 0: none */
    unsigned top;            /* n-grams listed per order and side, at most IP_TOP_MOST; 0: none */
    unsigned shard, shards;  /* ip_analyze_shard: part shard of 1 .. shards */
    bool bound;              /* analyze: the bound of the corpus and each layer's distance to it */
    const char
        *bound_betas; /* "1.01:100:40" (first, last, how many; even steps of log(beta - 1)) or "2,5,20"; NULL: that */
    const char *bound_effort; /* low, normal, high. normal */
    bool loss;
    bool lens;        /* the head at every layer: one more product with the vocabulary per layer */
    int64_t loss_end; /* id of the token that ends a document, or -1 */
    /* preference */
    const char *positions; /* completion */
    bool chat;             /* dialogues through the model's chat template */
    /* machine */
    const char *compute;    /* auto */
    const char *weights;    /* type that matrices are requantised to on load; NULL: as stored */
    const char *isa;        /* NULL: best */
    unsigned threads;       /* 0: processors this process may use, of the kind below */
    const char *cores;      /* "big" or "little": threads on cores of this kind only (infoplane cpu tells); NULL: all */
    uint64_t memory;        /* bound on anonymous resident memory; 0: half of what is free */
    const char *scratch;    /* folder or NULL */
    const char *checkpoint; /* folder where a state is kept for going on after a kill, and looked for; NULL: none */
    uint64_t checkpoint_seconds; /* how often. 60; 0: after each layer */
    /* names */
    const char *family, *name; /* NULL: from the file */
    const char *tokenizer;     /* a tokenizer.json, or its folder, instead of the model's; NULL: the model's */
    ip_tokens *tokens;         /* where tokens are kept and looked for (analyze); NULL: nowhere */
} ip_settings;

void ip_settings_default(ip_settings *settings);
/* What the program takes for bins when --bins is not given. */
uint64_t ip_estimator_default_bins(const char *estimator);

/* ---- analyze ---- */

/* A plug-in figure with its null and its interval, nats; NaN where not computed (no permutations, no groups, a single
 * document). Jackknife over document groups: corrected = I - bias, low .. high = corrected -+ t(0.975, G-1) se. */
typedef struct ip_estimate {
    double I;    /* I(V;Z) */
    double null; /* mean of I with permuted labels */
    double bias, corrected, se, low, high;
    double boot_low, boot_high; /* 95 % percentile interval of the bootstrap over documents */
    uint64_t distinct;          /* labels */
} ip_estimate;

typedef struct ip_layer_result {
    double H, context;     /* H(Z), I(C;Z) */
    double effective_rank; /* exp H of the estimator matrix; NaN of the others */
    ip_estimate x[IP_MAX_ORDERS], y[IP_MAX_ORDERS];
    double lens,
        lens_entropy; /* logit lens: -log p of the next token, entropy of the prediction; mean nats per token */
} ip_layer_result;

typedef struct ip_loss_result {
    double nats_per_token;
    uint64_t tokens;
} ip_loss_result;

typedef struct ip_stage_time {
    const char *name;
    double seconds;
} ip_stage_time;

typedef struct ip_file_name {
    char *path;
    char fingerprint[33]; /* XXH3-128 */
} ip_file_name;

/* An n-gram that carries much of I: n_v/N KL(P_v || P_Z), mean over layers 1..L; those of all n-grams add up to the mean I.
 * With back-off it may be shorter than its order. */
typedef struct ip_top_ngram {
    int32_t ids[IP_MAX_ORDERS];
    unsigned length;
    uint64_t count; /* positions */
    double nats;
    char *text; /* UTF-8; bytes that are none are U+FFFD; empty when there is no tokenizer */
} ip_top_ngram;

typedef struct ip_top_list_of {
    ip_top_ngram *rows; /* largest first */
    size_t count;
} ip_top_list_of;

typedef struct ip_bound_curve ip_bound_curve; /* see bound, below */

/* The result of an analysis. Freed by ip_run_free. */
typedef struct ip_run {
    /* model */
    char *model_path, *model_name, *family;
    char *weights,
        *weights_stored; /* types by share, "Q4_1, Q8_0, F32": as they were read, as they stand in the file */
    char model_fingerprint[33];
    uint64_t parameters, layers, width, vocabulary;
    /* corpus */
    ip_file_name *files;
    size_t file_count;
    uint64_t documents, tokens, positions, max_tokens, replaced;
    char text_fingerprint[33], ids_fingerprint[33];
    /* estimator */
    const char *estimator;
    uint64_t bins, seed;
    char anchors_fingerprint[33]; /* empty: drawn from the seed */
    const char *calibration;      /* of soft; else empty, and temperature NaN */
    double temperature;
    unsigned orders;
    bool backoff, count_at_positions;
    uint32_t min_count;
    unsigned null, bootstrap; /* permutations, resamples of the documents */
    unsigned groups;          /* jackknife groups in use: at most as many as documents; 0: none */
    /* results */
    ip_layer_result *layer; /* layers + 1 of them; NULL when nothing was estimated */
    /* [layers + 1][ip_run_quantities][groups]: each figure computed without group g (documents g, g + G, ...): H,
     * context, I of X orders 1..K, I of Y orders 1..K; NULL when groups is 0. What paired comparisons need. */
    double *without;
    /* [layers + 1][ip_run_quantities][bootstrap]: the same figures of each resample of the documents, NaN where it holds no
     * counted position; NULL when bootstrap is 0. Draws depend on seed and number of documents alone, so those of two
     * runs pair. */
    double *resampled;
    ip_bound_curve *bound[IP_MAX_ORDERS]; /* with settings.bound, per order, of the counted positions; else NULL */
    unsigned top;                         /* asked for; 0: top_x and top_y are empty */
    ip_top_list_of top_x[IP_MAX_ORDERS], top_y[IP_MAX_ORDERS];
    bool has_loss, has_end, has_lens;
    ip_loss_result loss, loss_end;
    float *token_loss; /* loss.tokens of them: -log p of tokens 1 .. n-1 of every document */
    /* [documents + 1]: where a document's losses begin in token_loss; NULL when not known */
    uint64_t *loss_offsets;
    /* machine */
    char isa[64], compute[32];
    unsigned threads;
    unsigned ranks;       /* processes that did it together; threads, memory and times are those of the first */
    uint64_t memory;      /* the bound */
    uint64_t peak_memory; /* highest anonymous resident memory seen */
    double seconds;
    char started[32]; /* UTC, ISO 8601 */
    ip_stage_time stages[8];
    size_t stage_count;
} ip_run;

/* Runs model over corpora (files, or "-"). scratch_default: folder for scratch files when settings name none, or NULL. */
ip_status ip_analyze(ip_run **out, const char *model, const char *const *corpora, size_t corpus_count,
                     const ip_settings *settings, const char *scratch_default, const ip_host *host, ip_error *error);
void ip_run_free(ip_run *run);

/* Shards: the forward pass of a part of the documents into a state file in folder (*path, freed by free), and all parts
 * of a run put together: the run that ip_analyze would have given, to the bit. settings of the merge: threads, isa, memory,
 * scratch; what is estimated stands in the states. A part that is missing, there twice or of another run is
 * IP_BAD_INPUT by its name. */
ip_status ip_analyze_shard(char **path, const char *model, const char *const *corpora, size_t corpus_count,
                           const char *folder, const ip_settings *settings, const ip_host *host, ip_error *error);
ip_status ip_merge(ip_run **out, const char *const *states, size_t count, const ip_settings *settings,
                   const char *scratch_default, const ip_host *host, ip_error *error);

/* Quantities of a row of `without`: 2 + 2 orders. Their names in groups.npy and run.json: "H", "context", "X1" ... */
unsigned ip_run_quantities(const ip_run *run);
enum { IP_QUANTITY_ROOM = 16 };
void ip_run_quantity_name(const ip_run *run, unsigned quantity, char out[IP_QUANTITY_ROOM]);

/* Means over layers 1..L: H, context, I of x and y, and the mean of the layers' ratios I(Y)/I(X) per order (NaN where a
 * layer's I(X) is 0). A model without estimates gives zeros. */
void ip_run_mean(const ip_run *run, ip_layer_result *mean, double optimality[IP_MAX_ORDERS]);

/* Optimality I(Y)/I(X) of a layer, or the mean over layers 1..L of the layers' (layer IP_MEAN_LAYER), as an estimate: I is
 * the ratio, with bias and interval from the ratios without each group; null and distinct are not set. order from 0. */
#define IP_MEAN_LAYER SIZE_MAX
ip_estimate ip_run_optimality(const ip_run *run, size_t layer, unsigned order);

/* Writers. Numbers in C locale, doubles with 17 digits, what was not computed as null. */
void ip_run_write_json(const ip_run *run, FILE *file);
void ip_run_write_table(const ip_run *run, FILE *file);
/* run.json, layers.csv, groups.npy (`without`; only with groups), resamples.npy (`resampled`; only with a bootstrap) and, with a loss, token-loss.npy in folder, which is
 * made; each appears whole or not at all. */
ip_status ip_run_write_folder(const ip_run *run, const char *folder, ip_error *error);

/* A finished run back from its folder (or its run.json): all that the files hold; `without` when groups.npy is there,
 * `resampled` when resamples.npy is, token_loss when token-loss.npy is. IP_BAD_INPUT names the file and the key. Freed by
 * ip_run_free. */
ip_status ip_run_read(ip_run **out, const char *path, ip_error *error);

/* ---- preference: I(Z; preference), whether a state belongs to a chosen or to a rejected reply ---- */

/* Of a figure's draws without information: their mean, their spread (n - 1), and (1 + draws that reach it) / (1 + draws).
 * NaN without draws. */
typedef struct ip_null_figures {
    double mean, sd, p;
} ip_null_figures;

typedef struct ip_preference_layer {
    double H;      /* H(Z) over the counted positions */
    ip_estimate I; /* its null is the mean with pairs turned round */
    ip_null_figures swapped, permuted;
} ip_preference_layer;

/* Freed by ip_preference_free. */
typedef struct ip_preference {
    ip_run *run; /* model, file, estimator and machine; its documents are sequences, two per pair; no layers */
    uint64_t pairs, chosen, rejected; /* counted positions of each side */
    uint64_t empty, cut;              /* replies without a position: empty, or behind max_tokens */
    const char *positions;            /* completion, all or last */
    char *chat;                       /* family of the chat template, or NULL */
    ip_preference_layer *layer;       /* layers + 1 */
    ip_preference_layer mean;         /* over layers 1 .. L */
    double *without;                  /* [layers + 1][2][groups]: H, I without a group of pairs; NULL: no groups */
} ip_preference;

/* pairs: a file as core/preference/pairs.h reads it, or "-". settings: documents is the number of pairs at most. */
ip_status ip_preference_measure(ip_preference **out, const char *model, const char *pairs, const ip_settings *settings,
                                const char *scratch_default, const ip_host *host, ip_error *error);
void ip_preference_free(ip_preference *preference);
void ip_preference_write_json(const ip_preference *preference, FILE *file);
void ip_preference_write_table(const ip_preference *preference, FILE *file);
/* preference.json, preference.csv and, with groups, preference-groups.npy [layers + 1, 2, groups] in folder. */
ip_status ip_preference_write_folder(const ip_preference *preference, const char *folder, ip_error *error);

/* ---- overlap: n-grams of one corpus that stand in another ---- */

enum { IP_OVERLAP_ORDERS = 13 };

typedef struct ip_overlap_options {
    unsigned orders; /* 1 .. orders, at most IP_OVERLAP_ORDERS; 0: 1, 2, 3, 5, 8 and 13 */
    uint64_t top;    /* documents to list */
    double share;    /* 0 .. 1: a document overlaps when more than this share of its positions does */
} ip_overlap_options;

typedef struct ip_overlap_order {
    unsigned order;
    uint64_t positions, shared;         /* of A; of them, those whose n-gram stands in B */
    uint64_t distinct, shared_distinct; /* different n-grams of A; of them, those that stand in B */
    uint64_t documents, overlapping;    /* of A with such a position; of them, those that overlap */
} ip_overlap_order;

typedef struct ip_overlap_side {
    ip_file_name *files;
    size_t file_count;
    uint64_t documents, symbols; /* words or tokens */
    double seconds;              /* to read it; for B also to look it up */
} ip_overlap_side;

/* Freed by ip_overlap_free. */
typedef struct ip_overlap_result {
    ip_overlap_side a, b;
    char *tokenizer; /* its file, or NULL: words */
    ip_overlap_order orders[IP_OVERLAP_ORDERS];
    unsigned order_count;
    double share;
    uint64_t top, table_bytes;
    size_t documents;        /* of A */
    uint32_t *document_file; /* [documents]: number of its file */
    uint64_t *lengths;       /* [documents]: symbols */
    uint32_t *hits;          /* [documents][order_count]: shared positions */
} ip_overlap_result;

/* Positions of an order in a document of so many symbols. */
static inline uint64_t ip_overlap_positions(uint64_t symbols, unsigned order) {
    return symbols < order ? 0 : symbols - order + 1;
}

/* Of settings: documents (of A), split ("chunk": a file is one document), text_field, format, offsets, parse_special, tokenizer
 * (a tokenizer.json, its folder, or a .gguf; NULL: words), threads, memory (of the table). Both sides are read alike. */
ip_status ip_overlap(ip_overlap_result **out, const char *const *a, size_t a_count, const char *const *b,
                     size_t b_count, const ip_overlap_options *options, const ip_settings *settings,
                     const ip_host *host, ip_error *error);
void ip_overlap_free(ip_overlap_result *result);
void ip_overlap_write_json(const ip_overlap_result *result, FILE *file);
void ip_overlap_write_table(const ip_overlap_result *result, FILE *file);
/* overlap.json, overlap.csv (a row per order), overlap-documents.csv (a row per document of A). */
ip_status ip_overlap_write_folder(const ip_overlap_result *result, const char *folder, ip_error *error);

/* ---- plan ---- */

typedef struct ip_plan_report {
    char *model_name, *family, *weights, *weights_stored;
    uint64_t documents, tokens, positions, layers, width, longest, context_length, parameters;
    uint64_t memory_bound;
    uint64_t memory;       /* anonymous bytes the run will hold at its peak */
    uint64_t memory_least; /* with everything that can spill in scratch files */
    uint64_t scratch;      /* bytes of scratch files */
    double seconds;        /* expected, from parts of the work tried on this machine */
    uint64_t models;       /* a series: how many are to be analysed, one after the other; else 1 */
    char isa[64], compute[32];
    unsigned threads;
} ip_plan_report;

ip_status ip_analyze_plan(ip_plan_report *out, const char *model, const char *const *corpora, size_t corpus_count,
                          const ip_settings *settings, const ip_host *host, ip_error *error);
void ip_plan_report_free(ip_plan_report *report);
void ip_plan_report_write(const ip_plan_report *report, bool json, FILE *file);

/* ---- states: layer-NN.npy f32 [tokens, width] and positions.npy int32 [tokens, 2] in folder ---- */
ip_status ip_states(const char *model, const char *const *corpora, size_t corpus_count, const char *folder,
                    const ip_settings *settings, const ip_host *host, ip_error *error);

/* ---- entropy: the estimator alone ---- */

typedef struct ip_entropy_set {
    char *path;
    uint64_t singletons;
    double conditional; /* H(Z|V) */
    ip_estimate estimate;
} ip_entropy_set;

typedef struct ip_entropy_result {
    const char *estimator;
    uint64_t positions, width, bins;
    double temperature, H, context; /* as in ip_run */
    double effective_rank;
    uint64_t documents;               /* 0: none were given */
    unsigned groups, null, bootstrap; /* in use */
    ip_entropy_set *sets;
    size_t set_count;
    const char *calibration;
    uint64_t seed;
    char anchors_fingerprint[33];
} ip_entropy_result;

/* vectors: .npy of floats [positions, width]; labels: any number of .npy of integers [positions]; documents: .npy of
 * integers [positions], equal where positions are of one document, or NULL: then there are no groups and no bootstrap.
 * Documents are numbered from 0 in rising order of these integers. */
ip_status ip_entropy(ip_entropy_result **out, const char *vectors, const char *const *labels, size_t label_count,
                     const char *documents, const ip_settings *settings, const char *scratch_default,
                     const ip_host *host, ip_error *error);
/* The same on arrays. anchors [bins, width] or NULL: as settings say; documents may be NULL. */
ip_status ip_entropy_arrays(ip_entropy_result **out, const ip_array *vectors, const ip_array *labels,
                            size_t label_count, const ip_array *documents, const ip_array *anchors,
                            const ip_settings *settings, const char *scratch_default, const ip_host *host,
                            ip_error *error);
void ip_entropy_free(ip_entropy_result *result);
void ip_entropy_write(const ip_entropy_result *result, bool json, FILE *file);

/* ---- correlate: across models, measures against benchmark scores ---- */

typedef struct ip_correlation ip_correlation; /* freed by ip_correlation_free */

typedef struct ip_correlate_settings {
    const char *table;         /* a .csv that has measures and scores; NULL: runs and scores */
    const char *const *scores; /* one .csv, or results files (or folders of them) of lm-evaluation-harness */
    size_t score_count;
    const char *const *partial; /* further columns to hold constant */
    size_t partial_count;
    uint64_t order;        /* of the n-grams. 1 */
    uint64_t permutations; /* drawn where there are too many to try all. 10000 */
    uint64_t resamples;    /* 10000 */
    uint64_t seed;         /* of both */
    unsigned threads;      /* 0: processors this process may use */
} ip_correlate_settings;

void ip_correlate_settings_default(ip_correlate_settings *settings);

/* runs: folders of analyze -o, of preference -o, or both; none with a table. */
ip_status ip_correlate(ip_correlation **out, const char *const *runs, size_t run_count,
                       const ip_correlate_settings *settings, const ip_host *host, ip_error *error);
void ip_correlation_free(ip_correlation *correlation);
void ip_correlation_write(const ip_correlation *correlation, bool json, FILE *file);
/* correlate.json (schema infoplane.correlate/1) and correlate.csv in folder, which is made. */
ip_status ip_correlation_write_folder(const ip_correlation *correlation, const char *folder, ip_error *error);

/* ---- compare: two runs, or two models over one text, paired by groups of documents ---- */

typedef struct ip_comparison ip_comparison; /* freed by ip_comparison_free */

typedef struct ip_compare_settings {
    ip_settings analysis;              /* of models that are analysed */
    const char *b_weights, *b_compute; /* B's own; NULL: as in analysis */
    const char *const *corpora;
    size_t corpus_count;
    const char *output; /* folder that analysed runs are kept under as a and b; NULL: not kept */
} ip_compare_settings;

/* a and b: finished runs (their folders), or models. IP_BAD_INPUT says what differs where two runs do not pair. */
ip_status ip_compare(ip_comparison **out, const char *a, const char *b, const ip_compare_settings *settings,
                     const ip_host *host, ip_error *error);
void ip_comparison_free(ip_comparison *comparison);
void ip_comparison_write(const ip_comparison *comparison, bool json, FILE *file);
/* compare.json (schema infoplane.compare/1) and compare.csv in folder, which is made. */
ip_status ip_comparison_write_folder(const ip_comparison *comparison, const char *folder, ip_error *error);

/* ---- trajectory: a series of checkpoints over one text ---- */

typedef struct ip_trajectory ip_trajectory; /* freed by ip_trajectory_free */

typedef struct ip_trajectory_settings {
    ip_settings analysis; /* of checkpoints that are analysed */
    const char *const *corpora;
    size_t corpus_count;
    /* Folder for the result, and for the runs under the names of their checkpoints: one that stands there already and is
     * what would be made is taken as it is. NULL: nothing is kept. */
    const char *output;
    const char *watch;    /* folder whose checkpoints are taken up as they appear; NULL: none. Needs output */
    uint64_t watch_until; /* so many checkpoints in all end the watching; 0: interrupting does */
} ip_trajectory_settings;

/* checkpoints: models, finished runs, folders of either, patterns. They stand in order of the steps in their names where
 * all have different ones, else as given. All must pair, as for ip_compare. */
ip_status ip_trajectory_run(ip_trajectory **out, const char *const *checkpoints, size_t count,
                            const ip_trajectory_settings *settings, const ip_host *host, ip_error *error);
/* What the models among the checkpoints will take, judged by the first of them; finished runs take nothing. IP_USAGE when
 * there is no model. */
ip_status ip_trajectory_plan(ip_plan_report *out, const char *const *checkpoints, size_t count,
                             const ip_trajectory_settings *settings, const ip_host *host, ip_error *error);
void ip_trajectory_free(ip_trajectory *trajectory);
void ip_trajectory_write(const ip_trajectory *trajectory, bool json, FILE *file);
/* trajectory.json (schema infoplane.trajectory/1) and trajectory.csv in folder, which is made. */
ip_status ip_trajectory_write_folder(const ip_trajectory *trajectory, const char *folder, ip_error *error);

/* ---- report: results of any of the commands on one offline HTML page ---- */

/* inputs: run folders or run.json, bound.json, trajectory.json, correlate.json, preference.json, overlap.json, told
 * apart by their schema. The same inputs give the same bytes. The page appears whole under path or not at all. */
ip_status ip_report_write(const char *path, const char *const *inputs, size_t count, ip_error *error);

/* ---- bound: the information-bottleneck curve of a joint of inputs X and outputs Y ---- */

/* A solution: the encoder found for beta, all in nats. */
typedef struct ip_bound_point {
    double beta;        /* HUGE_VAL: infinity */
    double I_X, I_Y;    /* I(X;Z), I(Y;Z) */
    double functional;  /* I_X - beta I_Y, which the encoder makes small */
    double tolerance;   /* by how much the last step still lowered it; 0 for hard encoders */
    double spread;      /* between the restarts' functionals; 0 with a single one */
    uint64_t codewords; /* different ones with mass */
    const char *kind;   /* "soft", "hard", "component", "identity", "trivial" */
} ip_bound_point;

typedef struct ip_bound_vertex {
    double I_X, I_Y;
} ip_bound_vertex;

/* The best curve found of one joint: a lower bound of the true envelope. Freed by ip_bound_curve_free. */
struct ip_bound_curve {
    unsigned order;                            /* of the n-grams; 0: none */
    uint64_t positions;                        /* sum of the counts; 0 for probabilities */
    uint64_t x, y, pairs;                      /* distinct */
    uint64_t merged_x, merged_y, merged_pairs; /* after exact merging */
    uint64_t codewords;                        /* m */
    double H_X, H_Y, I_XY;                     /* nats */
    uint64_t components;                       /* connected components of the graph x - y */
    double H_component, largest_component;     /* nats; share of the mass */
    ip_bound_point *points;                    /* one per beta, beta falling, I_X falling */
    size_t point_count;
    ip_bound_vertex *hull; /* from (0, 0) on, concave and rising; flat behind its last vertex */
    size_t hull_count;
    double seconds;
};

/* A joint as `pairs` triplets: x[i] and y[i] with counts[i], or, counts NULL, with the probability p[i] (any positive
 * scale). betas: NULL takes those of settings (bound_betas); all above 1 and finite. Of settings are used: bins (m), seed,
 * bound_betas, bound_effort, isa, threads, memory. The same digits for any number of threads. */
ip_status ip_bound_joint(ip_bound_curve **out, const uint32_t *x, const uint32_t *y, const uint64_t *counts,
                         const double *p, size_t pairs, const double *betas, size_t beta_count,
                         const ip_settings *settings, const ip_host *host, ip_error *error);
void ip_bound_curve_free(ip_bound_curve *curve);

/* The curve at I(X;Z): the hull interpolated, flat behind its end. */
double ip_bound_at(const ip_bound_curve *curve, double I_X);

/* A layer (or mean) of a run against the bound of one order: how far below the curve it lies, and which part of the curve
 * it reaches (NaN where the curve is 0). A gap below 0 is a finding, or a search that ended early. */
typedef struct ip_bound_gap {
    double curve, gap, ratio;
} ip_bound_gap;
ip_bound_gap ip_bound_gap_of(const ip_bound_curve *curve, const ip_layer_result *layer);

/* The bound of a corpus, order by order. Freed by ip_bound_free. */
typedef struct ip_bound {
    char *model_path, *tokenizer;
    ip_file_name *files;
    size_t file_count;
    uint64_t documents, tokens, positions, max_tokens, bins, seed;
    char text_fingerprint[33], ids_fingerprint[33];
    unsigned orders;
    bool backoff, count_at_positions;
    uint32_t min_count;
    char effort[16];
    ip_bound_curve *curve[IP_MAX_ORDERS];
    char isa[64];
    unsigned threads;
    double seconds;
} ip_bound;

/* model: for its tokenizer alone (a GGUF, a folder with tokenizer.json; --tokenizer names another). */
ip_status ip_bound_corpus(ip_bound **out, const char *model, const char *const *corpora, size_t corpus_count,
                          const ip_settings *settings, const ip_host *host, ip_error *error);
void ip_bound_free(ip_bound *bound);
void ip_bound_write_json(const ip_bound *bound, FILE *file);
void ip_bound_write_table(const ip_bound *bound, FILE *file);
/* bound.json and bound.csv in folder, which is made. */
ip_status ip_bound_write_folder(const ip_bound *bound, const char *folder, ip_error *error);

/* ---- accumulator: the estimator fed batch by batch, for vectors that are never in memory all at once ---- */

/* Sums of soft assignments, per label and in all, as integers: results do not depend on batches, their order or
 * threads, and are ip_entropy's to the bit. Takes 8 bytes per anchor for every label of every set. Not to be used by
 * two threads at a time. */
typedef struct ip_accumulator ip_accumulator;

typedef struct ip_accumulated {
    uint64_t positions, width, bins;
    double temperature, H, context; /* H(Z), I(C;Z); NaN without positions */
} ip_accumulated;

typedef struct ip_accumulated_set {
    uint64_t positions; /* that had a label of this set */
    uint64_t labels, singletons;
    double conditional;      /* H(Z|V) over these positions; NaN without any */
    const int64_t *values;   /* [labels], in the order in which they came; these three until the next call */
    const uint64_t *counts;  /* [labels] */
    const double *entropies; /* [labels]: H(Z|V=v) */
} ip_accumulated_set;

/* anchors [bins, width] or NULL: as settings say. Of settings are used: bins, seed, anchors, calibration, isa, threads. */
ip_status ip_accumulator_open(ip_accumulator **out, uint64_t width, const ip_array *anchors,
                              const ip_settings *settings, ip_error *error);
void ip_accumulator_free(ip_accumulator *accumulator);
void ip_accumulator_reset(ip_accumulator *accumulator);

/* Adds vectors [rows, width] of floats, and labels[i] [rows] of integers to label set sets[i] (sets are numbered from 0,
 * below 65536, and begin empty). A batch is added whole or, on failure, not at all. */
ip_status ip_accumulator_add(ip_accumulator *accumulator, const ip_array *vectors, const ip_array *labels,
                             const uint32_t *sets, size_t label_count, ip_error *error);

ip_status ip_accumulator_total(ip_accumulator *accumulator, ip_accumulated *out, ip_error *error);
/* A set that was never named has no positions. */
ip_status ip_accumulator_set(ip_accumulator *accumulator, uint32_t set, ip_accumulated_set *out, ip_error *error);

/* ---- tokenize, inspect, cpu ---- */

/* Ids of a text file under model's tokenizer. pieces: writes the pieces of each document, one per line "id piece";
 * else one line of ids per document. npy: writes them flat there and borders to X.offsets.npy instead. */
ip_status ip_tokenize_file(const char *model, const char *path, bool ids, const char *npy, const ip_settings *settings,
                           FILE *file, const ip_host *host, ip_error *error);

ip_status ip_inspect(const char *model, bool json, bool tensors, FILE *file, const ip_host *host, ip_error *error);
/* Families, tensor types (and how each is multiplied), tokenizers, files that this version knows. */
void ip_inspect_supported(bool json, FILE *file);

/* What this machine can run, what is chosen for `request` and why. */
ip_status ip_cpu_write(const char *request, bool json, FILE *file, ip_error *error);

/* For programs, once, before anything else: a file that is cut short or a disk that fails while its map is read becomes an
 * error of the call that reads it. Without it the process gets SIGBUS, as is usual. */
void ip_guard_maps(void);

/* A folder of results belongs to one process at a time: a second claim is IP_FAILED. *claim is for ip_folder_release; the
 * folder is made. A process that dies lets go. */
ip_status ip_folder_claim(int *claim, const char *folder, ip_error *error);
void ip_folder_release(int claim);

/* Calls from a signal handler: removes this process's unfinished output files. */
void ip_emergency_cleanup(void);

/* The memory allocator's bound in text form: "200M", "2G", suffixes powers of 1024; false when it is none. */
bool ip_parse_size(const char *text, uint64_t *bytes);

#ifdef __cplusplus
}
#endif

#endif
