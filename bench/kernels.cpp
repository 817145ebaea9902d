// Micro-benchmarks of every kernel of the list at the shapes of a 135M model (width 576, feed-forward 1536) and of an 8B
// model (4096, 14336), on the table that INFOPLANE_ISA names (default: the best of this machine).
//
// Products and attention carry the counter `peak`: their rate as a share of what the instruction they rest on can do,
// measured right beside them by a loop that touches registers only (tests/kernels/peak.c). Times are processor time of
// one thread. The list of kernels expands here: a kernel without a benchmark does not compile.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

extern "C" {
#include "arch/dispatch.h"
#include "arch/kernels.h"
#include "bench/huge_pages.h"
#include "core/base/memory.h"
#include "core/forward/tiles.h"
#include "tests/kernels/peak.h"
}

namespace {

const ip_kernels *kernels;

// ---- buffers ----

struct release {
    void operator()(void *p) const { std::free(p); }
};
template <typename T> using buffer = std::unique_ptr<T[], release>;

template <typename T> buffer<T> room(size_t n) {
    void *p = ip_alloc64(n * sizeof(T) + 64);
    if (!p) {
        std::fprintf(stderr, "no memory for %zu bytes\n", n * sizeof(T));
        std::exit(1);
    }
    std::memset(p, 0, n * sizeof(T) + 64);
    return buffer<T>(static_cast<T *>(p));
}

// About normal: the sum of four uniform numbers.
buffer<float> normals(size_t n) {
    buffer<float> x = room<float>(n);
    uint64_t state = 1;
    for (size_t i = 0; i < n; i++) {
        float sum = 0;
        for (int j = 0; j < 4; j++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            sum += static_cast<float>(state >> 40) * 0x1p-24f - 0.5f;
        }
        x[i] = sum * 1.7f;
    }
    return x;
}

// ---- registering ----

using work = std::function<void()>;

double processor_seconds() {
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

// Times `once` until the library has enough; seconds per call.
double seconds_of(benchmark::State &state, const work &once) {
    once();
    double start = processor_seconds();
    for (auto step : state) {
        (void)step;
        once();
        benchmark::ClobberMemory();
    }
    return (processor_seconds() - start) / static_cast<double>(state.iterations());
}

// Multiply-accumulates per second of the instruction behind a product, the best of some runs; 0 where there is none.
double peak_rate(ip_arith arith) {
    double macs = peak_macs(kernels, arith), best = 0;
    for (int i = 0; macs > 0 && i < 5; i++) {
        double start = processor_seconds();
        for (int j = 0; j < 15; j++) peak_run(kernels, arith);
        best = std::max(best, 15 * macs / (processor_seconds() - start));
    }
    return best;
}

// make is called when the benchmark runs; it returns what is to be timed.
void add_product(const std::string &name, double macs, ip_arith arith, const std::function<work()> &make) {
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State &state) {
        double rate = macs / seconds_of(state, make()), peak = peak_rate(arith);
        state.counters["GMAC/s"] = rate * 1e-9;
        if (peak > 0) state.counters["peak"] = rate / peak;
    });
}

void add_elements(const char *kernel, const std::string &shape, double elements, const std::function<work()> &make) {
    std::string name = std::string(kernel) + "/" + shape;
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State &state) {
        state.counters["ns/element"] = seconds_of(state, make()) / elements * 1e9;
    });
}

// ---- products: pack, act, gemm ----

struct shape {
    size_t n, k; // outputs, inputs
};
constexpr shape shapes[] = {{576, 576}, {1536, 576}, {576, 1536}, {4096, 4096}, {14336, 4096}, {4096, 14336}};

struct operands {
    ip_matrix w;
    ip_act a;
    buffer<unsigned char> weights, activations;
    buffer<float> x, c;
};

