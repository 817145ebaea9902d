/* A series of analyses tokenizes its text once: the second one takes the tokens of the first, as is seen when the file has
 * been written over behind its back; a file that tells of a change, and other settings, are read anew. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/infoplane.h"

static void write_text(const char *path, const char *word, long seconds) {
    FILE *file = fopen(path, "w");
    cr_assert(file);
    for (int i = 0; i < 40; i++) fprintf(file, "%s %s%c", word, i % 3 ? "saw" : "fed", i % 8 == 7 ? '\n' : ' ');
    fclose(file);
    const struct timespec times[2] = {{seconds, 0}, {seconds, 0}};
    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void ids_of(char fingerprint[33], const char *path, const ip_settings *settings) {
    ip_run *run = NULL;
    ip_error error = {0};
    ip_host host = {0};
    ip_status status =
        ip_analyze(&run, INFOPLANE_SOURCE_DIR "/models/demo/demo.q8_0.gguf", &path, 1, settings, NULL, &host, &error);
    cr_assert_eq(status, IP_OK, "%s", error.message);
    memcpy(fingerprint, run->ids_fingerprint, 33);
    ip_run_free(run);
}

Test(kept_tokens, once_for_a_series) {
    char path[] = "/tmp/kept-tokens-XXXXXX.txt", first[33], second[33];
    cr_assert_geq(mkstemps(path, 4), 0);
    ip_settings settings;
    ip_settings_default(&settings);
    settings.orders = 1;
    settings.split = "line";
    settings.null = 0;
    settings.groups = 0;
    settings.tokens = ip_tokens_new();
    write_text(path, "king", 1000);
    ids_of(first, path, &settings);
    write_text(path, "bird", 1000);
    ids_of(second, path, &settings);
    cr_assert_str_eq(first, second, "tokenized again");
    settings.documents = 2;
    ids_of(second, path, &settings);
    cr_assert_str_neq(first, second, "other settings were not seen");
    settings.documents = 0;
    ids_of(first, path, &settings);
    write_text(path, "king", 2000);
    ids_of(second, path, &settings);
    cr_assert_str_neq(first, second, "a changed file was not seen");
    ip_tokens_free(settings.tokens);
    settings.tokens = NULL;
    ids_of(first, path, &settings);
    cr_assert_str_eq(first, second);
    unlink(path);
}
