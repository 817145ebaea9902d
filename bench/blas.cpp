// Matrix products against the libraries made for them: f32 against OpenBLAS, bf16 and int8 against oneDNN, one thread,
// 512 rows, the shapes of a 135M and an 8B model. The two run in turns; medians of processor time.
//
// Ours: weights packed beforehand, as once per layer and run; activations packed inside the time, by tiles of the engine's
// size. OpenBLAS packs both operands inside its call; its interface knows nothing else. oneDNN: weights reordered
// beforehand to the layout it asks for; its activations are bf16 or u8 already. Its int8 product has one scale for the
// whole matrix, ours one per 32 inputs (on an x86 with AVX-512 a conversion and a multiply-add per 32).
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#ifdef BENCH_OPENBLAS
#include <cblas.h>
#endif
#ifdef BENCH_ONEDNN
#include <dnnl.hpp>
#endif

extern "C" {
#include "arch/dispatch.h"
#include "arch/kernels.h"
#include "bench/huge_pages.h"
#include "core/base/memory.h"
#include "core/forward/tiles.h"
}

namespace {

constexpr size_t ROWS = 512, TURNS = 7;

double processor_seconds() {
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

struct shape {
    size_t n, k;
};

std::vector<float> numbers(size_t n) {
    std::vector<float> x(n);
    uint32_t state = 1;
    for (float &v : x) {
        state = state * 1664525u + 1013904223u;
        v = static_cast<float>(state >> 8) * 0x1p-24f - 0.5f;
    }
    return x;
}

char *room(size_t bytes) {
    char *p = static_cast<char *>(ip_alloc64(bytes + 64));
    if (!p) {
        std::fprintf(stderr, "no memory for %zu bytes\n", bytes);
        std::exit(1);
    }
    std::memset(p, 0, bytes + 64);
    return p;
}

// Our product over all rows, a tile of the engine at a time.
class product {
  public:
    product(const ip_kernels *table, ip_arith arith, shape s) : kernels(table), size(s), x(numbers(ROWS * s.k)) {
        ip_matrix_layout(&w, weights = room(ip_matrix_bytes(table, arith, s.n, s.k, IP_GROUP, false)), table, arith,
                         s.n, s.k, IP_GROUP, false);
        for (size_t i = 0; w.scale && i < s.n * w.kp / IP_GROUP; i++) w.scale[i] = 0.01f;
        for (size_t tile = 0; tile < ROWS; tile += IP_TILE_ROWS)
            largest = std::max(largest, std::min<size_t>(ROWS - tile, IP_TILE_ROWS));
        act = room(ip_act_bytes(table, arith, largest, s.k));
        c = reinterpret_cast<float *>(room((ROWS + IP_TILE_MAX) * s.n * sizeof(float)));
    }
    ~product() {
        std::free(weights);
        std::free(act);
        std::free(c);
    }
    product(const product &) = delete;
    product &operator=(const product &) = delete;
    void run() {
        for (size_t row = 0; row < ROWS; row += IP_TILE_ROWS) {
            ip_act a;
            ip_act_layout(&a, act, kernels, w.arith, std::min<size_t>(ROWS - row, IP_TILE_ROWS), size.k);
            ip_act_fill(&a, kernels, x.data() + row * size.k, size.k);
            ip_gemm(kernels, c + row * size.n, size.n, &w, 0, size.n / IP_LANES, &a);
        }
    }

  private:
    const ip_kernels *kernels;
    shape size;
    std::vector<float> x;
    ip_matrix w;
    char *weights = nullptr, *act = nullptr;
    float *c = nullptr;
    size_t largest = 0;
};

double once(const std::function<void()> &f, size_t times) {
    double start = processor_seconds();
    for (size_t i = 0; i < times; i++) f();
    return (processor_seconds() - start) / static_cast<double>(times);
}

void in_turns(const char *what, const shape &s, const std::function<void()> &ours, const char *peer,
              const std::function<void()> &theirs) {
    double macs = static_cast<double>(ROWS * s.n) * static_cast<double>(s.k);
    std::vector<double> a, b, ratio;
    ours();
    theirs();
    size_t times = std::max<size_t>(1, static_cast<size_t>(3e9 / macs));
    for (size_t i = 0; i < TURNS; i++) {
        a.push_back(macs / once(ours, times) * 1e-9);
        b.push_back(macs / once(theirs, times) * 1e-9);
        ratio.push_back(a.back() / b.back());
    }
    for (auto *v : {&a, &b, &ratio}) std::sort(v->begin(), v->end());
    std::printf("%-5s %5zu x %-5zu  infoplane %6.1f  %s %6.1f GMAC/s  ratio %.2f (%.2f to %.2f)\n", what, s.n, s.k,
                a[TURNS / 2], peer, b[TURNS / 2], ratio[TURNS / 2], ratio[0], ratio[TURNS - 1]);
}

#ifdef BENCH_OPENBLAS
void versus_openblas(const ip_kernels *kernels, const shape &s) {
    product ours(kernels, IP_ARITH_F32, s);
    std::vector<float> x = numbers(ROWS * s.k), w = numbers(s.n * s.k), c(ROWS * s.n);
    int m = static_cast<int>(ROWS), n = static_cast<int>(s.n), k = static_cast<int>(s.k);
    in_turns(
        "f32", s, [&] { ours.run(); }, "OpenBLAS",
        [&] {
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1.0f, x.data(), k, w.data(), k, 0.0f,
                        c.data(), n);
        });
}
#endif

#ifdef BENCH_ONEDNN
void versus_onednn(const ip_kernels *kernels, ip_arith arith, const shape &s) {
    using type = dnnl::memory::data_type;
    using tag = dnnl::memory::format_tag;
    bool bf16 = arith == IP_ARITH_BF16;
    dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    dnnl::stream stream(engine);
    dnnl::memory::dim m = ROWS, n = static_cast<dnnl::memory::dim>(s.n), k = static_cast<dnnl::memory::dim>(s.k);
    dnnl::memory::desc x({m, k}, bf16 ? type::bf16 : type::u8, tag::ab);
    dnnl::memory::desc any({k, n}, bf16 ? type::bf16 : type::s8, tag::any),
        plain({k, n}, bf16 ? type::bf16 : type::s8, tag::ba);
    dnnl::memory::desc y({m, n}, type::f32, tag::ab);
    dnnl::primitive_attr attributes;
    if (!bf16) attributes.set_output_scales(0, {0.01f});
    dnnl::matmul::primitive_desc chosen(dnnl::matmul::desc(x, any, y), attributes, engine);
    dnnl::memory from(plain, engine), weights(chosen.weights_desc(), engine), input(x, engine), output(y, engine);
    // Small numbers of both types: the bits of 1.0 as bf16, ones as bytes.
    std::memset(input.get_data_handle(), bf16 ? 0x3f : 1, x.get_size());
    std::memset(from.get_data_handle(), bf16 ? 0x3f : 1, plain.get_size());
    dnnl::reorder(from, weights).execute(stream, from, weights);
    dnnl::matmul theirs(chosen);
    std::unordered_map<int, dnnl::memory> arguments = {
        {DNNL_ARG_SRC, input}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, output}};
    product ours(kernels, arith, s);
    in_turns(
        bf16 ? "bf16" : "int8", s, [&] { ours.run(); }, "oneDNN  ",
        [&] {
            theirs.execute(stream, arguments);
            stream.wait();
        });
}
#endif

} // namespace

