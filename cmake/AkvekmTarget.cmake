# How every C target of the project is compiled: akvekm_target(NAME). The builder's choices have precedence: a flag of the project
# is added only where the builder's own flags (CFLAGS, CMAKE_C_FLAGS) say nothing of the matter.

set(builder_flags " ${CMAKE_C_FLAGS} ")
if(AKVEKM_SMALL STREQUAL "AUTO")
    set(AKVEKM_SMALL OFF)
    if(NOT CMAKE_BUILD_TYPE AND NOT builder_flags MATCHES " -O")
        set(AKVEKM_SMALL ON)
    endif()
endif()
if(NOT CMAKE_BUILD_TYPE AND NOT builder_flags MATCHES " -O")
    set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()
string(TOUPPER "CMAKE_C_FLAGS_${CMAKE_BUILD_TYPE}" type_flags)
set(AKVEKM_GIVEN "${builder_flags} ${${type_flags}} ")
set(AKVEKM_LTO_GIVEN OFF)
if(CMAKE_INTERPROCEDURAL_OPTIMIZATION OR AKVEKM_GIVEN MATCHES " -flto")
    set(AKVEKM_LTO_GIVEN ON)
endif()

if(MSVC)
    # C4200: a flexible array member; C4204, C4221: C99 initializers; all three are C11.
    set(AKVEKM_WARNINGS /W4 /wd4200 /wd4204 /wd4221 "$<$<BOOL:${AKVEKM_WERROR}>:/WX>")
    set(AKVEKM_HARDENING /GS /guard:cf /utf-8 /Brepro /experimental:c11atomics)
else()
    set(AKVEKM_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wvla
        -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith
        -Wundef -Wwrite-strings)
    if(AKVEKM_WERROR) # what a newer library calls deprecated is no mistake yet
        list(APPEND AKVEKM_WARNINGS -Werror -Wno-error=deprecated-declarations)
    endif()
    # Ninja names the sources by the way from the build folder, others by the whole path: no name of a folder is to stay.
    file(RELATIVE_PATH way_to_sources "${PROJECT_BINARY_DIR}" "${PROJECT_SOURCE_DIR}")
    string(REGEX REPLACE "/$" "" way_to_sources "${way_to_sources}")
    set(AKVEKM_HARDENING "-ffile-prefix-map=${way_to_sources}=." "-ffile-prefix-map=${PROJECT_SOURCE_DIR}=.")
    if(NOT AKVEKM_GIVEN MATCHES " -f(no-)?stack-protector")
        list(APPEND AKVEKM_HARDENING -fstack-protector-strong)
    endif()
endif()

# The C library's checks need an optimiser, and some compilers have them switched on by themselves.
function(akvekm_may_fortify out)
    set(${out} OFF PARENT_SCOPE)
    if(MSVC OR WIN32 OR AKVEKM_GIVEN MATCHES "_FORTIFY_SOURCE")
        return()
    endif()
    set(CMAKE_TRY_COMPILE_CONFIGURATION "${CMAKE_BUILD_TYPE}")
    string(MD5 id "${CMAKE_C_COMPILER} ${AKVEKM_GIVEN}") # the answer is kept, and is one of these flags alone
    check_c_source_compiles("
        #if !defined __OPTIMIZE__ || defined _FORTIFY_SOURCE
        #error
        #endif
        int main(void) { return 0; }" AKVEKM_MAY_FORTIFY_${id})
    set(${out} "${AKVEKM_MAY_FORTIFY_${id}}" PARENT_SCOPE)
endfunction()
include(CheckCSourceCompiles)
akvekm_may_fortify(AKVEKM_FORTIFY)

if(AKVEKM_CFG AND (NOT CMAKE_C_COMPILER_ID STREQUAL "Clang" OR CMAKE_C_COMPILER_VERSION VERSION_LESS 17))
    message(FATAL_ERROR "Control flow guard for mingw needs clang 17 or newer, and lld: Debian 13 has them")
endif()

# All of a Windows program is in its file; mingw's printf knows %zu only by this name.
function(akvekm_windows_target name)
    target_compile_definitions(${name} PRIVATE _WIN32_WINNT=0x0A00 WIN32_LEAN_AND_MEAN NOMINMAX UNICODE _UNICODE)
    if(MSVC)
        target_compile_definitions(${name} PRIVATE _CRT_SECURE_NO_WARNINGS)
    else()
        target_compile_definitions(${name} PRIVATE __USE_MINGW_ANSI_STDIO=1)
        target_compile_options(${name} PRIVATE "-ffile-prefix-map=${PROJECT_BINARY_DIR}=./build")
        target_link_options(${name} PRIVATE -static -fstack-protector-strong)
    endif()
    if(AKVEKM_CFG) # control flow guard, by cmake/windows/toolchain-cfg.cmake
        get_target_property(type ${name} TYPE)
        if(NOT type STREQUAL "OBJECT_LIBRARY")
            target_sources(${name} PRIVATE "${PROJECT_SOURCE_DIR}/cmake/windows/load_config.s")
        endif()
        target_compile_options(${name} PRIVATE "$<$<COMPILE_LANGUAGE:C>:-mguard=cf;-Wno-format-nonliteral>")
        target_link_options(${name} PRIVATE -mguard=cf)
    endif()
endfunction()

# For fuzzing: every branch reports to libFuzzer, and counts for the coverage that is shown.
set(AKVEKM_FUZZ_FLAGS -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
    -fprofile-instr-generate -fcoverage-mapping)

# The tests replace functions at the linker, which an optimiser of the whole program has done away with by then.
function(akvekm_without_lto name)
    set_target_properties(${name} PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
    if(NOT MSVC)
        target_compile_options(${name} PRIVATE -fno-lto)
        target_link_options(${name} PRIVATE -fno-lto)
    endif()
endfunction()

function(akvekm_target name)
    if(NOT CMAKE_C_STANDARD AND NOT builder_flags MATCHES " -std=")
        set_target_properties(${name} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
    endif()
    set_target_properties(${name} PROPERTIES C_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
    target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
    target_compile_options(${name} PRIVATE "$<$<COMPILE_LANGUAGE:C>:${AKVEKM_WARNINGS};${AKVEKM_HARDENING}>")
    if(NOT name MATCHES "^(akvekm|akvekm_core|akv-ekm)$")
        akvekm_without_lto(${name})
    endif()
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
    elseif(AKVEKM_FORTIFY)
        target_compile_definitions(${name} PRIVATE _FORTIFY_SOURCE=3)
    endif()
endfunction()
