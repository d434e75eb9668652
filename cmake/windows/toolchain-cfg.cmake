# The same with control flow guard: clang and lld of Debian 13, as gcc and GNU's linker have none. The libraries inside stay those
# that libraries.sh made by gcc: their own indirect calls are not checked.
include("${CMAKE_CURRENT_LIST_DIR}/toolchain.cmake")
set(CMAKE_C_COMPILER clang)
set(CMAKE_C_COMPILER_TARGET x86_64-w64-mingw32)
set(CMAKE_ASM_COMPILER clang)
set(CMAKE_ASM_COMPILER_TARGET x86_64-w64-mingw32)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-fuse-ld=lld")
set(CMAKE_MODULE_LINKER_FLAGS_INIT "-fuse-ld=lld")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-fuse-ld=lld")
set(AKVEKM_CFG ON)
