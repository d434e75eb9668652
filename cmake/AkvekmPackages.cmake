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
        message(FATAL_ERROR "${library} with ${header} is missing: see docs/contributing.md")
    endif()
    mark_as_advanced(${id}_INCLUDE ${id}_LIBRARY)
    add_library(${target} UNKNOWN IMPORTED GLOBAL)
    set_target_properties(${target} PROPERTIES
        IMPORTED_LOCATION "${${id}_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${${id}_INCLUDE}")
    if(WIN32)
        set_target_properties(${target} PROPERTIES INTERFACE_COMPILE_DEFINITIONS CJSON_HIDE_SYMBOLS)
    endif()
endfunction()

akvekm_package(akvekm::cjson cjson/cJSON.h cjson)
if(AKVEKM_TESTS)
    akvekm_package(akvekm::cmocka cmocka.h cmocka)
    if(NOT WIN32) # vaultsim runs on the system that builds
        akvekm_package(akvekm::microhttpd microhttpd.h microhttpd)
    endif()
endif()
