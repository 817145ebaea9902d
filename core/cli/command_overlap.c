/* `overlap`: arguments checked, the engine called, its result printed. */
#include "core/cli/cli.h"

ip_status cli_overlap(const cli_args *args, const ip_host *host) {
    if (args->positional_count == 0 || args->against.count == 0)
        return cli_fail(IP_USAGE, "usage: infoplane overlap CORPUS... --against CORPUS (see --help)");
    ip_error error = {0};
    ip_overlap_result *result;
    ip_status status = ip_overlap(&result, args->positional, args->positional_count, args->against.items,
                                  args->against.count, &args->overlap, &args->settings, host, &error);
    if (status != IP_OK) return cli_fail(status, "%s", error.message);
    cli_host_stop();
    if (args->output) status = ip_overlap_write_folder(result, args->output, &error);
    (args->json ? ip_overlap_write_json : ip_overlap_write_table)(result, stdout);
    ip_overlap_free(result);
    return status == IP_OK ? IP_OK : cli_fail(status, "%s", error.message);
}
