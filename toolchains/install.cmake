# What `cmake --install` puts where, and the packages (cpack): program, libraries, header, pkg-config and CMake package
# files, man pages, completions, the demo.
include(CMakePackageConfigHelpers)
set(ip_share ${CMAKE_CURRENT_LIST_DIR}/install)

# An archive has the libraries it needs in the folder of the program's modules (install/bundle.cmake); elsewhere there are
# none in it, and the system's are taken. Cross builds have a run path of their own, for archive.sh.
if(NOT APPLE AND NOT CMAKE_CROSSCOMPILING)
    set_property(TARGET infoplane PROPERTY INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}/infoplane")
    if(TARGET infoplane_shared)
        set_property(TARGET infoplane_shared PROPERTY INSTALL_RPATH "$ORIGIN/infoplane")
    endif()
endif()
install(TARGETS infoplane COMPONENT program)
if(NOT TARGET infoplane_shared)
    return() # sanitized and fuzzing builds have no library for others
endif()
install(TARGETS infoplane_shared LIBRARY COMPONENT library NAMELINK_COMPONENT development)
install(TARGETS infoplane_static ARCHIVE COMPONENT development)
install(FILES ${CMAKE_BINARY_DIR}/include/infoplane.h TYPE INCLUDE COMPONENT development)

file(RELATIVE_PATH ip_pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" ip_pc_prefix "${ip_pc_prefix}")
configure_file(${ip_share}/infoplane.pc.in ${CMAKE_BINARY_DIR}/install/infoplane.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/install/infoplane.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
        COMPONENT development)
set(ip_package ${CMAKE_INSTALL_LIBDIR}/cmake/infoplane)
configure_package_config_file(${ip_share}/infoplane-config.cmake.in ${CMAKE_BINARY_DIR}/install/infoplane-config.cmake
    INSTALL_DESTINATION ${ip_package} PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/install/infoplane-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/install/infoplane-config.cmake
        ${CMAKE_BINARY_DIR}/install/infoplane-config-version.cmake DESTINATION ${ip_package} COMPONENT development)

# Man pages and completions come out of the program, from the lists that its --help is made of. A cross build runs it
# through the emulator, and goes without them where there is none.
if(NOT CMAKE_CROSSCOMPILING OR CMAKE_CROSSCOMPILING_EMULATOR)
    set(ip_pages ${CMAKE_BINARY_DIR}/install/pages)
    add_custom_command(OUTPUT ${ip_pages}/made
        COMMAND ${CMAKE_COMMAND} -E make_directory ${ip_pages}
        COMMAND infoplane --generate ${ip_pages}
        COMMAND ${CMAKE_COMMAND} -E touch ${ip_pages}/made
        DEPENDS infoplane VERBATIM COMMENT "Man pages and completions")
    add_custom_target(pages ALL DEPENDS ${ip_pages}/made)
    install(DIRECTORY ${ip_pages}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR} COMPONENT program)
    install(FILES ${ip_pages}/infoplane.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
            RENAME infoplane COMPONENT program)
    install(FILES ${ip_pages}/_infoplane DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions COMPONENT program)
    install(FILES ${ip_pages}/infoplane.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
            COMPONENT program)
endif()

install(FILES ${CMAKE_SOURCE_DIR}/LICENSE ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/CHANGELOG.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/docs DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)
# The small model and its text: what the tutorial and the first try after an installation run on.
install(DIRECTORY ${CMAKE_SOURCE_DIR}/models/demo/ DESTINATION ${CMAKE_INSTALL_DATADIR}/infoplane/demo
        COMPONENT program)

# A .deb where there is what makes one (cpack.cmake refuses to make one without its dependencies). An archive for another
# machine is made by archive.sh.
find_program(IP_SHLIBDEPS dpkg-shlibdeps)
mark_as_advanced(IP_SHLIBDEPS)
set(CPACK_GENERATOR "")
if(IP_SHLIBDEPS OR CMAKE_CROSSCOMPILING)
    list(APPEND CPACK_GENERATOR DEB)
endif()
if(NOT CMAKE_CROSSCOMPILING)
    list(APPEND CPACK_GENERATOR TZST)
    set(CPACK_PRE_BUILD_SCRIPTS ${ip_share}/bundle.cmake)
    set(CPACK_IP_LIBDIR ${CMAKE_INSTALL_LIBDIR})
endif()
set(CPACK_PROJECT_CONFIG_FILE ${ip_share}/cpack.cmake)
set(CPACK_PACKAGE_NAME infoplane)
set(CPACK_PACKAGE_VENDOR "the infoplane project")
set(CPACK_PACKAGE_CONTACT "infoplane@users.noreply.github.com")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "How language models compress what they read, layer by layer")
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_STRIP_FILES ON)
set(CPACK_MONOLITHIC_INSTALL ON)
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
    set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE amd64)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE arm64)
else()
    set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE armhf)
endif()
set(CPACK_PACKAGE_FILE_NAME infoplane-${PROJECT_VERSION}-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "liblapack3") # the estimator matrix loads it
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "openmpi-bin") # for runs of several ranks
set(CPACK_DEBIAN_PACKAGE_HOMEPAGE "https://github.com/infoplane/infoplane")
if(CMAKE_CROSSCOMPILING)
    # dpkg-shlibdeps wants the target's packages installed here: the libraries' own packages are named instead.
    file(READ ${CMAKE_SYSROOT}/.depends CPACK_DEBIAN_PACKAGE_DEPENDS)
else()
    set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
endif()
include(CPack)
