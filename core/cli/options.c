/* Parsing options from the list in options.def. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/cli.h"

typedef enum option_kind {
    CLI_UINT,
    CLI_TEXT,
    CLI_SET,
    CLI_CLEAR,
    CLI_ORDERS,
    CLI_LONG_ORDERS,
    CLI_SHARE,
    CLI_LABELS,
    CLI_COUNT,
    CLI_COUNT_AT,
    CLI_LABEL_FILE,
    CLI_LIST,
    CLI_LOSS_END,
    CLI_UNSIGNED,
    CLI_SHARD,
    CLI_THREADS,
    CLI_SIZE,
    CLI_OUTPUT,
    CLI_FLAG
} option_kind;

typedef struct option {
    const char *name, *argument;
    option_kind kind;
    const char *field;
    unsigned commands;
    const char *help;
} option;

static const option options[] = {
#define CLI_OPTION(name, argument, kind, field, commands, help) {name, argument, kind, #field, commands, help},
#include "core/cli/options.def"
#undef CLI_OPTION
};
enum { OPTIONS = sizeof options / sizeof *options };

/* Where a row's value goes: fields of settings first, then those of the arguments. */
static void *field_of(cli_args *args, const char *field) {
    ip_settings *s = &args->settings;
    const struct {
        const char *name;
        void *at;
    } fields[] = {
        {"documents", &s->documents},
        {"max_tokens", &s->max_tokens},
        {"split", &s->split},
        {"text_field", &s->text_field},
        {"format", &s->format},
        {"offsets", &s->offsets},
        {"add_special", &s->add_special},
        {"parse_special", &s->parse_special},
        {"bins", &s->bins},
        {"estimator", &s->estimator},
        {"seed", &s->seed},
        {"anchors", &s->anchors},
        {"calibration", &s->calibration},
        {"null", &s->null},
        {"groups", &s->groups},
        {"bootstrap", &s->bootstrap},
        {"top", &s->top},
        {"loss", &s->loss},
        {"lens", &s->lens},
        {"bound", &s->bound},
        {"bound_betas", &s->bound_betas},
        {"bound_effort", &s->bound_effort},
        {"compute", &s->compute},
        {"weights", &s->weights},
        {"isa", &s->isa},
        {"scratch", &s->scratch},
        {"checkpoint_seconds", &s->checkpoint_seconds},
        {"family", &s->family},
        {"name", &s->name},
        {"tokenizer", &s->tokenizer},
        {"positions", &s->positions},
        {"chat", &s->chat},
        {"docs_file", &args->docs_file},
        {"overlap_top", &args->overlap.top},
        {"against", &args->against},
        {"table", &args->correlate.table},
        {"order", &args->correlate.order},
        {"permutations", &args->correlate.permutations},
        {"resamples", &args->correlate.resamples},
        {"scores", &args->scores},
        {"partial", &args->partial},
        {"corpora", &args->corpora},
        {"watch", &args->trajectory.watch},
        {"watch_until", &args->trajectory.watch_until},
        {"b_weights", &args->compare.b_weights},
        {"b_compute", &args->compare.b_compute},
        {"output", &args->output},
        {"plan", &args->plan},
        {"ids", &args->ids},
        {"tensors", &args->tensors},
        {"supported", &args->supported},
        {"json", &args->json},
        {"quiet", &args->quiet},
        {"help", &args->help},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strcmp(fields[i].name, field) == 0) return fields[i].at;
    return NULL;
}

static bool parse_uint(const char *text, uint64_t most, uint64_t *out) {
    if (*text < '0' || *text > '9') return false;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || value > most) return false;
    *out = value;
    return true;
}

/* The program never leaves the C locale, so the point is a point. */
static bool parse_share(const char *text, double *out) {
    char *end;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out >= 0.0 && *out <= 1.0;
}

static ip_status bad_value(const option *o, const char *value, const char *wanted) {
    return cli_fail(IP_USAGE, "%s %s: %s", o->name, value, wanted);
}

