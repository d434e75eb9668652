# Makes the module a DLL: akvekm_dll(NAME) adds exports, version, messages and link options; with mingw, the signed copy.

set(windows_dir "${CMAKE_CURRENT_LIST_DIR}")

# Reads the version that SqlCryptGetProviderInfo returns from the source, so that it is written in one place only.
function(akvekm_provider_version out)
    set(source "${PROJECT_SOURCE_DIR}/src/base/config_table.c")
    file(STRINGS "${source}" line REGEX "provider_version = \\(SqlCpVersion\\){[0-9]+, [0-9]+, [0-9]+, [0-9]+}")
    if(NOT line MATCHES "{([0-9]+), ([0-9]+), ([0-9]+), ([0-9]+)}")
        message(FATAL_ERROR "${source} has no provider_version")
    endif()
    set(${out} "${CMAKE_MATCH_1}.${CMAKE_MATCH_2}.${CMAKE_MATCH_3}.${CMAKE_MATCH_4}" PARENT_SCOPE)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")
endfunction()

# The event log's messages: one an error code, with the texts of the causes that share it, then the line of the log.
function(akvekm_messages out)
    set(source "${PROJECT_SOURCE_DIR}/src/base/err_table.h")
    file(READ "${source}" text)
    string(REPLACE ";" "<semicolon>" text "${text}") # it would cut the list
    string(REGEX MATCHALL "X\\(EKM_[^\n]*\"\\)" rows "${text}")
    set(codes)
    foreach(row IN LISTS rows)
        if(NOT row MATCHES "X\\((EKM_[A-Z_]+), *([0-9]+), *(true|false), *(true|false), *\"([^\"%]*)\"\\)")
            message(FATAL_ERROR "${source}: not understood: ${row}")
        endif()
        set(code "${CMAKE_MATCH_2}")
        if(code IN_LIST codes)
            string(APPEND text_${code} ", or ${CMAKE_MATCH_5}")
        else()
            list(APPEND codes "${code}")
            set(name_${code} "${CMAKE_MATCH_1}")
            set(text_${code} "${CMAKE_MATCH_5}")
        endif()
    endforeach()
    set(mc "FacilityNames=(Akvekm=0x0)\nLanguageNames=(English=0x409:MSG00409)\n")
    foreach(code IN LISTS codes)
        string(APPEND mc "\nMessageId=${code}\nSeverity=Success\nFacility=Akvekm\nSymbolicName=${name_${code}}\n"
            "Language=English\n${code}: ${text_${code}}.%n%1\n.\n")
    endforeach()
    string(REPLACE "<semicolon>" ";" mc "${mc}")
    file(CONFIGURE OUTPUT messages.mc CONTENT "${mc}" @ONLY)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")

    set(folder "${CMAKE_CURRENT_BINARY_DIR}")
    find_program(AKVEKM_MC NAMES x86_64-w64-mingw32-windmc mc REQUIRED)
    mark_as_advanced(AKVEKM_MC)
    add_custom_command(OUTPUT messages.rc MSG00409.bin
        COMMAND "${AKVEKM_MC}" -h "${folder}" -r "${folder}" messages.mc
        DEPENDS messages.mc WORKING_DIRECTORY "${folder}" VERBATIM)
    set(${out} "${folder}/messages.rc" PARENT_SCOPE)
endfunction()

function(akvekm_signed name)
    set(AKVEKM_SIGN "" CACHE STRING
        "How cmake/windows/sign.sh signs: '--pfx;FILE' or '--pem;CERTS;KEY'; empty: a test certificate")
    set(how ${AKVEKM_SIGN})
    if(NOT how)
        set(how --made-in "${PROJECT_BINARY_DIR}/signing")
    endif()
    # Unsigned it is the same in every build; a signature has a key and a time of its own.
    set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/unsigned")
    set(signed "${PROJECT_BINARY_DIR}/${name}.dll")
    add_custom_command(OUTPUT "${signed}"
        COMMAND sh "${windows_dir}/sign.sh" ${how} "$<TARGET_FILE:${name}>" "${signed}"
        DEPENDS ${name} "${windows_dir}/sign.sh" COMMENT "Signing ${name}.dll" VERBATIM)
    add_custom_target(${name}_signed ALL DEPENDS "${signed}")
endfunction()

function(akvekm_dll name)
    file(STRINGS "${PROJECT_SOURCE_DIR}/cmake/exports.txt" exports)
    list(JOIN exports "\n" lines)
    file(CONFIGURE OUTPUT ${name}.def CONTENT "EXPORTS\n@lines@\n" @ONLY)
    akvekm_provider_version(provider_version_dots)
    string(REPLACE "." "," provider_version_commas "${provider_version_dots}")
    configure_file("${windows_dir}/akvekm.rc.in" ${name}.rc @ONLY)
    akvekm_messages(messages)
    target_sources(${name} PRIVATE abi/dll_win32.c "${CMAKE_CURRENT_BINARY_DIR}/${name}.def"
        "${CMAKE_CURRENT_BINARY_DIR}/${name}.rc" "${messages}")
    set_target_properties(${name} PROPERTIES PREFIX "")
    if(MSVC)
        target_link_options(${name} PRIVATE /DYNAMICBASE /NXCOMPAT /HIGHENTROPYVA /GUARD:CF /CETCOMPAT /Brepro)
    else()
        # A fixed base, or the linker makes one of the output's name; no time in the header: built twice, the same file.
        target_link_options(${name} PRIVATE -s -static-libgcc -Wl,--exclude-all-symbols
            -Wl,--dynamicbase,--nxcompat,--high-entropy-va
            -Wl,--no-insert-timestamp,--image-base,0x180000000,--fatal-warnings)
        akvekm_signed(${name})
    endif()
endfunction()
