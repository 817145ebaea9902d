/* Parts of the engine by themselves: tiling, JSON text, numbers, sizes, budgets, outputs that appear whole. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch/kernels.h"
#include "core/base/file.h"
#include "core/base/number.h"
#include "core/forward/tiles.h"
#include "core/infoplane.h"
#include "core/output/json_write.h"

/* Every token is in exactly one segment, in order; segments begin at multiples of 16; items hold whole documents. */
static void check_tiling(const uint64_t *lengths, size_t documents) {
    uint64_t offsets[64] = {0};
    for (size_t d = 0; d < documents; d++) offsets[d + 1] = offsets[d] + lengths[d];
    ip_corpus corpus = {.offsets = offsets, .documents = documents, .tokens = offsets[documents]};
    ip_tiling t;
    ip_error error;
    cr_assert_eq(ip_tiling_make(&t, &corpus, &error), IP_OK);
    uint64_t row = 0, segment = 0, tile = 0;
    size_t next = 0, next_long = 0;
    while (next + next_long < t.item_count + t.long_count) {
        bool is_long = next_long < t.long_count && t.long_items[next_long].first_tile == tile;
        const ip_item *item = is_long ? &t.long_items[next_long++] : &t.items[next++];
        cr_assert_eq(item->first_tile, tile);
        cr_assert_gt(item->tiles, 0);
        for (size_t j = 0; j < item->tiles; j++, tile++) {
            const ip_tile *at = &t.tiles[tile];
            cr_assert_eq(at->row, row);
            cr_assert_eq(at->first_segment, segment);
            cr_assert(at->rows > 0 && at->rows <= IP_TILE_ROWS);
            uint32_t rows = 0;
            for (uint32_t s = 0; s < at->segments; s++, segment++) {
                const ip_segment *g = &t.segments[segment];
                cr_assert_eq(g->position % IP_QUERY_TILE, 0);
                cr_assert_eq(offsets[g->document] + g->position, row);
                cr_assert_gt(g->rows, 0);
                cr_assert_eq(offsets[g->document + 1] - offsets[g->document] > IP_LONG_ROWS, is_long);
                rows += g->rows;
                row += g->rows;
                cr_assert_leq(row, offsets[g->document + 1]);
            }
            cr_assert_eq(rows, at->rows);
        }
        bool border = false;
        for (size_t d = 0; d <= documents; d++) border = border || offsets[d] == row;
        cr_assert(border, "an item ends in the middle of a document");
    }
    cr_assert_eq(row, corpus.tokens);
    cr_assert_eq(segment, t.segment_count);
    cr_assert_eq(tile, t.tile_count);
    ip_tiling_free(&t);
}

Test(tiling, covers_every_token) {
    check_tiling((uint64_t[]){1, 15, 16, 17, 191, 192, 193, 200, 511, 512, 513, 0, 0, 3, 2000, 7}, 16);
    check_tiling((uint64_t[]){0}, 1);
    check_tiling((uint64_t[]){100000, 1}, 2);
    check_tiling((uint64_t[]){5, 4096, 4097, 30, 5000, 9000, 1}, 7);
    uint64_t ones[60];
    for (int i = 0; i < 60; i++) ones[i] = 1 + (uint64_t)i % 40;
    check_tiling(ones, 60);
}

Test(json, text_reads_back) {
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    ip_json json;
    ip_json_begin(&json, file);
    ip_json_open(&json, NULL, '{', false);
    ip_json_string(&json, "s", "a\"\\\n\x01\x1b \xC3\xA9 \xFF");
    ip_json_double(&json, "tenth", 0.1);
    ip_json_double(&json, "nan", NAN);
    ip_json_uint(&json, "big", UINT64_MAX / 2);
    ip_json_open(&json, "list", '[', true);
    ip_json_bool(&json, NULL, true);
    ip_json_null(&json, NULL);
    ip_json_open(&json, NULL, '{', true);
    ip_json_close(&json, '}');
    ip_json_close(&json, ']');
    ip_json_string(&json, "none", NULL);
    ip_json_close(&json, '}');
    ip_json_end(&json);
    fclose(file);
    json_error_t error;
    json_t *root = json_loads(text, 0, &error);
    cr_assert(root, "%s in %s", error.text, text);
    cr_assert_str_eq(json_string_value(json_object_get(root, "s")), "a\"\\\n\x01\x1b \xC3\xA9 \xEF\xBF\xBD");
    cr_assert_eq(json_real_value(json_object_get(root, "tenth")), 0.1);
    cr_assert(json_is_null(json_object_get(root, "nan")) && json_is_null(json_object_get(root, "none")));
    cr_assert_eq(json_integer_value(json_object_get(root, "big")), (json_int_t)(UINT64_MAX / 2));
    cr_assert_eq(json_array_size(json_object_get(root, "list")), 3);
    json_decref(root);
    free(text);
}