static ip_status set_number(cli_args *args, const option *o, const char *value) {
    ip_settings *s = &args->settings;
    uint64_t n = 0;
    switch (o->kind) {
    case CLI_ORDERS:
        if (!parse_uint(value, IP_MAX_ORDERS, &n) || n == 0) return bad_value(o, value, "1, 2, 3 or 4 is wanted");
        s->orders = (unsigned)n;
        return IP_OK;
    case CLI_LONG_ORDERS:
        if (!parse_uint(value, IP_OVERLAP_ORDERS, &n) || n == 0) return bad_value(o, value, "1 to 13 is wanted");
        args->overlap.orders = (unsigned)n;
        return IP_OK;
    case CLI_COUNT:
        if (!parse_uint(value, UINT32_MAX, &n) || n == 0)
            return bad_value(o, value, "a whole number from 1 on is wanted");
        s->min_count = (uint32_t)n;
        return IP_OK;
    case CLI_THREADS: {
        bool kind = strcmp(value, "big") == 0 || strcmp(value, "little") == 0;
        if (!kind && (!parse_uint(value, 4096, &n) || n == 0))
            return bad_value(o, value, "1 to 4096 threads are possible, or big or little");
        s->threads = (unsigned)n;
        s->cores = kind ? value : NULL;
        return IP_OK;
    }
    case CLI_LOSS_END:
        if (!parse_uint(value, INT32_MAX, &n)) return bad_value(o, value, "the id of a token is wanted");
        s->loss = true;
        s->loss_end = (int64_t)n;
        return IP_OK;
    case CLI_UNSIGNED:
        if (!parse_uint(value, UINT32_MAX, &n)) return bad_value(o, value, "a whole number is wanted");
        *(unsigned *)field_of(args, o->field) = (unsigned)n;
        return IP_OK;
    case CLI_SIZE:
        if (!ip_parse_size(value, &s->memory) || s->memory == 0)
            return bad_value(o, value, "a size such as 200M or 2G is wanted");
        return IP_OK;
    default:
        if (!parse_uint(value, UINT64_MAX, &n)) return bad_value(o, value, "a whole number is wanted");
        *(uint64_t *)field_of(args, o->field) = n;
        return IP_OK;
    }
}

/* "2/4" */
static ip_status set_shard(cli_args *args, const option *o, const char *value) {
    const char *slash = strchr(value, '/');
    char index[24];
    uint64_t i = 0, n = 0;
    if (slash && slash - value < (ptrdiff_t)sizeof index) {
        snprintf(index, sizeof index, "%.*s", (int)(slash - value), value);
        if (parse_uint(index, 99999, &i) && parse_uint(slash + 1, 99999, &n) && i >= 1 && i <= n) {
            args->settings.shard = (unsigned)i;
            args->settings.shards = (unsigned)n;
            return IP_OK;
        }
    }
    return bad_value(o, value, "1/4 is the first of four");
}

static ip_status set_option(cli_args *args, const option *o, const char *value) {
    switch (o->kind) {
    case CLI_SHARD: return set_shard(args, o, value);
    case CLI_SET:
    case CLI_FLAG: *(bool *)field_of(args, o->field) = true; return IP_OK;
    case CLI_CLEAR: *(bool *)field_of(args, o->field) = false; return IP_OK;
    case CLI_TEXT:
    case CLI_OUTPUT:
        if (*value == '\0') return bad_value(o, "''", "it is empty");
        *(const char **)field_of(args, o->field) = value;
        return IP_OK;
    case CLI_SHARE:
        if (!parse_share(value, &args->overlap.share)) return bad_value(o, value, "a number from 0 to 1 is wanted");
        return IP_OK;
    case CLI_LABEL_FILE: args->label_files[args->label_count++] = value; return IP_OK;
    case CLI_LIST: {
        cli_list *list = field_of(args, o->field);
        list->items[list->count++] = value;
        return IP_OK;
    }
    case CLI_LABELS:
        args->settings.backoff = strcmp(value, "backoff") == 0;
        if (!args->settings.backoff && strcmp(value, "exact") != 0)
            return bad_value(o, value, "there are exact and backoff");
        return IP_OK;
    case CLI_COUNT_AT:
        args->settings.count_at_positions = strcmp(value, "positions") == 0;
        if (!args->settings.count_at_positions && strcmp(value, "corpus") != 0)
            return bad_value(o, value, "there are corpus and positions");
        return IP_OK;
    default: return set_number(args, o, value);
    }
}

/* Letters to change, add or drop to get from one name to the other. */
static size_t distance(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b), row[64];
    if (n > 60 || m > 60) return 99;
    for (size_t j = 0; j <= m; j++) row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t above = row[j], best = corner + (a[i - 1] != b[j - 1]);
            if (above + 1 < best) best = above + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            row[j] = best;
            corner = above;
        }
    }
    return row[m];
}

static const cli_command_row commands[] = {
#define CLI_COMMAND(bit, name, brief, usage, example, what) {#name, brief, usage, example, what},
#include "core/cli/commands.def"
#undef CLI_COMMAND
};
enum { COMMANDS = sizeof commands / sizeof *commands };

unsigned cli_command(const char *name) {
    for (unsigned i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0) return 1u << i;
    return 0;
}

const char *cli_nearest_command(const char *name) {
    const char *best = NULL;
    size_t least = 4;
    for (unsigned i = 0; i < COMMANDS; i++) {
        size_t d = distance(name, commands[i].name);
        if (d < least) {
            least = d;
            best = commands[i].name;
        }
    }
    return best;
}

static ip_status unknown_option(unsigned command, const char *name) {
    const option *best = NULL;
    size_t least = 4;
    bool elsewhere = false;
    for (size_t i = 0; i < OPTIONS; i++) {
        size_t d = distance(name, options[i].name);
        if (d == 0) elsewhere = true;
        if ((options[i].commands & command) && d < least) {
            least = d;
            best = &options[i];
        }
    }
    if (elsewhere) return cli_fail(IP_USAGE, "%s is not an option of this command: see --help", name);
    if (best) return cli_fail(IP_USAGE, "unknown option %s: did you mean %s?", name, best->name);
    return cli_fail(IP_USAGE, "unknown option %s: see --help", name);
}

