// n-gram tables: numbering every n-gram of orders 1..K and the label sets of both sides, by the engine and by the plain
// way with std::unordered_map. Both sort the labels into partitions with the engine's code.
//
// The text is drawn: tokens are Zipf-like over 49,152 words, and every other token repeats what followed the word before
// the last time, so that higher orders recur about as they do in text. Documents have 512 tokens.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <unordered_map>
#include <vector>

extern "C" {
#include "core/ngrams.h"
}

namespace {

constexpr size_t VOCABULARY = 49152, DOCUMENT = 512;

double seconds() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

struct text {
    std::vector<int32_t> ids;
    std::vector<uint64_t> offsets;
    ip_corpus corpus;
};

void draw(text *out, size_t tokens) {
    std::vector<int32_t> follower(VOCABULARY, 0);
    uint64_t state = 1;
    auto next = [&state] {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return static_cast<double>(state >> 11) * 0x1p-53;
    };
    out->ids.resize(tokens);
    int32_t last = 0;
    for (size_t i = 0; i < tokens; i++) {
        int32_t drawn = static_cast<int32_t>(std::pow(static_cast<double>(VOCABULARY), next())) - 1;
        int32_t id = i % 2 == 1 ? follower[static_cast<size_t>(last)] : drawn;
        if (next() < 0.1) id = drawn;
        follower[static_cast<size_t>(last)] = id;
        last = out->ids[i] = id;
    }
    for (size_t at = 0; at < tokens; at += DOCUMENT) out->offsets.push_back(at);
    out->offsets.push_back(tokens);
    out->corpus = ip_corpus();
    out->corpus.ids = out->ids.data();
    out->corpus.offsets = out->offsets.data();
    out->corpus.documents = out->offsets.size() - 1;
    out->corpus.tokens = tokens;
}

void release(ip_partition *parts, unsigned orders) {
    for (unsigned k = 0; k < orders; k++) ip_partition_free(&parts[k]);
}

bool by_engine(const ip_corpus *corpus, unsigned orders, ip_pool *pool, uint64_t *labels) {
    ip_partition x[IP_ORDERS_MAX], y[IP_ORDERS_MAX];
    ip_label_rule rule = {orders, false, 2, false};
    ip_error error;
    if (ip_ngram_partitions(x, y, corpus, &rule, pool, &error) != IP_OK) {
        std::fprintf(stderr, "%s\n", error.message);
        return false;
    }
    *labels = 0;
    for (unsigned k = 0; k < orders; k++) *labels += x[k].labels + y[k].labels;
    release(x, orders);
    release(y, orders);
    return true;
}

// The same numbers from one std::unordered_map per order; then the partitions as the engine makes them, timed in *sorting.
bool by_map(const ip_corpus *corpus, unsigned orders, uint64_t *labels, double *sorting) {
    std::vector<std::vector<uint32_t>> number(orders, std::vector<uint32_t>(corpus->tokens));
    std::vector<size_t> distinct(orders);
    for (unsigned k = 0; k < orders; k++) {
        std::unordered_map<uint64_t, uint32_t> table;
        for (size_t d = 0; d < corpus->documents; d++) {
            for (uint64_t i = corpus->offsets[d] + k; i < corpus->offsets[d + 1]; i++) {
                uint64_t before = k == 0 ? 0 : number[k - 1][i - 1];
                uint64_t key = before << 32 | static_cast<uint32_t>(corpus->ids[i]);
                number[k][i] = table.emplace(key, static_cast<uint32_t>(table.size())).first->second;
            }
        }
        distinct[k] = table.size();
    }
    double start = seconds();
    std::vector<uint32_t> label(ip_corpus_positions(corpus, orders));
    *labels = 0;
    for (unsigned k = 0; k < orders; k++) {
        for (size_t shift : {size_t{0}, size_t{k + 1}}) {
            size_t n = 0;
            for (size_t d = 0; d < corpus->documents; d++) {
                size_t length = static_cast<size_t>(corpus->offsets[d + 1] - corpus->offsets[d]);
                uint64_t first = corpus->offsets[d] + orders - 1;
                for (size_t i = 0; i < ip_counted(length, orders); i++) label[n++] = number[k][first + i + shift];
            }
            ip_partition partition;
            ip_error error;
            if (ip_partition_build(&partition, label.data(), n, distinct[k], &error) != IP_OK) {
                std::fprintf(stderr, "%s\n", error.message);
                return false;
            }
            *labels += partition.labels;
            ip_partition_free(&partition);
        }
    }
    *sorting = seconds() - start;
    return true;
}

} // namespace

int main(int argc, char **argv) {
    size_t tokens = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20'000'000;
    unsigned orders = argc > 2 ? static_cast<unsigned>(std::strtoul(argv[2], nullptr, 10)) : 4;
    unsigned threads = argc > 3 ? static_cast<unsigned>(std::strtoul(argv[3], nullptr, 10)) : 1;
    if (tokens < DOCUMENT || orders < 1 || orders > IP_ORDERS_MAX || threads < 1) {
        std::fprintf(stderr, "usage: bench-ngrams [TOKENS 20000000] [ORDERS 4] [THREADS 1]\n");
        return IP_USAGE;
    }
    ip_pool *pool = ip_pool_create(threads);
    if (!pool) return IP_FAILED;
    text t;
    draw(&t, tokens);
    std::printf("%zu tokens, orders 1-%u, both sides, in turns; infoplane with %u thread(s), the map with one\n", tokens,
                orders, threads);
    for (int turn = 0; turn < 3; turn++) {
        uint64_t labels, expected;
        double sorting, start = seconds();
        if (!by_engine(&t.corpus, orders, pool, &labels)) return IP_FAILED;
        double ours = seconds() - start;
        start = seconds();
        if (!by_map(&t.corpus, orders, &expected, &sorting)) return IP_FAILED;
        double map = seconds() - start, n = static_cast<double>(tokens) * 1e-6;
        if (labels != expected) {
            std::fprintf(stderr, "the two ways disagree: %llu and %llu labels\n", static_cast<unsigned long long>(labels),
                         static_cast<unsigned long long>(expected));
            return IP_FAILED;
        }
        std::printf("infoplane %.2f M tokens/s; std::unordered_map %.2f M tokens/s; ratio %.2f; of the map's time "
                    "the partitions %.2f s\n", n / ours, n / map, map / ours, sorting);
    }
    ip_pool_destroy(pool);
    return 0;
}
