/* `report`: results of other commands on one page. */
#include "core/cli/cli.h"

ip_status cli_report(const cli_args *args, const ip_host *host) {
    (void)host;
    if (args->positional_count == 0)
        return cli_fail(IP_USAGE, "usage: infoplane report RUN... -o FILE.html (see --help)");
    if (!args->output) return cli_fail(IP_USAGE, "report: -o FILE.html says where the page goes");
    ip_error error = {0};
    ip_status status = ip_report_write(args->output, args->positional, args->positional_count, &error);
    return status == IP_OK ? IP_OK : cli_fail(status, "%s", error.message);
}
