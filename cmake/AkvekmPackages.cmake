# The packages the project links. Those without a dependable CMake package get an imported target here.

find_package(Threads REQUIRED)
if(WIN32)
    set(OPENSSL_USE_STATIC_LIBS ON)
endif()
find_package(OpenSSL 3 REQUIRED)
find_package(CURL 7.76 REQUIRED)
if(WIN32 AND NOT MSVC)
    # libcurl.a by itself: vcpkg's own package says these things in its configuration.
    set_property(TARGET CURL::libcurl APPEND PROPERTY INTERFACE_COMPILE_DEFINITIONS CURL_STATICLIB)
    set_property(TARGET CURL::libcurl APPEND PROPERTY INTERFACE_LINK_LIBRARIES OpenSSL::SSL OpenSSL::Crypto ws2_32 crypt32)
    set_property(TARGET OpenSSL::Crypto APPEND PROPERTY INTERFACE_LINK_LIBRARIES ws2_32 crypt32 bcrypt advapi32 user32)
endif()

function(akvekm_package target header library)
    string(MAKE_C_IDENTIFIER "${library}" id)
    find_path(${id}_INCLUDE "${header}")
    find_library(${id}_LIBRARY "${library}")
    if(NOT ${id}_INCLUDE OR NOT ${id}_LIBRARY)
        message(FATAL_ERROR "${library} with ${header} is missing: see docs/CONTRIBUTING.md")
    endif()
    mark_as_advanced(${id}_INCLUDE ${id}_LIBRARY)
    add_library(${target} UNKNOWN IMPORTED GLOBAL)
    set_target_properties(${target} PROPERTIES
        IMPORTED_LOCATION "${${id}_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${${id}_INCLUDE}")
    if(WIN32)
        set_target_properties(${target} PROPERTIES INTERFACE_COMPILE_DEFINITIONS CJSON_HIDE_SYMBOLS)
    endif()
endfunction()

if(AKVEKM_CJSON_SOURCE)
    # Compiled as the library's own sources are, so that the fuzzers see into it.
    file(COPY "${AKVEKM_CJSON_SOURCE}/cJSON.h" DESTINATION "${PROJECT_BINARY_DIR}/cjson-include/cjson")
    add_library(akvekm_cjson STATIC "${AKVEKM_CJSON_SOURCE}/cJSON.c")
    target_compile_options(akvekm_cjson PRIVATE ${AKVEKM_FUZZ_FLAGS} -O1 -fno-omit-frame-pointer)
    target_include_directories(akvekm_cjson PUBLIC "${PROJECT_BINARY_DIR}/cjson-include")
    add_library(akvekm::cjson ALIAS akvekm_cjson)
else()
    akvekm_package(akvekm::cjson cjson/cJSON.h cjson)
endif()
if(AKVEKM_TESTS)
    akvekm_package(akvekm::cmocka cmocka.h cmocka)
    # cmocka 2 has a new name for it, and warns of the old one.
    file(STRINGS "${cmocka_INCLUDE}/cmocka.h" found REGEX "define assert_int_in_range")
    if(NOT found)
        set_property(TARGET akvekm::cmocka APPEND PROPERTY INTERFACE_COMPILE_DEFINITIONS
            assert_int_in_range=assert_in_range)
    endif()
    if(NOT WIN32) # vaultsim runs on the system that builds
        akvekm_package(akvekm::microhttpd microhttpd.h microhttpd)
    endif()
endif()
