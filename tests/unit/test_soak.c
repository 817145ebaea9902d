/* Many small analyses in one process: memory does not grow with their number, files are closed, results stay the same.
 * What the allocator has handed out and not got back is the same on any machine (caches of its threads move it by some
 * kilobytes: 13 after 100 runs, 19 after 800). Resident pages are not (arenas of threads that came and went, counters
 * that the kernel folds late): they only get a wide bound.
 * Under AddressSanitizer, whose allocator keeps freed memory for a while, its leak check says the first. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "core/base/resident.h"
#include "core/infoplane.h"

static size_t open_files(void) {
    size_t n = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder)) n++;
    if (folder) closedir(folder);
    return n;
}

/* Bytes of malloc and of its large mappings that are in use, all threads'. */
static size_t allocated(void) {
#ifdef __SANITIZE_ADDRESS__
    return 0;
#else
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
#endif
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
    const uint64_t room = 16 << 20, bound = (uint64_t)64 << 20;
#endif
    double first = one(0);
    uint64_t before = 0;
    size_t files = 0, handed_out = 0;
    for (int i = 0; i < runs; i++) {
        if (i == warm) {
            before = ip_resident_anonymous();
            handed_out = allocated();
            files = open_files();
        }
        cr_assert_eq(one(i % 2 ? 0 : bound), first);
        refused();
    }
    size_t still = allocated();
    printf("%d runs: %zu bytes handed out became %zu\n", runs - warm, handed_out, still);
    cr_assert(still < handed_out + 65536, "%d runs: %zu bytes handed out became %zu", runs - warm, handed_out, still);
    uint64_t after = ip_resident_anonymous();
    cr_assert(after < before + room, "%d runs: %.1f MB became %.1f MB", runs - warm, (double)before / 1e6,
              (double)after / 1e6);
    cr_assert_eq(open_files(), files);
}