// Codes of `bits` bits, as a type of so many has them; floats where the arithmetic has no codes.
void pack_panels(operands &o, ip_arith arith, unsigned bits) {
    size_t k = o.w.k, kp = o.w.kp;
    auto floats = normals(IP_LANES * kp);
    auto codes = room<int8_t>(IP_LANES * kp);
    for (size_t i = 0; i < IP_LANES * kp; i++)
        codes[i] = static_cast<int8_t>(static_cast<int>(i * 37 % (1u << bits)) - (1 << (bits - 1)));
    for (size_t j = 0; j * IP_LANES < o.w.n; j++) {
        unsigned char *panel = o.w.codes + j * o.w.panel_bytes;
        switch (arith) {
        case IP_ARITH_F32: kernels->pack_f32(reinterpret_cast<float *>(panel), floats.get(), kp, IP_LANES, k); break;
        case IP_ARITH_BF16: kernels->pack_bf16(panel, floats.get(), kp, IP_LANES, k); break;
        case IP_ARITH_INT16: kernels->pack_int16(panel, codes.get(), kp, IP_LANES, kp); break;
        default: kernels->pack_int8(panel, codes.get(), kp, IP_LANES, kp); break;
        }
    }
}

std::shared_ptr<operands> make_operands(ip_arith arith, const shape &s, unsigned group, bool has_min, unsigned bits) {
    auto o = std::make_shared<operands>();
    size_t rows = IP_TILE_ROWS;
    o->weights = room<unsigned char>(ip_matrix_bytes(kernels, arith, s.n, s.k, group, has_min));
    o->activations = room<unsigned char>(ip_act_bytes(kernels, arith, rows, s.k));
    ip_matrix_layout(&o->w, o->weights.get(), kernels, arith, s.n, s.k, group, has_min);
    ip_act_layout(&o->a, o->activations.get(), kernels, arith, rows, s.k);
    for (size_t i = 0; o->w.scale && i < s.n * o->w.kp / group; i++) {
        o->w.scale[i] = 0.01f;
        if (has_min) o->w.min[i] = 0.1f;
    }
    pack_panels(*o, arith, bits);
    o->x = normals(rows * s.k);
    o->c = room<float>((rows + IP_TILE_MAX) * s.n);
    ip_act_fill(&o->a, kernels, o->x.get(), s.k);
    return o;
}

std::string shape_name(const shape &s) { return std::to_string(s.n) + "x" + std::to_string(s.k); }

void add_gemm(const char *kernel, ip_arith arith) {
    struct variant {
        unsigned bits, group;
        bool has_min;
        const char *name;
    };
    // As Q8_0, Q4_0, Q4_1 and Q4_K, Q6_K, Q2_K have them; bits matter to AVX2's int8 alone.
    static const variant plain[] = {{8, IP_GROUP, false, ""}};
    static const variant grouped[] = {{8, 32, false, "/8bits/group32"},
                                      {4, 32, false, "/4bits/group32"},
                                      {4, 32, true, "/4bits/group32+min"},
                                      {6, 16, false, "/6bits/group16"},
                                      {2, 16, true, "/2bits/group16+min"}};
    bool integers = arith == IP_ARITH_INT16 || arith == IP_ARITH_INT8;
    for (const shape &s : shapes) {
        for (const variant *v = integers ? grouped : plain; v != (integers ? std::end(grouped) : std::end(plain));
             v++) {
            double macs = static_cast<double>(IP_TILE_ROWS) * static_cast<double>(s.n) * static_cast<double>(s.k);
            add_product(std::string(kernel) + "/" + shape_name(s) + v->name, macs, arith, [=]() -> work {
                auto o = make_operands(arith, s, v->group, v->has_min, v->bits);
                return [o] { ip_gemm(kernels, o->c.get(), o->w.n, &o->w, 0, o->w.n / IP_LANES, &o->a); };
            });
        }
    }
}

void add_act(const char *kernel, ip_arith arith) {
    for (size_t k : {size_t{576}, size_t{1536}, size_t{4096}, size_t{14336}}) {
        add_elements(kernel, std::to_string(k), static_cast<double>(IP_TILE_ROWS * k), [=]() -> work {
            auto o = make_operands(arith, {IP_LANES, k}, IP_GROUP, false, 8);
            return [o] { ip_act_fill(&o->a, kernels, o->x.get(), o->a.k); };
        });
    }
}

