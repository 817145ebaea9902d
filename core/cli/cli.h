/* The command line: arguments into settings, results onto the terminal. Uses the public header alone. */
#ifndef IP_CLI_H
#define IP_CLI_H

#include "core/infoplane.h"

/* Commands by number and as bits, and the groups that share options. */
enum {
#define CLI_COMMAND(bit, name, brief, usage, example, what) CLI_NUMBER_##bit,
#include "core/cli/commands.def"
#undef CLI_COMMAND
    CLI_COMMANDS
};

enum {
#define CLI_COMMAND(bit, name, brief, usage, example, what) CLI_##bit = 1 << CLI_NUMBER_##bit,
#include "core/cli/commands.def"
#undef CLI_COMMAND
    CLI_ALL = (1 << CLI_COMMANDS) - 1,
    CLI_PAIRED = CLI_COMPARE | CLI_TRAJECTORY,
    CLI_ANALYSES = CLI_ANALYZE | CLI_PAIRED,
    /* -o names a folder, which one run at a time writes */
    CLI_FOLDER = CLI_ANALYSES | CLI_STATES | CLI_BOUND | CLI_MERGE | CLI_PREFERENCE | CLI_OVERLAP,
    CLI_CORPUS = CLI_ANALYSES | CLI_STATES | CLI_TOKENIZE | CLI_BOUND | CLI_OVERLAP,
    CLI_MODEL = CLI_ANALYSES | CLI_STATES | CLI_PREFERENCE,
    CLI_RANKS = CLI_ANALYZE | CLI_PREFERENCE | CLI_TRAJECTORY | CLI_BOUND, /* several ranks can do it together */
    CLI_MACHINE = CLI_ANALYSES | CLI_STATES | CLI_ENTROPY | CLI_CPU | CLI_BOUND | CLI_MERGE | CLI_PREFERENCE,
};

enum { CLI_LIST_MAX = 4096 };

/* Values of an option that may be given several times. */
typedef struct cli_list {
    const char **items; /* argc of them at most */
    size_t count;
} cli_list;

typedef struct cli_args {
    unsigned command;
    ip_settings settings;
    const char *output, *docs_file;
    const char **positional; /* argc of them at most */
    size_t positional_count;
    const char **label_files;
    size_t label_count;
    ip_correlate_settings correlate;
    ip_compare_settings compare;
    ip_trajectory_settings trajectory;
    cli_list scores, partial, corpora, against;
    ip_overlap_options overlap;
    bool plan, ids, tensors, supported, json, quiet, help;
} cli_args;

/* Parses what follows the command's name. On failure prints one line and returns IP_USAGE. */
ip_status cli_parse(cli_args *args, unsigned command, int argc, char **argv);
void cli_args_free(cli_args *args);

void cli_help(unsigned command, FILE *file); /* 0: the overview */

/* The rows behind the help, for the man pages and completions that are made of the same lists. */
typedef struct cli_command_row {
    const char *name, *brief, *usage, *example, *what;
} cli_command_row;
typedef struct cli_option_row {
    const char *name, *argument, *help; /* argument "": takes none */
    unsigned commands;                  /* bits of those that take it */
} cli_option_row;
const cli_command_row *cli_command_at(unsigned number); /* NULL behind the last */
bool cli_option_at(size_t index, cli_option_row *out);  /* false behind the last */
/* Writes man1/, infoplane.bash, _infoplane (zsh) and infoplane.fish into a folder. */
ip_status cli_generate(const char *folder);
/* Command bit of a name, or 0. */
unsigned cli_command(const char *name);
/* The known name nearest to a misspelt one, or NULL when none is near. */
const char *cli_nearest_command(const char *name);

/* Prints "infoplane: message" and returns the status. A rank puts its name in front. */
ip_status cli_fail(ip_status status, const char *format, ...) IP_PRINTF(2, 3);

/* Progress, warnings and interrupts; the ranks that this process is one of, which from here on are in errors. Of several
 * ranks the first one tells. */
void cli_host_start(ip_host *host, bool quiet, ip_ranks *ranks);
/* The end of a process that is a rank, or alone (NULL): after a failure all ranks end. */
void cli_leave(ip_ranks *ranks, ip_status status);
/* Whether this process prints and writes the result. */
bool cli_tells(const ip_host *host);
void cli_host_stop(void); /* clears the progress line */

/* The commands, cli_<name>. Each returns the exit status, its error already printed. */
#define CLI_COMMAND(bit, name, brief, usage, example, what)                                                            \
    ip_status cli_##name(const cli_args *args, const ip_host *host);
#include "core/cli/commands.def"
#undef CLI_COMMAND

#endif
