# What the cross toolchain files share: where the sysroot is, that libraries come from it and nowhere else, and how a
# program is run here. The caller has set ip_sysroot and ip_emulators.
execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/sysroot.sh --path ${ip_sysroot}
                OUTPUT_VARIABLE CMAKE_SYSROOT OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
if(NOT EXISTS ${CMAKE_SYSROOT}/.complete)
    message(FATAL_ERROR "No sysroot yet at ${CMAKE_SYSROOT}: run toolchains/sysroot.sh ${ip_sysroot}")
endif()
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
find_program(IP_EMULATOR NAMES ${ip_emulators})
if(IP_EMULATOR)
    set(CMAKE_CROSSCOMPILING_EMULATOR "${IP_EMULATOR};-L;${CMAKE_SYSROOT}")
endif()
