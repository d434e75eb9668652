# How every C target of the project is compiled: akvekm_target(NAME).

set(AKVEKM_WARNINGS -Wall -Wextra -Werror -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wvla
    -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith
    -Wundef -Wwrite-strings)

function(akvekm_target name)
    set_target_properties(${name} PROPERTIES
        C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
        C_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
    target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
    target_compile_options(${name} PRIVATE ${AKVEKM_WARNINGS} -fstack-protector-strong
        -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
    if(AKVEKM_SANITIZE)
        target_compile_options(${name} PRIVATE -fsanitize=${AKVEKM_SANITIZE} -fno-omit-frame-pointer
            -fno-sanitize-recover=all)
        target_link_options(${name} PRIVATE -fsanitize=${AKVEKM_SANITIZE})
    elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
        target_compile_options(${name} PRIVATE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
    endif()
endfunction()
