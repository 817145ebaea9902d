// Timing wrappers around every kernel of the list, made by the compiler from the types in the table.
#include <time.h>

#include <mutex>
#include <type_traits>
#include <vector>

extern "C" {
#include "bench/timed_kernels.h"
}

namespace {

enum kernel_index {
#define IP_KERNEL(type, kernel, arguments) INDEX_##kernel,
#include "arch/kernels.def"
#undef IP_KERNEL
    KERNELS
};

struct record {
    uint64_t calls[KERNELS];
    double seconds[KERNELS];
};

const ip_kernels *inner;
ip_kernels outer;
std::mutex guard;
std::vector<record *> records;
thread_local record *mine;
timed_kernel totals[KERNELS];

double now() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

record *record_of_thread() {
    if (!mine) {
        std::lock_guard<std::mutex> lock(guard);
        records.push_back(mine = new record());
    }
    return mine;
}

template <auto member, int index> struct timed;

template <typename R, typename... A, R (*ip_kernels::*member)(A...), int index> struct timed<member, index> {
    static R call(A... arguments) {
        record *r = record_of_thread();
        r->calls[index]++;
        double start = now();
        if constexpr (std::is_void_v<R>) {
            (inner->*member)(arguments...);
            r->seconds[index] += now() - start;
        } else {
            R result = (inner->*member)(arguments...);
            r->seconds[index] += now() - start;
            return result;
        }
    }
};

// What one pair of clock readings adds to an interval.
double clock_cost() {
    enum { READINGS = 20000 };
    double sum = 0;
    for (int i = 0; i < READINGS; i++) {
        double start = now();
        sum += now() - start;
    }
    return sum / READINGS;
}

} // namespace

const ip_kernels *timed_kernels_begin(const ip_kernels *kernels) {
    inner = kernels;
    outer = *kernels;
#define IP_KERNEL(type, kernel, arguments) outer.kernel = timed<&ip_kernels::kernel, INDEX_##kernel>::call;
#include "arch/kernels.def"
#undef IP_KERNEL
    for (record *r : records) *r = record();
    return &outer;
}

size_t timed_kernels_end(const timed_kernel **rows) {
    static const char *const names[KERNELS] = {
#define IP_KERNEL(type, kernel, arguments) #kernel,
#include "arch/kernels.def"
#undef IP_KERNEL
    };
    const double cost = clock_cost();
    for (int i = 0; i < KERNELS; i++) {
        totals[i] = {names[i], 0, 0.0};
        for (const record *r : records) {
            totals[i].calls += r->calls[i];
            totals[i].seconds += r->seconds[i] - cost * static_cast<double>(r->calls[i]);
        }
    }
    *rows = totals;
    return KERNELS;
}