int main(int, char **argv) {
    bench_huge_pages(argv);
    // Both libraries read this before main.
    if (!std::getenv("OMP_NUM_THREADS") || std::strcmp(std::getenv("OMP_NUM_THREADS"), "1") != 0) {
        setenv("OMP_NUM_THREADS", "1", 1);
        execv("/proc/self/exe", argv);
        std::fprintf(stderr, "set OMP_NUM_THREADS=1: the libraries would use more threads\n");
        return 1;
    }
    const ip_kernels *kernels;
    ip_error error;
    if (ip_arch_select(&kernels, std::getenv("INFOPLANE_ISA"), &error) != IP_OK) {
        std::fprintf(stderr, "%s\n", error.message);
        return error.status;
    }
    std::printf("%s, one thread, %zu rows, outputs x inputs; medians of %zu turns\n", kernels->name, ROWS, TURNS);
    const shape shapes[] = {{576, 576}, {1536, 576}, {576, 1536}, {4096, 4096}, {14336, 4096}, {4096, 14336}};
#ifdef BENCH_OPENBLAS
    for (const shape &s : shapes) versus_openblas(kernels, s);
#else
    std::puts("SKIPPED OpenBLAS: apt-get install libopenblas-dev, then configure again");
#endif
#ifdef BENCH_ONEDNN
    for (ip_arith arith : {IP_ARITH_BF16, IP_ARITH_INT8})
        for (const shape &s : shapes) versus_onednn(kernels, arith, s);
#else
    std::puts("SKIPPED oneDNN: apt-get install libdnnl-dev, then configure again");
#endif
    return 0;
}