template <typename T, typename F> void add_pack(const char *kernel, ip_arith arith, F pack) {
    for (size_t k : {size_t{576}, size_t{1536}, size_t{4096}, size_t{14336}}) {
        add_elements(kernel, std::to_string(k), static_cast<double>(IP_LANES * k), [=]() -> work {
            auto o = make_operands(arith, {IP_LANES, k}, IP_GROUP, false, 8);
            std::shared_ptr<buffer<T>> rows = std::make_shared<buffer<T>>(room<T>(IP_LANES * k));
            for (size_t i = 0; i < IP_LANES * k; i++) (*rows)[i] = static_cast<T>(i % 127);
            return [=] { pack(o->w.codes, rows->get(), k); };
        });
    }
}

// ---- attention ----

struct heads {
    ip_attention job;
    buffer<float> q, k, v, kt, out;
};

std::shared_ptr<heads> make_heads(size_t head, size_t rows, bool bf16) {
    auto h = std::make_shared<heads>();
    size_t blocks = (rows + IP_KEY_BLOCK - 1) / IP_KEY_BLOCK;
    h->q = normals(rows * head);
    h->k = normals(rows * head);
    h->v = normals(rows * head);
    h->kt = room<float>(blocks * IP_KEY_BLOCK * head);
    h->out = room<float>(rows * head);
    kernels->pack_keys(h->kt.get(), h->k.get(), head, 0, rows, head);
    h->job = ip_attention();
    h->job.out = h->out.get();
    h->job.q = h->q.get();
    h->job.kt = h->kt.get();
    h->job.v = h->v.get();
    h->job.out_stride = h->job.q_stride = h->job.v_stride = head;
    h->job.rows = rows;
    h->job.head = head;
    h->job.scale = 1.0f / std::sqrt(static_cast<float>(head));
    h->job.bf16 = bf16;
    return h;
}

void bench_attention(const char *kernel) {
    for (size_t head : {size_t{64}, size_t{128}}) {
        for (size_t rows : {size_t{512}, size_t{2048}}) {
            double macs = static_cast<double>(rows) * static_cast<double>(rows + 1) * static_cast<double>(head);
            std::string name = std::string(kernel) + "/head" + std::to_string(head) + "/" + std::to_string(rows);
            add_product(name, macs, IP_ARITH_F32, [=]() -> work {
                auto h = make_heads(head, rows, false);
                return [h] { kernels->attention(&h->job); };
            });
        }
    }
}

void bench_pack_keys(const char *kernel) {
    for (size_t head : {size_t{64}, size_t{128}}) {
        add_elements(kernel, "head" + std::to_string(head), static_cast<double>(512 * head), [=]() -> work {
            auto h = make_heads(head, 512, false);
            return [=] { kernels->pack_keys(h->kt.get(), h->k.get(), head, 0, 512, head); };
        });
    }
}

// ---- rows ----

struct rows {
    buffer<float> x, y, z;
    buffer<uint64_t> sums;
    buffer<uint32_t> positions;
    size_t n;
};

// f is called with the buffers: x and y normal, z room for the result.
void add_rows(const char *kernel, std::vector<size_t> lengths, const std::function<void(rows &)> &f) {
    for (size_t n : lengths) {
        add_elements(kernel, std::to_string(n), static_cast<double>(n), [=]() -> work {
            auto r = std::make_shared<rows>();
            r->n = n;
            r->x = normals(n + 16);
            r->y = normals(n + 16);
            r->z = room<float>(n + 16);
            return [=] { f(*r); };
        });
    }
}

// Soft assignments of 100 anchors to many positions: probabilities in blocks of 16 anchors.
void add_soft(const char *kernel, std::vector<size_t> lengths, const std::function<void(rows &)> &f) {
    for (size_t n : lengths) {
        add_elements(kernel, std::to_string(n), static_cast<double>(n), [=]() -> work {
            auto r = std::make_shared<rows>();
            r->n = n;
            r->x = normals(n + 16);
            r->y = room<float>(n + 16);
            for (size_t i = 0; i < n; i += IP_LANES)
                kernels->soft_assign(r->y.get() + i, r->x.get() + i, std::min<size_t>(n - i, IP_LANES), 1.0f);
            r->sums = room<uint64_t>(n + 16);
            for (size_t i = 0; i < n; i++) r->sums[i] = static_cast<uint64_t>(r->y[i] * 0x1p32f);
            size_t blocks = n / IP_LANES;
            r->positions = room<uint32_t>(blocks + 1);
            for (size_t i = 0; i < blocks; i++) r->positions[i] = static_cast<uint32_t>(i * 7919 % blocks);
            return [=] { f(*r); };
        });
    }
}

