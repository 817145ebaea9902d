// n-gram tables: the label sets of orders 1..K of both sides, by the engine and by hash maps.
//
// A token is done when its n-grams of all orders are numbered and its positions stand in the 2 K partitions (X and Y of every
// order). The maps do the numbering the plain way, one map per order and key (number of the shorter n-gram, token); the
// partitions are then sorted by counting. Every program's partitions are compared, group by group, outside of the clock.
//
// Text: files of token ids (.npy, laid end to end, documents of 512 tokens), or drawn: tokens are Zipf-like over 49,152
// words, and every other token repeats what followed the word before the last time. That has far fewer repetitions than
// real text: nearly every 3-gram is new, which is the worst case for a table.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <unordered_map>
#include <vector>
#ifdef BENCH_ABSL
#include <absl/container/flat_hash_map.h>
#endif
#ifdef BENCH_BOOST
#include <boost/unordered/unordered_flat_map.hpp>
#endif
#ifdef BENCH_ROBIN
#include <tsl/robin_map.h>
#endif

extern "C" {
#include "core/base/hash.h"
#include "core/base/npy.h"
#include "core/ngrams/ngrams.h"
}

namespace {

constexpr size_t VOCABULARY = 49152, DOCUMENT = 512;
constexpr int TURNS = 3;

struct instant {
    double wall, processor;
};

double read(clockid_t clock) {
    timespec t;
    clock_gettime(clock, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

instant now() { return {read(CLOCK_MONOTONIC), read(CLOCK_PROCESS_CPUTIME_ID)}; }

instant since(instant start) {
    instant t = now();
    return {t.wall - start.wall, t.processor - start.processor};
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
}

bool append(text *out, const char *path) {
    ip_npy npy;
    ip_error error;
    if (ip_npy_open(&npy, path, &error) != IP_OK) {
        std::fprintf(stderr, "%s\n", error.message);
        return false;
    }
    for (uint64_t i = 0; npy.kind != 'f' && i < npy.count; i++)
        out->ids.push_back(static_cast<int32_t>(ip_npy_int(&npy, i) & INT32_MAX));
    ip_npy_close(&npy);
    return true;
}

void cut(text *out) {
    size_t tokens = out->ids.size();
    for (size_t at = 0; at < tokens; at += DOCUMENT) out->offsets.push_back(at);
    out->offsets.push_back(tokens);
    out->corpus = ip_corpus();
    out->corpus.ids = out->ids.data();
    out->corpus.offsets = out->offsets.data();
    out->corpus.documents = out->offsets.size() - 1;
    out->corpus.tokens = tokens;
}

// What a program made and how long it took.
struct result {
    instant time{}, sorting{};
    uint64_t labels = 0, check = 0; // check: which positions stand together, in no matter what order
};

void look_at(ip_partition *p, result *r) {
    r->labels += p->labels;
    std::vector<uint64_t> pair(p->positions), hash(p->positions);
    for (size_t g = 0; g < p->groups; g++)
        for (size_t i = p->start[g]; i < p->start[g + 1]; i++)
            pair[i] = uint64_t{p->order[i]} << 32 | p->order[p->start[g]];
    for (size_t i = p->start[p->groups]; i < p->positions; i++) pair[i] = uint64_t{p->order[i]} << 32 | p->order[i];
    ip_hash64_numbers(hash.data(), pair.data(), p->positions);
    uint64_t sum = r->check * 3;
    for (uint64_t h : hash) sum += h;
    r->check = sum;
    ip_partition_free(p);
}

bool by_engine(const ip_corpus *corpus, unsigned orders, ip_pool *pool, result *r) {
    ip_partition x[IP_ORDERS_MAX], y[IP_ORDERS_MAX];
    ip_label_rule rule = {orders, false, 2, false};
    ip_error error;
    instant start = now();
    if (ip_ngram_partitions(x, y, corpus, &rule, pool, &error) != IP_OK) {
        std::fprintf(stderr, "%s\n", error.message);
        return false;
    }
    r->time = since(start);
    for (unsigned k = 0; k < orders; k++) {
        look_at(&x[k], r);
        look_at(&y[k], r);
    }
    return true;
}

template <class map> bool by_map(const ip_corpus *corpus, unsigned orders, ip_pool *, result *r) {
    instant start = now();
    std::vector<std::vector<uint32_t>> number(orders);
    std::vector<size_t> distinct(orders);
    for (unsigned k = 0; k < orders; k++) {
        number[k].resize(corpus->tokens);
        map table;
        if (k > 0) table.reserve(distinct[k - 1]); // there are not fewer
        for (size_t d = 0; d < corpus->documents; d++) {
            for (uint64_t i = corpus->offsets[d] + k; i < corpus->offsets[d + 1]; i++) {
                uint64_t before = k == 0 ? 0 : number[k - 1][i - 1];
                uint64_t key = before << 32 | static_cast<uint32_t>(corpus->ids[i]);
                number[k][i] = table.emplace(key, static_cast<uint32_t>(table.size())).first->second;
            }
        }
        distinct[k] = table.size();
    }
    instant middle = now();
    std::vector<ip_partition> partitions;
    std::vector<uint32_t> label(ip_corpus_positions(corpus, orders));
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
            partitions.push_back(partition);
        }
    }
    r->time = since(start);
    r->sorting = since(middle);
    for (ip_partition &p : partitions) look_at(&p, r);
    return true;
}

// tsl::robin_map takes the low bits of the hash as they are, and std::hash gives the key itself.
struct spread {
    size_t operator()(uint64_t key) const {
        key = (key ^ key >> 32) * 0x9e3779b97f4a7c15u;
        return key ^ key >> 32;
    }
};

struct program {
    const char *name;
    bool (*run)(const ip_corpus *, unsigned, ip_pool *, result *);
};

const program programs[] = {
    {"infoplane", by_engine},
    {"std::unordered_map", by_map<std::unordered_map<uint64_t, uint32_t>>},
#ifdef BENCH_ABSL
    {"absl::flat_hash_map", by_map<absl::flat_hash_map<uint64_t, uint32_t>>},
#endif
#ifdef BENCH_BOOST
    {"boost::unordered_flat_map", by_map<boost::unordered_flat_map<uint64_t, uint32_t>>},
#endif
#ifdef BENCH_ROBIN
    {"tsl::robin_map", by_map<tsl::robin_map<uint64_t, uint32_t, spread>>},
#endif
};

void say_what_is_missing() {
#ifndef BENCH_ABSL
    std::printf("SKIPPED: absl::flat_hash_map (apt-get install libabsl-dev, then configure again)\n");
#endif
#ifndef BENCH_BOOST
    std::printf("SKIPPED: boost::unordered_flat_map (apt-get install libboost1.81-dev, then configure again)\n");
#endif
#ifndef BENCH_ROBIN
    std::printf("SKIPPED: tsl::robin_map (apt-get install robin-map-dev, then configure again)\n");
#endif
}

// One turn: every program once, its rate by both clocks, and how many times as long it took as the engine.
bool turn(const ip_corpus *corpus, unsigned orders, ip_pool *pool) {
    double n = static_cast<double>(corpus->tokens) * 1e-6, ours = 0.0;
    result first;
    for (const program &p : programs) {
        result r;
        if (!p.run(corpus, orders, pool, &r)) return false;
        if (&p == programs) {
            first = r;
            ours = r.time.processor;
        }
        if (r.labels != first.labels || r.check != first.check) {
            std::fprintf(stderr, "%s disagrees: %llu and %llu labels\n", p.name,
                         static_cast<unsigned long long>(r.labels), static_cast<unsigned long long>(first.labels));
            return false;
        }
        std::printf("%-26s %7.2f M tokens/s per core (processor time), %7.2f by the wall clock; ratio %5.2f", p.name,
                    n / r.time.processor, n / r.time.wall, r.time.processor / ours);
        if (&p != programs) std::printf("; partitions %.2f of %.2f s", r.sorting.processor, r.time.processor);
        std::printf("\n");
    }
    return true;
}

} // namespace

