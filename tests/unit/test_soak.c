/* Many small analyses in one process: memory does not grow with their number, files are closed, results stay the same.
 * Under AddressSanitizer, whose allocator keeps freed memory for a while, its leak check says the first. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "core/infoplane.h"
#include "core/resident.h"

static size_t open_files(void) {
    size_t n = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder)) n++;
    if (folder) closedir(folder);
    return n;
}

static double one(uint64_t memory) {
    const char *corpus = INFOPLANE_SOURCE_DIR "/models/demo/heldout.jsonl";
    ip_settings settings;
    ip_settings_default(&settings);
    settings.documents = 6;
    settings.loss = true;
    settings.threads = 2;
    settings.memory = memory;
    ip_run *run = NULL;
    ip_error error = {0};
    ip_host host = {0};
    ip_status status = ip_analyze(&run, INFOPLANE_SOURCE_DIR "/models/demo/demo.q8_0.gguf", &corpus, 1, &settings, NULL,
                                  &host, &error);
    cr_assert_eq(status, IP_OK, "%s", error.message);
    double figure = run->layer[run->layers].x[0].I;
    ip_run_free(run);
    return figure;
}

/* A refused run must give everything back as well. */
static void refused(void) {
    const char *corpus = INFOPLANE_SOURCE_DIR "/no-such-text.jsonl";
    ip_settings settings;
    ip_settings_default(&settings);
    ip_run *run = NULL;
    ip_error error = {0};
    ip_host host = {0};
    ip_status status = ip_analyze(&run, INFOPLANE_SOURCE_DIR "/models/demo/demo.q8_0.gguf", &corpus, 1, &settings, NULL,
                                  &host, &error);
    cr_assert_eq(status, IP_BAD_INPUT);
}

Test(soak, many_analyses_in_one_process, .timeout = 240) {
#ifdef __SANITIZE_ADDRESS__
    const int runs = 12, warm = 2;
    const uint64_t room = UINT64_MAX / 2, bound = (uint64_t)512 << 20;
#else
    const int runs = 120, warm = 20;
    const uint64_t room = 1 << 20, bound = (uint64_t)64 << 20;
#endif
    double first = one(0);
    uint64_t before = 0;
    size_t files = 0;
    for (int i = 0; i < runs; i++) {
        if (i == warm) {
            before = ip_resident_anonymous();
            files = open_files();
        }
        cr_assert_eq(one(i % 2 ? 0 : bound), first);
        refused();
    }
    uint64_t after = ip_resident_anonymous();
    cr_assert(after < before + room, "%d runs: %.1f MB became %.1f MB", runs - warm, (double)before / 1e6,
              (double)after / 1e6);
    cr_assert_eq(open_files(), files);
}