const std::vector<size_t> widths = {576, 4096}, inner = {1536, 14336}, bins = {100, 1000};

// ---- the list: one function per kernel ----

void bench_pack_f32(const char *kernel) {
    add_pack<float>(kernel, IP_ARITH_F32, [](unsigned char *to, const float *from, size_t k) {
        kernels->pack_f32(reinterpret_cast<float *>(to), from, k, IP_LANES, k);
    });
}
void bench_pack_bf16(const char *kernel) {
    add_pack<float>(kernel, IP_ARITH_BF16, [](unsigned char *to, const float *from, size_t k) {
        kernels->pack_bf16(to, from, k, IP_LANES, k);
    });
}
void bench_pack_int16(const char *kernel) {
    add_pack<int8_t>(kernel, IP_ARITH_INT16, [](unsigned char *to, const int8_t *from, size_t k) {
        kernels->pack_int16(to, from, k, IP_LANES, k);
    });
}
void bench_pack_int8(const char *kernel) {
    add_pack<int8_t>(kernel, IP_ARITH_INT8, [](unsigned char *to, const int8_t *from, size_t k) {
        kernels->pack_int8(to, from, k, IP_LANES, k);
    });
}
void bench_act_f32(const char *kernel) { add_act(kernel, IP_ARITH_F32); }
void bench_act_bf16(const char *kernel) { add_act(kernel, IP_ARITH_BF16); }
void bench_act_int16(const char *kernel) { add_act(kernel, IP_ARITH_INT16); }
void bench_act_int8(const char *kernel) { add_act(kernel, IP_ARITH_INT8); }
void bench_gemm_f32(const char *kernel) { add_gemm(kernel, IP_ARITH_F32); }
void bench_gemm_bf16(const char *kernel) { add_gemm(kernel, IP_ARITH_BF16); }
void bench_gemm_int16(const char *kernel) { add_gemm(kernel, IP_ARITH_INT16); }
void bench_gemm_int8(const char *kernel) { add_gemm(kernel, IP_ARITH_INT8); }
void bench_rms_norm(const char *kernel) {
    add_rows(kernel, widths, [](rows &r) { kernels->rms_norm(r.z.get(), r.x.get(), r.y.get(), r.n, 1e-5f); });
}
void bench_layer_norm(const char *kernel) {
    add_rows(kernel, widths,
             [](rows &r) { kernels->layer_norm(r.z.get(), r.x.get(), r.y.get(), r.y.get(), r.n, 1e-5f); });
}
void bench_rope(const char *kernel) {
    // A rotation keeps the length of what it turns: run for ever, it stays finite.
    add_rows(kernel, {64, 128}, [](rows &r) {
        for (size_t i = 0; r.z[0] == 0.0f && i < r.n / 2; i++) {
            r.z[i] = std::cos(static_cast<float>(i + 1));
            r.z[r.n / 2 + i] = std::sin(static_cast<float>(i + 1));
        }
        kernels->rope(r.x.get(), r.z.get(), r.z.get() + r.n / 2, r.n / 2);
    });
}
void bench_activate(const char *kernel) {
    static const struct {
        ip_activation kind;
        const char *name;
    } kinds[] = {{IP_ACT_SILU, "silu"},      {IP_ACT_GELU_TANH, "gelu-tanh"}, {IP_ACT_GELU_ERF, "gelu-erf"},
                 {IP_ACT_RELU, "relu"},      {IP_ACT_RELU2, "relu2"},         {IP_ACT_XIELU, "xielu"},
                 {IP_ACT_CLAMPED, "clamped"}};
    static const float numbers[] = {0.8f, 0.8f, 0.5f, -1e-6f}; // of xIELU; the others read none
    for (const auto &k : kinds) {
        ip_activation kind = k.kind;
        add_rows((std::string(kernel) + "/" + k.name).c_str(), inner,
                 [kind](rows &r) { kernels->activate(r.z.get(), r.x.get(), r.y.get(), r.n, kind, numbers); });
    }
}
void bench_soft_cap(const char *kernel) {
    add_rows(kernel, {1536, 256000}, [](rows &r) { kernels->soft_cap(r.x.get(), r.n, 1.0f, 30.0f); });
}
void bench_add(const char *kernel) {
    add_rows(kernel, widths, [](rows &r) { kernels->add(r.z.get(), r.x.get(), r.n); });
}
void bench_round_bf16(const char *kernel) {
    add_rows(kernel, widths, [](rows &r) { kernels->round_bf16(r.x.get(), r.n); });
}
void bench_unit(const char *kernel) {
    add_rows(kernel, widths, [](rows &r) { kernels->unit(r.z.get(), r.x.get(), r.n); });
}
void bench_soft_assign(const char *kernel) {
    add_rows(kernel, bins, [](rows &r) { kernels->soft_assign(r.z.get(), r.x.get(), r.n, 1.0f); });
}
void bench_log_sum_exp(const char *kernel) {
    add_rows(kernel, {1024}, [](rows &r) {
        ip_lse state = {-INFINITY, 0.0};
        kernels->log_sum_exp(&state, r.x.get(), r.n);
    });
}
void bench_lse_entropy(const char *kernel) {
    add_rows(kernel, {1024}, [](rows &r) {
        ip_lse state = {-INFINITY, 0.0};
        double weighted = 0.0;
        kernels->lse_entropy(&state, &weighted, r.x.get(), r.n);
    });
}
// Rows of 112 doubles: 100 codewords. Mixed are 16 rows that lie in the cache.
void bench_mix_f64(const char *kernel) {
    add_rows(kernel, {112}, [](rows &) {
        static double table[64 * 112], out[112], weights[16];
        static uint32_t index[16] = {3, 60, 11, 7, 40, 1, 22, 35, 9, 50, 16, 28, 63, 0, 44, 31};
        kernels->mix_f64(out, table, 112, index, weights, 16);
    });
}
void bench_log_f64(const char *kernel) {
    add_rows(kernel, {112}, [](rows &) {
        static double x[112], y[112], shift[112];
        for (size_t j = 0; j < 112; j++) x[j] = 1.0 / static_cast<double>(j + 3);
        kernels->log_f64(y, x, shift, 112);
    });
}
void bench_encode_f64(const char *kernel) {
    add_rows(kernel, {112}, [](rows &) {
        static double q[112], bias[112];
        for (size_t j = 0; j < 112; j++) q[j] = 0.05 * static_cast<double>(j);
        kernels->encode_f64(q, bias, -3.0, 112);
    });
}
void bench_entropy_row(const char *kernel) {
    add_soft(kernel, bins, [](rows &r) { kernels->entropy_row(r.y.get(), r.n); });
}
void bench_entropy_sums(const char *kernel) {
    add_soft(kernel, {16, 1000}, [](rows &r) { kernels->entropy_sums(r.sums.get(), 1, r.n); });
}
// 16 anchors of 1,000 positions stay in the cache, those of 1,000,000 do not.
void bench_sum_gather(const char *kernel) {
    add_soft(kernel, {16 * 1000, 16 * 1000 * 1000}, [](rows &r) {
        uint64_t sums[IP_LANES] = {0};
        kernels->sum_gather(sums, r.y.get(), r.positions.get(), r.n / IP_LANES);
    });
}

} // namespace

int main(int argc, char **argv) {
    bench_huge_pages(argv);
    ip_error error;
    if (ip_arch_select(&kernels, std::getenv("INFOPLANE_ISA"), &error) != IP_OK) {
        std::fprintf(stderr, "%s\n", error.message);
        return error.status;
    }
    std::printf("kernels: %s; products of %d rows\n", kernels->name, IP_TILE_ROWS);
#define IP_KERNEL(type, kernel, arguments) bench_##kernel(#kernel);
#include "arch/kernels.def"
#undef IP_KERNEL
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return IP_USAGE;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