int main(int argc, char **argv) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    text t;
    size_t tokens = 20'000'000;
    unsigned numbers[2] = {4, 1}; // orders, threads
    int files = 1;
    for (; files < argc && std::strstr(argv[files], ".npy"); files++)
        if (!append(&t, argv[files])) return IP_BAD_INPUT;
    if (files == 1 && argc > 1) tokens = std::strtoull(argv[files++], nullptr, 10);
    for (int i = 0; i < 2 && files < argc; i++)
        numbers[i] = static_cast<unsigned>(std::strtoul(argv[files++], nullptr, 10));
    if (t.ids.empty() && tokens >= DOCUMENT) draw(&t, tokens);
    if (t.ids.size() < DOCUMENT || numbers[0] < 1 || numbers[0] > IP_ORDERS_MAX || numbers[1] < 1 || files < argc) {
        std::fprintf(stderr, "usage: bench-ngrams [TOKENS 20000000 | IDS.npy...] [ORDERS 4] [THREADS 1]\n");
        return IP_USAGE;
    }
    cut(&t);
    ip_pool *pool = ip_pool_create(numbers[1]);
    if (!pool) return IP_FAILED;
    std::printf("%zu tokens, orders 1-%u, both sides, in turns; infoplane with %u thread(s), the maps with one\n",
                t.ids.size(), numbers[0], numbers[1]);
    say_what_is_missing();
    // The first memory a process takes can be slow for reasons of the machine (a virtual one has to get it from its host):
    // one run before the turns takes as much as any program will.
    result warm;
    if (!by_engine(&t.corpus, numbers[0], pool, &warm)) return IP_FAILED;
    std::printf("(first run, in fresh memory: %.2f M tokens/s per core)\n",
                static_cast<double>(t.ids.size()) * 1e-6 / warm.time.processor);
    for (int i = 0; i < TURNS; i++)
        if (!turn(&t.corpus, numbers[0], pool)) return IP_FAILED;
    ip_pool_destroy(pool);
    return 0;
}
