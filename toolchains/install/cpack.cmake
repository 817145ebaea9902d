# Read by cpack before it makes a package, once per kind. CMake makes a .deb that depends on nothing when it finds no
# dpkg-shlibdeps: such a package installs everywhere and runs nowhere, so it is refused here.
if(CPACK_GENERATOR STREQUAL "DEB" AND CPACK_DEBIAN_PACKAGE_SHLIBDEPS)
    foreach(tool dpkg-shlibdeps:dpkg-dev file:file)
        string(REGEX MATCH "^(.*):(.*)$" tool ${tool})
        find_program(ip_found ${CMAKE_MATCH_1} NO_CACHE)
        if(NOT ip_found)
            message(FATAL_ERROR "A .deb needs ${CMAKE_MATCH_1}, which finds out what it depends on: "
                "run toolchains/setup.sh, or install the package ${CMAKE_MATCH_2}. Without it: cpack -G TZST.")
        endif()
        unset(ip_found)
    endforeach()
endif()
