# The packages the project links. Those without a dependable CMake package get an imported target here.

find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(CURL 7.76 REQUIRED)

function(akvekm_package target header library)
    string(MAKE_C_IDENTIFIER "${library}" id)
    find_path(${id}_INCLUDE "${header}")
    find_library(${id}_LIBRARY "${library}")
    if(NOT ${id}_INCLUDE OR NOT ${id}_LIBRARY)
        message(FATAL_ERROR "${library} with ${header} is missing: run 'sh cmake/dev.sh setup'")
    endif()
    mark_as_advanced(${id}_INCLUDE ${id}_LIBRARY)
    add_library(${target} UNKNOWN IMPORTED GLOBAL)
    set_target_properties(${target} PROPERTIES
        IMPORTED_LOCATION "${${id}_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${${id}_INCLUDE}")
endfunction()

akvekm_package(akvekm::cjson cjson/cJSON.h cjson)
if(AKVEKM_TESTS)
    akvekm_package(akvekm::cmocka cmocka.h cmocka)
    akvekm_package(akvekm::microhttpd microhttpd.h microhttpd)
endif()
