/* trajectory: a series of checkpoints. */
#include "core/cli/cli.h"

ip_status cli_trajectory(const cli_args *args, const ip_host *host) {
    ip_trajectory_settings settings = args->trajectory;
    settings.analysis = args->settings;
    settings.corpora = args->corpora.items;
    settings.corpus_count = args->corpora.count;
    settings.output = args->output;
    ip_error error = {0};
    if (args->plan) {
        ip_plan_report plan;
        ip_status planned =
            ip_trajectory_plan(&plan, args->positional, args->positional_count, &settings, host, &error);
        if (planned != IP_OK) return cli_fail(planned, "%s", error.message);
        cli_host_stop();
        ip_plan_report_write(&plan, args->json, stdout);
        ip_plan_report_free(&plan);
        return IP_OK;
    }
    ip_trajectory *found;
    ip_status status = ip_trajectory_run(&found, args->positional, args->positional_count, &settings, host, &error);
    if (status != IP_OK) return cli_fail(status, "%s", error.message);
    cli_host_stop();
    if (args->output && cli_tells(host)) status = ip_trajectory_write_folder(found, args->output, &error);
    if (cli_tells(host)) ip_trajectory_write(found, args->json, stdout);
    ip_trajectory_free(found);
    return status == IP_OK ? IP_OK : cli_fail(status, "%s", error.message);
}
