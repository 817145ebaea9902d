/* `bound`: the information-bottleneck curve of a corpus. */
#include "core/cli/cli.h"

ip_status cli_bound(const cli_args *args, const ip_host *host) {
    if (args->positional_count < 2) return cli_fail(IP_USAGE, "usage: infoplane bound MODEL CORPUS... (see --help)");
    ip_error error = {0};
    ip_bound *bound;
    ip_status status = ip_bound_corpus(&bound, args->positional[0], args->positional + 1, args->positional_count - 1,
                                       &args->settings, host, &error);
    if (status != IP_OK) return cli_fail(status, "%s", error.message);
    cli_host_stop();
    if (args->output && cli_tells(host)) status = ip_bound_write_folder(bound, args->output, &error);
    if (cli_tells(host)) (args->json ? ip_bound_write_json : ip_bound_write_table)(bound, stdout);
    ip_bound_free(bound);
    return status == IP_OK ? IP_OK : cli_fail(status, "%s", error.message);
}
