/* merge: the states of shards into one run. */
#include "core/cli/cli.h"

ip_status cli_merge(const cli_args *args, const ip_host *host) {
    if (args->positional_count == 0 || args->positional_count > 99999)
        return cli_fail(IP_USAGE, "usage: infoplane merge STATE... -o DIR (see --help)");
    ip_error error = {0};
    ip_run *run;
    ip_status status =
        ip_merge(&run, args->positional, args->positional_count, &args->settings, args->output, host, &error);
    if (status != IP_OK) return cli_fail(status, "%s", error.message);
    cli_host_stop();
    if (args->output) status = ip_run_write_folder(run, args->output, &error);
    (args->json ? ip_run_write_json : ip_run_write_table)(run, stdout);
    ip_run_free(run);
    return status == IP_OK ? IP_OK : cli_fail(status, "%s", error.message);
}
