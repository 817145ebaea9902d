/* The program: command name to command. Everything that writes to stdout is flushed here, and a failure to write it is
 * a failed job. */
#include <errno.h>
#include <string.h>

#include "core/cli/cli.h"

typedef ip_status (*command_main)(const cli_args *args, const ip_host *host);

static const command_main mains[] = {
#define CLI_COMMAND(bit, name, brief, usage, example, what) cli_##name,
#include "core/cli/commands.def"
#undef CLI_COMMAND
};

/* The command itself, by one process or as one rank of several. */
static ip_status run_parsed(const cli_args *args, unsigned command, ip_ranks *ranks) {
    ip_host host;
    unsigned index = 0;
    while ((1u << index) != command) index++;
    cli_host_start(&host, args->quiet, ranks);
    if (ranks && !(command & CLI_RANKS))
        return cli_fail(IP_USAGE, "%s is not for several ranks: start it without mpirun", cli_command_at(index)->name);
    if (ranks && args->settings.shards > 0)
        return cli_fail(IP_USAGE, "--shard: ranks deal the documents by themselves");
    if (ranks && args->plan && !cli_tells(&host)) return IP_OK;
    int claim = -1;
    ip_error error;
    ip_status status = IP_OK;
    if (args->output && !args->plan && args->settings.shards == 0 && (command & CLI_FOLDER) && cli_tells(&host) &&
        ip_folder_claim(&claim, args->output, &error) != IP_OK)
        status = cli_fail(IP_FAILED, "%s", error.message);
    if (status == IP_OK) status = mains[index](args, &host);
    ip_folder_release(claim);
    cli_host_stop();
    return status;
}

static ip_status run_command(unsigned command, int argc, char **argv) {
    cli_args args;
    ip_ranks *ranks = NULL;
    ip_error error;
    ip_status status = cli_parse(&args, command, argc, argv);
    if (status == IP_OK && args.help) {
        cli_help(command, stdout);
    } else if (status == IP_OK) {
        status = ip_ranks_join(&ranks, &error);
        status = status == IP_OK ? run_parsed(&args, command, ranks) : cli_fail(status, "%s", error.message);
        fflush(stdout);
        cli_leave(ranks, status);
    }
    cli_args_free(&args);
    return status;
}

int main(int argc, char **argv) {
    ip_status status = IP_OK;
    if (argc < 2) {
        cli_help(0, stderr);
        return IP_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        cli_help(argc > 2 ? cli_command(argv[2]) : 0, stdout);
    } else if (strcmp(argv[1], "--version") == 0) {
        puts("infoplane " INFOPLANE_VERSION);
    } else if (strcmp(argv[1], "--generate") == 0 && argc == 3) {
        status = cli_generate(argv[2]);
    } else {
        unsigned command = cli_command(argv[1]);
        const char *near = command ? NULL : cli_nearest_command(argv[1]);
        if (command) {
            status = run_command(command, argc - 2, argv + 2);
        } else if (near) {
            return cli_fail(IP_USAGE, "unknown command %s: did you mean %s?", argv[1], near);
        } else {
            return cli_fail(IP_USAGE, "unknown command %s: see infoplane --help", argv[1]);
        }
    }
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == IP_OK)
        status = cli_fail(IP_FAILED, "standard output: cannot write: %s", strerror(errno));
    return status;
}