Test(numbers, any_locale) {
    char room[IP_NUMBER_ROOM];
    /* de_DE may not be installed; then this checks the C locale twice */
    setlocale(LC_NUMERIC, "de_DE.UTF-8");
    cr_assert_str_eq(ip_number_text(1.5, room), "1.5");
    cr_assert_eq(strtod(ip_number_text(0x1.fffffffffffffp+1023, room), NULL), 0x1.fffffffffffffp+1023);
    setlocale(LC_NUMERIC, "C");
    cr_assert_str_eq(ip_number_text(INFINITY, room), "null");
}

Test(sizes, powers_of_1024) {
    uint64_t n;
    cr_assert(ip_parse_size("200M", &n) && n == 200u << 20);
    cr_assert(ip_parse_size("2G", &n) && n == (uint64_t)2 << 30);
    cr_assert(ip_parse_size("1024", &n) && n == 1024);
    cr_assert(ip_parse_size("3KiB", &n) && n == 3072);
    static const char *const bad[] = {"", "M", "-1", "1.5G", "1X", "99999999999G", "1MM", "18446744073709551616"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) cr_assert(!ip_parse_size(bad[i], &n), "%s", bad[i]);
}

Test(outputs, appear_whole_or_not_at_all) {
    char folder[] = "/tmp/infoplane-test-XXXXXX", path[64], text[64];
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a/b/file", folder);
    ip_error error;
    snprintf(text, sizeof text, "%s/a/b", folder);
    cr_assert_eq(ip_make_folder(text, &error), IP_OK);
    cr_assert_eq(ip_make_folder(text, &error), IP_OK);
    ip_out out;
    cr_assert_eq(ip_out_open(&out, path, &error), IP_OK);
    fputs("half", out.file);
    fflush(out.file);
    cr_assert_neq(access(path, F_OK), 0, "there before it is whole");
    ip_out_abandon(&out);
    cr_assert_neq(access(path, F_OK), 0);
    cr_assert_eq(ip_out_open(&out, path, &error), IP_OK);
    fputs("whole", out.file);
    cr_assert_eq(ip_out_commit(&out, &error), IP_OK);
    FILE *file = fopen(path, "r");
    cr_assert(file && fgets(text, sizeof text, file));
    cr_assert_str_eq(text, "whole");
    fclose(file);
    cr_assert_eq(ip_out_open(&out, "/dev/full", &error), IP_OK);
    fputs("lost", out.file);
    cr_assert_eq(ip_out_commit(&out, &error), IP_FAILED);
    cr_assert(strstr(error.message, "/dev/full"));
    cr_assert_eq(ip_out_open(&out, folder, &error), IP_FAILED);
    snprintf(path, sizeof path, "%s/a/b/file/below", folder);
    cr_assert_eq(ip_out_open(&out, path, &error), IP_FAILED);
    cr_assert_eq(ip_make_folder(path, &error), IP_FAILED);
    snprintf(path, sizeof path, "rm -r %s", folder);
    cr_assert_eq(system(path), 0);
}

Test(messages, are_printable) {
    ip_error error;
    ip_fail(&error, IP_BAD_INPUT, "a\x1b[31m\nb \xC3\xA9\xC2\x9B%c", 7);
    cr_assert_str_eq(error.message, "a?[31m?b \xC3\xA9???");
    cr_assert_eq(error.status, IP_BAD_INPUT);
}
