/* Fuzzes pairs: a record alone, a file of them (lines or list), what becomes of each as text and as messages, and a chat
 * template's recognition. The prompt must be a part of the text, and equal in both texts of a pair of texts. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/preference/chat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char chatml[] = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + "
                             "message['content'] + '<|im_end|>\\n' }}{% endfor %}";

static void write_out(ip_pair *pair, const ip_chat *chat) {
    size_t n[2], border[2];
    ip_error error;
    for (int side = 0; side < 2; side++) {
        char *text = ip_pair_plain_text(pair, side == 0, &n[side], &border[side]);
        if (!text || border[side] > n[side] || strlen(text) != n[side]) abort();
        free(text);
    }
    if (border[0] != border[1] && pair->is_texts) abort();
    if (!ip_pair_to_messages(pair) || pair->is_texts) abort();
    char *text;
    if (ip_chat_render_pair(chat, pair, true, &text, &n[0], &border[0], "file", &error) == IP_OK && border[0] > n[0])
        abort();
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static ip_chat *chat;
    ip_error error;
    if (!chat && ip_chat_recognise(&chat, "file", chatml, sizeof chatml - 1, NULL, NULL, &error) != IP_OK) abort();
    ip_pair pair;
    if (ip_pair_parse(&pair, "file", "line 1", (const char *)data, size, &error) == IP_OK) {
        write_out(&pair, chat);
        ip_pair_free(&pair);
    }
    ip_chat *other;
    if (ip_chat_recognise(&other, "file", (const char *)data, size, "<s>", "</s>", &error) == IP_OK)
        ip_chat_free(other);
    int fd = memfd_create("pairs", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size) abort();
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ip_pairs pairs;
    if (ip_pairs_read(&pairs, path, 0, &error) == IP_OK)
        for (size_t i = 0; i < pairs.count; i++) write_out(&pairs.items[i], chat);
    ip_pairs_free(&pairs);
    close(fd);
    return 0;
}
