/* The command line: arguments into settings, results onto the terminal. Uses the public header alone. */
#ifndef IP_CLI_H
#define IP_CLI_H

#include "core/infoplane.h"

/* Commands as bits, and the groups that share options. */
enum {
    CLI_ANALYZE = 1,
    CLI_STATES = 2,
    CLI_ENTROPY = 4,
    CLI_TOKENIZE = 8,
    CLI_INSPECT = 16,
    CLI_CPU = 32,
    CLI_PREFERENCE = 64,
    CLI_ALL = 127,
    CLI_CORPUS = CLI_ANALYZE | CLI_STATES | CLI_TOKENIZE,
    CLI_MODEL = CLI_ANALYZE | CLI_STATES | CLI_PREFERENCE,
    CLI_MACHINE = CLI_ANALYZE | CLI_STATES | CLI_ENTROPY | CLI_CPU | CLI_PREFERENCE
};

enum { CLI_LIST_MAX = 4096 };

typedef struct cli_args {
    unsigned command;
    ip_settings settings;
    const char *output;
    const char **positional; /* argc of them at most */
    size_t positional_count;
    const char **label_files;
    size_t label_count;
    bool plan, ids, tensors, supported, json, quiet, help;
} cli_args;

/* Parses what follows the command's name. On failure prints one line and returns IP_USAGE. */
ip_status cli_parse(cli_args *args, unsigned command, int argc, char **argv);
void cli_args_free(cli_args *args);

void cli_help(unsigned command, FILE *file); /* 0: the overview */
/* Command bit of a name, or 0. */
unsigned cli_command(const char *name);
/* The known name nearest to a misspelt one, or NULL when none is near. */
const char *cli_nearest_command(const char *name);

/* Prints "infoplane: message" and returns the status. */
ip_status cli_fail(ip_status status, const char *format, ...) IP_PRINTF(2, 3);

/* Progress, warnings and interrupts. */
void cli_host_start(ip_host *host, bool quiet);
void cli_host_stop(void); /* clears the progress line */

/* The commands. Each returns the exit status, its error already printed. */
ip_status cli_analyze(const cli_args *args, const ip_host *host);
ip_status cli_states(const cli_args *args, const ip_host *host);
ip_status cli_entropy(const cli_args *args, const ip_host *host);
ip_status cli_tokenize(const cli_args *args, const ip_host *host);
ip_status cli_inspect(const cli_args *args, const ip_host *host);
ip_status cli_cpu(const cli_args *args, const ip_host *host);
ip_status cli_preference(const cli_args *args, const ip_host *host);

#endif
