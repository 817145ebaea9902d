/* compare: the paired difference of two runs, or of two models over one text. */
#include "core/cli/cli.h"

ip_status cli_compare(const cli_args *args, const ip_host *host) {
    if (args->positional_count != 2)
        return cli_fail(IP_USAGE, "usage: infoplane compare A B [--corpus CORPUS] (see --help)");
    ip_compare_settings settings = args->compare;
    settings.analysis = args->settings;
    settings.corpora = args->corpora.items;
    settings.corpus_count = args->corpora.count;
    settings.output = args->output;
    ip_error error = {0};
    ip_comparison *found;
    ip_status status = ip_compare(&found, args->positional[0], args->positional[1], &settings, host, &error);
    if (status != IP_OK) return cli_fail(status, "%s", error.message);
    cli_host_stop();
    if (args->output) status = ip_comparison_write_folder(found, args->output, &error);
    ip_comparison_write(found, args->json, stdout);
    ip_comparison_free(found);
    return status == IP_OK ? IP_OK : cli_fail(status, "%s", error.message);
}
