/* trajectory: a series of checkpoints. */
#include "core/cli/cli.h"

ip_status cli_trajectory(const cli_args *args, const ip_host *host) {
    ip_trajectory_settings settings = args->trajectory;
    settings.analysis = args->settings;
    settings.corpora = args->corpora.items;
    settings.corpus_count = args->corpora.count;
    settings.output = args->output;
    ip_error error = {0};
    ip_trajectory *found;
    ip_status status = ip_trajectory_run(&found, args->positional, args->positional_count, &settings, host, &error);
    if (status != IP_OK) return cli_fail(status, "%s", error.message);
    cli_host_stop();
    if (args->output && cli_tells(host)) status = ip_trajectory_write_folder(found, args->output, &error);
    if (cli_tells(host)) ip_trajectory_write(found, args->json, stdout);
    ip_trajectory_free(found);
    return status == IP_OK ? IP_OK : cli_fail(status, "%s", error.message);
}
