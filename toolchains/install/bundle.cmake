# Run by cpack on what it is about to pack: an archive carries the libraries that it needs in lib/infoplane, where the run
# paths of program and library look first, so that it can be unpacked anywhere. A .deb names packages instead. What belongs
# to the system (the C library in all its parts) stays the machine's own.
if(NOT CPACK_GENERATOR MATCHES "^T")
    return()
endif()
set(tree ${CPACK_TEMPORARY_DIRECTORY})
file(GLOB library ${tree}/${CPACK_IP_LIBDIR}/libinfoplane.so.*.*.*)
file(GET_RUNTIME_DEPENDENCIES EXECUTABLES ${tree}/bin/infoplane LIBRARIES ${library} RESOLVED_DEPENDENCIES_VAR found
    PRE_EXCLUDE_REGEXES [[^ld-linux]] [[^lib(c|m|pthread|dl|rt|gcc_s)\.so]] [[^libinfoplane\.]])
file(MAKE_DIRECTORY ${tree}/${CPACK_IP_LIBDIR}/infoplane ${tree}/share/doc/infoplane/licenses)
foreach(library IN LISTS found)
    get_filename_component(name ${library} NAME)
    file(REAL_PATH ${library} file)
    get_filename_component(real ${file} NAME)
    file(COPY_FILE ${file} ${tree}/${CPACK_IP_LIBDIR}/infoplane/${name})
    # Its licence goes with it. The file may be known to dpkg by another path (/lib is /usr/lib), so it is asked by its name.
    set(package "")
    find_program(IP_DPKG_QUERY dpkg-query NO_CACHE)
    if(IP_DPKG_QUERY)
        execute_process(COMMAND ${IP_DPKG_QUERY} -S */${real} OUTPUT_VARIABLE owner ERROR_QUIET)
        string(REGEX MATCH "^[^:,]*" package "${owner}")
    endif()
    if(package AND EXISTS /usr/share/doc/${package}/copyright)
        file(COPY_FILE /usr/share/doc/${package}/copyright ${tree}/share/doc/infoplane/licenses/${package})
    else()
        message(NOTICE "No licence of ${name} found here: put it into share/doc/infoplane/licenses before passing the archive on")
    endif()
endforeach()
