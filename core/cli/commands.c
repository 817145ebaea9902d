/* The commands: arguments checked, the engine called, its result printed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/cli.h"

static ip_status report(ip_status status, const ip_error *error) {
    return status == IP_OK ? IP_OK : cli_fail(status, "%s", error->message);
}

static ip_status need_files(const cli_args *args, size_t least, size_t most, const char *usage) {
    if (args->positional_count >= least && args->positional_count <= most) return IP_OK;
    return cli_fail(IP_USAGE, "usage: %s (see --help)", usage);
}

static ip_status analyze_shard(const cli_args *args, const ip_host *host) {
    if (!args->output) return cli_fail(IP_USAGE, "--shard: -o DIR says where the state file goes");
    ip_error error = {0};
    char *path;
    ip_status status = ip_analyze_shard(&path, args->positional[0], args->positional + 1, args->positional_count - 1,
                                        args->output, &args->settings, host, &error);
    if (status != IP_OK) return report(status, &error);
    cli_host_stop();
    puts(path);
    free(path);
    return IP_OK;
}

ip_status cli_analyze(const cli_args *args, const ip_host *host) {
    if (need_files(args, 2, CLI_LIST_MAX, "infoplane analyze MODEL CORPUS...") != IP_OK) return IP_USAGE;
    ip_error error = {0};
    const char *const *corpora = args->positional + 1;
    size_t count = args->positional_count - 1;
    if (args->plan) {
        ip_plan_report plan;
        ip_status planned = ip_analyze_plan(&plan, args->positional[0], corpora, count, &args->settings, host, &error);
        if (planned != IP_OK) return report(planned, &error);
        cli_host_stop();
        ip_plan_report_write(&plan, args->json, stdout);
        ip_plan_report_free(&plan);
        return IP_OK;
    }
    if (args->settings.shards > 0) return analyze_shard(args, host);
    ip_run *run;
    ip_settings settings = args->settings;
    settings.checkpoint = args->output;
    ip_status status = ip_analyze(&run, args->positional[0], corpora, count, &settings, args->output, host, &error);
    if (status != IP_OK) return report(status, &error);
    cli_host_stop();
    if (args->output && cli_tells(host)) status = ip_run_write_folder(run, args->output, &error);
    if (cli_tells(host)) (args->json ? ip_run_write_json : ip_run_write_table)(run, stdout);
    ip_run_free(run);
    return report(status, &error);
}

ip_status cli_states(const cli_args *args, const ip_host *host) {
    if (need_files(args, 2, CLI_LIST_MAX, "infoplane states MODEL CORPUS... -o DIR") != IP_OK) return IP_USAGE;
    if (!args->output) return cli_fail(IP_USAGE, "states: -o DIR says where the files go");
    ip_error error = {0};
    ip_status status = ip_states(args->positional[0], args->positional + 1, args->positional_count - 1, args->output,
                                 &args->settings, host, &error);
    return report(status, &error);
}

ip_status cli_entropy(const cli_args *args, const ip_host *host) {
    if (need_files(args, 1, 1, "infoplane entropy Z.npy --labels Y.npy...") != IP_OK) return IP_USAGE;
    ip_error error = {0};
    ip_entropy_result *result;
    ip_status status = ip_entropy(&result, args->positional[0], args->label_files, args->label_count, args->docs_file,
                                  &args->settings, NULL, host, &error);
    if (status != IP_OK) return report(status, &error);
    cli_host_stop();
    ip_entropy_write(result, args->json, stdout);
    ip_entropy_free(result);
    return IP_OK;
}

ip_status cli_tokenize(const cli_args *args, const ip_host *host) {
    if (need_files(args, 2, 2, "infoplane tokenize MODEL FILE") != IP_OK) return IP_USAGE;
    ip_error error = {0};
    ip_settings settings = args->settings;
    settings.max_tokens = 0; /* a text is shown whole */
    ip_status status = ip_tokenize_file(args->positional[0], args->positional[1], args->ids, args->output, &settings,
                                        stdout, host, &error);
    return report(status, &error);
}

ip_status cli_inspect(const cli_args *args, const ip_host *host) {
    if (args->supported) {
        ip_inspect_supported(args->json, stdout);
        return IP_OK;
    }
    if (need_files(args, 1, 1, "infoplane inspect MODEL") != IP_OK) return IP_USAGE;
    ip_error error = {0};
    return report(ip_inspect(args->positional[0], args->json, args->tensors, stdout, host, &error), &error);
}

ip_status cli_cpu(const cli_args *args, const ip_host *host) {
    (void)host;
    if (need_files(args, 0, 0, "infoplane cpu") != IP_OK) return IP_USAGE;
    ip_error error = {0};
    return report(ip_cpu_write(args->settings.isa, args->json, stdout, &error), &error);
}
