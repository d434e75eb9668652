# AKVEKM_LIBRARIES=private: the library has OpenSSL, curl and cJSON inside, every symbol of theirs hidden, and needs glibc alone.
# `sh cmake/libraries.sh linux FOLDER` makes them. The programs of the tests keep the system's.

set(AKVEKM_PRIVATE_LIBRARIES "${PROJECT_SOURCE_DIR}/build-private-libs" CACHE PATH
    "The folder that `libraries.sh linux` filled, for AKVEKM_LIBRARIES=private")
set(AKVEKM_OLDEST_GLIBC 2.28 CACHE STRING "The oldest glibc that a library with AKVEKM_LIBRARIES=private runs on")
set(private_dir "${CMAKE_CURRENT_LIST_DIR}")

# The targets that akvekm_core links.
function(akvekm_private_packages)
    set(root "${AKVEKM_PRIVATE_LIBRARIES}/root")
    if(NOT EXISTS "${root}/lib/libcurl.a")
        message(FATAL_ERROR "${root} has no libraries: run `sh cmake/libraries.sh linux ${AKVEKM_PRIVATE_LIBRARIES}`")
    endif()
    foreach(name crypto ssl curl cjson)
        add_library(akvekm::private_${name} STATIC IMPORTED GLOBAL)
        set_target_properties(akvekm::private_${name} PROPERTIES
            IMPORTED_LOCATION "${root}/lib/lib${name}.a" INTERFACE_INCLUDE_DIRECTORIES "${root}/include")
    endforeach()
    target_link_libraries(akvekm::private_ssl INTERFACE akvekm::private_crypto)
    target_link_libraries(akvekm::private_curl INTERFACE akvekm::private_ssl)
    target_compile_definitions(akvekm::private_curl INTERFACE CURL_STATICLIB)
endfunction()

# The names of the oldest glibc to link against, and the few functions that it has under other names.
function(akvekm_make_old_glibc)
    if(TARGET akvekm_old_glibc)
        return()
    endif()
    find_program(AKVEKM_READELF readelf REQUIRED)
    mark_as_advanced(AKVEKM_READELF)
    set(folder "${PROJECT_BINARY_DIR}/old_glibc")
    add_custom_command(OUTPUT "${folder}/libc.so.6"
        COMMAND sh "${private_dir}/linux/glibc_stub.sh" "${CMAKE_C_COMPILER}" ${AKVEKM_OLDEST_GLIBC} "${folder}"
        DEPENDS "${private_dir}/linux/glibc_stub.sh" COMMENT "Making glibc ${AKVEKM_OLDEST_GLIBC}'s names" VERBATIM)
    add_custom_target(akvekm_old_glibc DEPENDS "${folder}/libc.so.6")
    add_library(akvekm_old OBJECT "${private_dir}/linux/old_glibc.c")
    akvekm_target(akvekm_old)
    # Its names are the implementation's own, as they must be.
    target_compile_options(akvekm_old PRIVATE -fno-lto -fno-builtin)
endfunction()

# Links the library or program against the names of the oldest glibc instead of this machine's.
function(akvekm_link_old_glibc name)
    akvekm_make_old_glibc()
    set(folder "${PROJECT_BINARY_DIR}/old_glibc")
    add_dependencies(${name} akvekm_old_glibc)
    # Where threads and dlsym were libraries of their own they must be asked for; newer systems have both still, empty.
    target_link_options(${name} PRIVATE -nodefaultlibs "-L${folder}")
    target_link_libraries(${name} PRIVATE $<TARGET_OBJECTS:akvekm_old> -l:libc.so.6 c_nonshared gcc
        -Wl,--no-as-needed -l:libpthread.so.0 -l:libdl.so.2 -Wl,--as-needed)
    set_property(TARGET ${name} APPEND PROPERTY LINK_DEPENDS "${folder}/libc.so.6")
    if(NOT AKVEKM_TESTS)
        # For packages. The build's number is a hash of all, and notes for a debugger name the folder of the build.
        target_link_options(${name} PRIVATE -s)
    endif()
endfunction()

# akvekm_inside_versions(OUT FOLDER): what is inside, for the log's first line.
function(akvekm_inside_versions out folder)
    set(file "${folder}/root/versions.txt")
    set(text)
    if(EXISTS "${file}")
        file(STRINGS "${file}" lines REGEX "^(openssl|curl|cjson) ")
        list(JOIN lines ", " text)
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
    endif()
    set(${out} "${text}" PARENT_SCOPE)
endfunction()
