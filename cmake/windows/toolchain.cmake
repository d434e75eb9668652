# Windows x64 with Debian's mingw-w64 (the win32 thread variant: the posix one needs a DLL of its own). AKVEKM_WINDOWS_LIBRARIES
# is the folder that libraries.sh fills.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR AMD64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-win32)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)

set(AKVEKM_WINDOWS_LIBRARIES "${CMAKE_CURRENT_LIST_DIR}/../../build-windows-libs" CACHE PATH
    "The folder that cmake/libraries.sh filled")
get_filename_component(CMAKE_FIND_ROOT_PATH "${AKVEKM_WINDOWS_LIBRARIES}/root" ABSOLUTE)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES AKVEKM_WINDOWS_LIBRARIES)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
foreach(kind LIBRARY INCLUDE PACKAGE)
    set(CMAKE_FIND_ROOT_PATH_MODE_${kind} ONLY)
endforeach()

# Programs of the build run under Wine, in the prefix of the build folder.
set(CMAKE_CROSSCOMPILING_EMULATOR sh "${CMAKE_CURRENT_LIST_DIR}/wine.sh" "${CMAKE_BINARY_DIR}")
