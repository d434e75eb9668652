# How every C target of the project is compiled: akvekm_target(NAME).

if(MSVC)
    # C4200: a flexible array member; C4204, C4221: C99 initializers; all three are C11.
    set(AKVEKM_WARNINGS /W4 /WX /wd4200 /wd4204 /wd4221)
    set(AKVEKM_HARDENING /GS /guard:cf /utf-8 /Brepro /experimental:c11atomics)
else()
    set(AKVEKM_WARNINGS -Wall -Wextra -Werror -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wvla
        -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith
        -Wundef -Wwrite-strings)
    set(AKVEKM_HARDENING -fstack-protector-strong "-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.")
endif()

# All of a Windows program is in its file; mingw's printf knows %zu only by this name.
function(akvekm_windows_target name)
    target_compile_definitions(${name} PRIVATE _WIN32_WINNT=0x0A00 WIN32_LEAN_AND_MEAN NOMINMAX UNICODE _UNICODE)
    if(MSVC)
        target_compile_definitions(${name} PRIVATE _CRT_SECURE_NO_WARNINGS)
    else()
        target_compile_definitions(${name} PRIVATE __USE_MINGW_ANSI_STDIO=1)
        target_compile_options(${name} PRIVATE "-ffile-prefix-map=${CMAKE_BINARY_DIR}=./build")
        target_link_options(${name} PRIVATE -static -fstack-protector-strong)
    endif()
endfunction()

# For fuzzing: every branch reports to libFuzzer, and counts for the coverage that is shown.
set(AKVEKM_FUZZ_FLAGS -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
    -fprofile-instr-generate -fcoverage-mapping)

function(akvekm_target name)
    set_target_properties(${name} PROPERTIES
        C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
        C_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
    target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
    target_compile_options(${name} PRIVATE "$<$<COMPILE_LANGUAGE:C>:${AKVEKM_WARNINGS};${AKVEKM_HARDENING}>")
    if(WIN32)
        akvekm_windows_target(${name})
    elseif(AKVEKM_FUZZ)
        target_compile_options(${name} PRIVATE ${AKVEKM_FUZZ_FLAGS} -O1 -fno-omit-frame-pointer)
        target_link_options(${name} PRIVATE ${AKVEKM_FUZZ_FLAGS})
    elseif(AKVEKM_COVERAGE)
        target_compile_options(${name} PRIVATE --coverage -fprofile-update=atomic -O0)
        target_link_options(${name} PRIVATE --coverage)
    elseif(AKVEKM_SANITIZE)
        target_compile_options(${name} PRIVATE -fsanitize=${AKVEKM_SANITIZE} -fno-omit-frame-pointer
            -fno-sanitize-recover=all)
        target_link_options(${name} PRIVATE -fsanitize=${AKVEKM_SANITIZE})
    elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
        target_compile_options(${name} PRIVATE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
    endif()
endfunction()
