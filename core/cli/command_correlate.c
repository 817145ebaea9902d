/* correlate: across models, what was measured against what benchmarks say. */
#include "core/cli/cli.h"

ip_status cli_correlate(const cli_args *args, const ip_host *host) {
    ip_correlate_settings settings = args->correlate;
    settings.scores = args->scores.items;
    settings.score_count = args->scores.count;
    settings.partial = args->partial.items;
    settings.partial_count = args->partial.count;
    settings.seed = args->settings.seed;
    settings.threads = args->settings.threads;
    ip_error error = {0};
    ip_correlation *found;
    ip_status status = ip_correlate(&found, args->positional, args->positional_count, &settings, host, &error);
    if (status != IP_OK) return cli_fail(status, "%s", error.message);
    cli_host_stop();
    if (args->output) status = ip_correlation_write_folder(found, args->output, &error);
    ip_correlation_write(found, args->json, stdout);
    ip_correlation_free(found);
    return status == IP_OK ? IP_OK : cli_fail(status, "%s", error.message);
}
