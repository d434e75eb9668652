# src/net/curl_format.c in the place of the function by which the libcurl inside writes a request's head, if that libcurl has it
# under a name that is known here.

# akvekm_curl_format(TARGET LIBRARY): LIBRARY is libcurl.a
function(akvekm_curl_format target library)
    set(source "${PROJECT_SOURCE_DIR}/src/net/curl_format.c")
    foreach(name IN ITEMS curlx_dyn Curl_dyn)
        if(EXISTS "${library}")
            file(STRINGS "${library}" found REGEX "${name}_vprintf" LIMIT_COUNT 1)
            file(STRINGS "${library}" allocator REGEX "Curl_cmalloc" LIMIT_COUNT 1)
        endif()
        if(found AND allocator)
            # Whole-program code would lose a function that only the linker's own name leads to.
            set_source_files_properties("${source}" TARGET_DIRECTORY ${target} PROPERTIES
                COMPILE_DEFINITIONS "AKVEKM_CURL_WRAP=__wrap_${name}_vprintf;AKVEKM_CURL_REAL=__real_${name}_vprintf;AKVEKM_CURL_ADDN=${name}_addn"
                COMPILE_OPTIONS "-O2;-fno-lto")
            target_link_options(${target} PUBLIC "-Wl,--wrap=${name}_vprintf" -Wl,--wrap=curl_maprintf)
            return()
        endif()
    endforeach()
    message(STATUS "This libcurl writes heads in its own way")
    set_source_files_properties("${source}" TARGET_DIRECTORY ${target} PROPERTIES HEADER_FILE_ONLY ON)
endfunction()
