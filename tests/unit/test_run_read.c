/* A run read back and written again is the same text, but for what only the running program knows; broken files are
 * refused by the name of the key. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/estimators/method.h"
#include "core/infoplane.h"
#include "core/run/run_read.h"

static char *slurp(FILE *file, size_t *n) {
    long end = ftell(file);
    char *text = calloc(1, (size_t)end + 1);
    rewind(file);
    *n = fread(text, 1, (size_t)end, file);
    return text;
}

static char *json_of(const ip_run *run, size_t *n) {
    FILE *file = tmpfile();
    ip_run_write_json(run, file);
    char *text = slurp(file, n);
    fclose(file);
    return text;
}

static ip_run *demo_run(const char *estimator) {
    const char *corpus = INFOPLANE_SOURCE_DIR "/models/demo/heldout.jsonl";
    ip_settings settings;
    ip_settings_default(&settings);
    settings.documents = 4;
    settings.estimator = estimator;
    settings.loss = true;
    settings.loss_end = 0;
    settings.lens = true;
    ip_run *run = NULL;
    ip_error error = {0};
    ip_host host = {0};
    ip_status status = ip_analyze(&run, INFOPLANE_SOURCE_DIR "/models/demo/demo.q8_0.gguf", &corpus, 1, &settings, NULL,
                                  &host, &error);
    cr_assert_eq(status, IP_OK, "%s", error.message);
    return run;
}

static void round_trip(const char *estimator) {
    ip_run *run = demo_run(estimator), *back = NULL;
    char folder[] = "/tmp/infoplane-run-XXXXXX";
    cr_assert(mkdtemp(folder) != NULL);
    ip_error error = {0};
    cr_assert_eq(ip_run_write_folder(run, folder, &error), IP_OK, "%s", error.message);
    cr_assert_eq(ip_run_read(&back, folder, &error), IP_OK, "%s", error.message);
    run->stage_count = 0; /* times by stage are not read back */
    size_t n, m;
    char *before = json_of(run, &n), *after = json_of(back, &m);
    cr_assert_str_eq(after, before);
    cr_assert_eq(memcmp(run->token_loss, back->token_loss, run->loss.tokens * sizeof(float)), 0);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    cr_assert_eq(system(command), 0);
    free(before);
    free(after);
    ip_run_free(run);
    ip_run_free(back);
}

Test(run_read, written_and_read_is_the_same) {
    round_trip("soft");
    round_trip("hard");
    round_trip("binning");
    ip_method_kind kind;
    ip_settings settings;
    ip_settings_default(&settings);
    settings.estimator = "matrix";
    if (ip_method_check(&kind, &settings, &(ip_error){0}) == IP_OK) round_trip("matrix"); /* there is LAPACK */
}

static void refused(const char *text, const char *old, const char *new, const char *expected) {
    const char *at = strstr(text, old);
    cr_assert(at != NULL, "%s", old);
    size_t room = strlen(text) + strlen(new) + 1;
    char *changed = calloc(1, room);
    snprintf(changed, room, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
    ip_run *run = NULL;
    ip_error error = {0};
    cr_assert_eq(ip_run_parse(&run, "r/run.json", changed, strlen(changed), &error), IP_BAD_INPUT, "%s", new);
    cr_assert(strstr(error.message, expected) != NULL, "%s: %s", new, error.message);
    cr_assert(strstr(error.message, "r/run.json: ") == error.message, "%s", error.message);
    free(changed);
}

Test(run_read, broken_files_are_refused_by_key) {
    ip_run *run = demo_run("soft");
    size_t n;
    char *text = json_of(run, &n);
    refused(text, "infoplane.run/1", "infoplane.run/9", "schema");
    refused(text, "\"bins\": 100", "\"bins\": \"100\"", "estimator.bins");
    refused(text, "\"orders\": 3", "\"orders\": 5", "estimator.orders");
    refused(text, "\"orders\": 3", "\"orders\": 2", "layers.X");
    refused(text, "\"layers\": 4", "\"layers\": 5", "layers must be a list");
    refused(text, "\"layer\": 1", "\"layer\": 7", "layers.layer");
    refused(text, "\"vmf-bound\"", "\"other\"", "estimator.calibration");
    refused(text, "\"vmf-bound\"", "null", "estimator.calibration");
    refused(text, "\"soft\"", "\"softer\"", "estimator.name");
    refused(text, "\"nats_per_token\": ", "\"nats_per_token\": [],\"x\":", "loss.nats_per_token");
    refused(text, "\"name\": ", "\"nome\": ", "model.name");
    refused(text, "{", "", "not valid JSON");
    free(text);
    ip_run_free(run);
}
