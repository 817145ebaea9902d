# libinfoplane, shared and static, from the objects of the four rooms below the program.

# The header as users get it: core/infoplane.h with the headers that it includes in their place.
set(ip_sources ${CMAKE_SOURCE_DIR}/core/infoplane.h ${CMAKE_SOURCE_DIR}/core/base/status.h
    ${CMAKE_SOURCE_DIR}/core/base/ranks.h)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ip_sources})
file(READ ${CMAKE_SOURCE_DIR}/core/infoplane.h ip_public)
file(READ ${CMAKE_SOURCE_DIR}/core/base/status.h ip_status)
file(READ ${CMAKE_SOURCE_DIR}/core/base/ranks.h ip_ranks)
string(REPLACE "#include \"core/base/status.h\"\n" "" ip_ranks "${ip_ranks}")
string(REPLACE "#include \"core/base/ranks.h\"\n" "" ip_public "${ip_public}")
string(REPLACE "#include \"core/base/status.h\"\n" "${ip_status}${ip_ranks}" ip_public "${ip_public}")
file(WRITE ${CMAKE_BINARY_DIR}/include/infoplane.h.new "${ip_public}")

# Every function that the header declares carries the version of the interface; nothing else is seen by a linker.
string(REGEX REPLACE "static inline [^\n]*" "" ip_functions "${ip_public}")
string(REGEX MATCHALL "ip_[a-z0-9_]+\\(" ip_functions "${ip_functions}")
list(TRANSFORM ip_functions REPLACE "\\(" "")
list(REMOVE_DUPLICATES ip_functions)
list(SORT ip_functions)
list(JOIN ip_functions ";\n        " ip_functions)
set(ip_interface "INFOPLANE_${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")
file(WRITE ${CMAKE_BINARY_DIR}/include/infoplane.map.new
    "${ip_interface} {\n    global:\n        ${ip_functions};\n    local:\n        *;\n};\n")
foreach(name infoplane.h infoplane.map)
    file(COPY_FILE ${CMAKE_BINARY_DIR}/include/${name}.new ${CMAKE_BINARY_DIR}/include/${name} ONLY_IF_DIFFERENT)
endforeach()

set(ip_libraries ip::sleef ip::xxhash ip::pcre2 ip::jansson ip::zlib ip::zstd ip::utf8proc Threads::Threads ${CMAKE_DL_LIBS} m)
foreach(kind static shared)
    string(TOUPPER ${kind} upper)
    add_library(infoplane_${kind} ${upper})
    foreach(room ip_base ip_arch ip_models ip_core)
        target_sources(infoplane_${kind} PRIVATE $<TARGET_OBJECTS:${room}>)
    endforeach()
    target_link_libraries(infoplane_${kind} PRIVATE ${ip_libraries})
    set_target_properties(infoplane_${kind} PROPERTIES OUTPUT_NAME infoplane LINKER_LANGUAGE C
        ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
endforeach()
# While the major version is 0 a minor version may change the interface.
set_target_properties(infoplane_shared PROPERTIES
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    LINK_DEPENDS ${CMAKE_BINARY_DIR}/include/infoplane.map)
if(NOT APPLE)
    target_link_options(infoplane_shared PRIVATE
        -Wl,--version-script=${CMAKE_BINARY_DIR}/include/infoplane.map -Wl,--no-undefined -Wl,-Bsymbolic-functions)
endif()
