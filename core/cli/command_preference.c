/* `preference`: arguments checked, the engine called, its result printed. */
#include "core/cli/cli.h"

ip_status cli_preference(const cli_args *args, const ip_host *host) {
    if (args->positional_count != 2) return cli_fail(IP_USAGE, "usage: infoplane preference MODEL PAIRS (see --help)");
    ip_error error = {0};
    ip_preference *result;
    ip_status status = ip_preference_measure(&result, args->positional[0], args->positional[1], &args->settings,
                                             args->output, host, &error);
    if (status != IP_OK) return cli_fail(status, "%s", error.message);
    cli_host_stop();
    if (args->output && cli_tells(host)) status = ip_preference_write_folder(result, args->output, &error);
    if (cli_tells(host)) (args->json ? ip_preference_write_json : ip_preference_write_table)(result, stdout);
    ip_preference_free(result);
    return status == IP_OK ? IP_OK : cli_fail(status, "%s", error.message);
}
