# The libraries, found in one place and given to the rooms as imported targets ip::<name>. What is missing is reported
# in one message, each with the Debian package that holds it. In a cross build the toolchain file confines the search
# to the sysroot.
find_package(Threads REQUIRED)

set(ip_missing "")

# ip_library(name HEADER header LIBRARY names... PACKAGE debian-package [OPTIONAL])
function(ip_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "OPTIONAL" "HEADER;PACKAGE" "LIBRARY")
    string(TOUPPER ${name} upper)
    find_path(IP_${upper}_INCLUDE ${arg_HEADER})
    find_library(IP_${upper}_LIBRARY NAMES ${arg_LIBRARY})
    mark_as_advanced(IP_${upper}_INCLUDE IP_${upper}_LIBRARY)
    if(IP_${upper}_INCLUDE AND IP_${upper}_LIBRARY)
        add_library(ip::${name} UNKNOWN IMPORTED GLOBAL)
        set_target_properties(ip::${name} PROPERTIES
            IMPORTED_LOCATION "${IP_${upper}_LIBRARY}"
            INTERFACE_INCLUDE_DIRECTORIES "${IP_${upper}_INCLUDE}")
    elseif(NOT arg_OPTIONAL)
        set(ip_missing "${ip_missing}\n  ${name} (${arg_HEADER}): Debian package ${arg_PACKAGE}" PARENT_SCOPE)
    endif()
endfunction()

ip_library(sleef HEADER sleef.h LIBRARY sleef PACKAGE libsleef-dev)
ip_library(xxhash HEADER xxhash.h LIBRARY xxhash PACKAGE libxxhash-dev)
ip_library(pcre2 HEADER pcre2.h LIBRARY pcre2-8 PACKAGE libpcre2-dev)
ip_library(jansson HEADER jansson.h LIBRARY jansson PACKAGE libjansson-dev)
ip_library(zlib HEADER zlib.h LIBRARY z PACKAGE zlib1g-dev)
ip_library(zstd HEADER zstd.h LIBRARY zstd PACKAGE libzstd-dev)
ip_library(utf8proc HEADER utf8proc.h LIBRARY utf8proc PACKAGE libutf8proc-dev)
if(INFOPLANE_MIMALLOC)
    ip_library(mimalloc HEADER mimalloc.h LIBRARY mimalloc PACKAGE libmimalloc-dev)
endif()
# Criterion is absent where tests run under an emulator, and crashes under ThreadSanitizer; tests/CMakeLists.txt then
# builds only the programs that do without.
if(INFOPLANE_TESTS AND NOT CMAKE_CROSSCOMPILING AND NOT INFOPLANE_SANITIZE MATCHES "thread")
    ip_library(criterion HEADER criterion/criterion.h LIBRARY criterion PACKAGE libcriterion-dev)
endif()
if(INFOPLANE_BENCH)
    ip_library(benchmark HEADER benchmark/benchmark.h LIBRARY benchmark PACKAGE libbenchmark-dev)
endif()

if(ip_missing)
    message(FATAL_ERROR "Missing libraries:${ip_missing}\nRun toolchains/setup.sh, which installs or names them.")
endif()