/* One "--name", "--name value" or "--name=value"; *i moves over a separate value. */
static ip_status take_option(cli_args *args, int argc, char **argv, int *i) {
    char name[64];
    const char *given = argv[*i], *equals = given[1] == '-' ? strchr(given, '=') : NULL;
    size_t length = equals ? (size_t)(equals - given) : strlen(given);
    if (length >= sizeof name) return cli_fail(IP_USAGE, "unknown option %.60s...: see --help", given);
    memcpy(name, given, length);
    name[length] = '\0';
    const option *o = NULL;
    for (size_t j = 0; j < OPTIONS && !o; j++)
        if ((options[j].commands & args->command) && strcmp(options[j].name, name) == 0) o = &options[j];
    if (!o) return unknown_option(args->command, name);
    if (o->argument[0] == '\0')
        return equals ? cli_fail(IP_USAGE, "%s takes no value", name) : set_option(args, o, NULL);
    if (equals) return set_option(args, o, equals + 1);
    if (*i + 1 >= argc) return cli_fail(IP_USAGE, "%s needs a value: %s %s", name, name, o->argument);
    return set_option(args, o, argv[++*i]);
}

ip_status cli_parse(cli_args *args, unsigned command, int argc, char **argv) {
    memset(args, 0, sizeof *args);
    args->command = command;
    ip_settings_default(&args->settings);
    ip_correlate_settings_default(&args->correlate);
    args->settings.bins = UINT64_MAX; /* not given */
    args->settings.isa = getenv("INFOPLANE_ISA");
    args->positional = calloc((size_t)argc + 1, sizeof *args->positional);
    args->label_files = calloc((size_t)argc + 1, sizeof *args->label_files);
    args->scores.items = calloc((size_t)argc + 1, sizeof *args->scores.items);
    args->partial.items = calloc((size_t)argc + 1, sizeof *args->partial.items);
    args->corpora.items = calloc((size_t)argc + 1, sizeof *args->corpora.items);
    args->against.items = calloc((size_t)argc + 1, sizeof *args->against.items);
    args->overlap = (ip_overlap_options){.top = 10, .share = 0.5};
    if (!args->against.items || !args->positional || !args->label_files || !args->scores.items ||
        !args->partial.items || !args->corpora.items)
        return cli_fail(IP_FAILED, "out of memory");
    bool options_over = false;
    for (int i = 0; i < argc; i++) {
        if (options_over || argv[i][0] != '-' || strcmp(argv[i], "-") == 0) {
            args->positional[args->positional_count++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            options_over = true;
        } else if (strcmp(argv[i], "-h") == 0) {
            args->help = true;
        } else {
            ip_status status = take_option(args, argc, argv, &i);
            if (status != IP_OK) return status;
        }
    }
    if (args->settings.bins == UINT64_MAX) args->settings.bins = ip_estimator_default_bins(args->settings.estimator);
    return IP_OK;
}

void cli_args_free(cli_args *args) {
    free(args->positional);
    free(args->label_files);
    free(args->against.items);
    free(args->scores.items);
    free(args->partial.items);
    free(args->corpora.items);
}

const cli_command_row *cli_command_at(unsigned number) { return number < COMMANDS ? &commands[number] : NULL; }

bool cli_option_at(size_t index, cli_option_row *out) {
    if (index >= OPTIONS) return false;
    const option *o = &options[index];
    *out = (cli_option_row){o->name, o->argument, o->help, o->commands};
    return true;
}

/* ---- help ---- */

void cli_help(unsigned command, FILE *file) {
    if (command == 0) {
        fputs("infoplane " INFOPLANE_VERSION ": how a language model compresses what it reads\n\n"
              "  infoplane analyze model.gguf text.jsonl --documents 200 --loss -o run/\n\ncommands\n",
              file);
        for (unsigned i = 0; i < COMMANDS; i++) fprintf(file, "  %-10s  %s\n", commands[i].name, commands[i].brief);
        fputs("\n`infoplane COMMAND --help` tells more; --version prints the version.\n"
              "exit codes: 0 done, 1 the job failed, 2 wrong usage, 3 bad input file, 130 interrupted\n",
              file);
        return;
    }
    unsigned index = 0;
    while ((1u << index) != command) index++;
    fprintf(file, "  %s\n\nusage: %s\n\n%s\n\noptions\n", commands[index].example, commands[index].usage,
            commands[index].what);
    for (size_t i = 0; i < OPTIONS; i++) {
        if (!(options[i].commands & command)) continue;
        char left[48];
        snprintf(left, sizeof left, "%s %s", options[i].name, options[i].argument);
        fprintf(file, "  %-24s %s\n", left, options[i].help);
    }
    if (command & CLI_CORPUS)
        fputs("\nMODEL is a .gguf file (of a split set, the first part). CORPUS is .txt or .jsonl, also .gz or .zst, - "
              "for\n"
              "standard input (with --format), or .npy of token ids.\n",
              file);
}
