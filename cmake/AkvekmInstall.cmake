# The content of the Linux packages, and how CPack makes them: `sh cmake/dev.sh package` (docs/release.md). `cmake --install` puts the
# same files under its prefix.
#
# Each version has a folder of its own, so that no upgrade changes a library that is loaded; `current` is a link to the newest.

set(AKVEKM_PACKAGE_RELEASE 1 CACHE STRING "Counts the packages of one version: for newer libraries inside")
set(AKVEKM_PACKAGE_DLL "" CACHE FILEPATH "An akvekm.dll that the Linux packages bring as well")
set(version_dir "${PROJECT_VERSION}-${AKVEKM_PACKAGE_RELEASE}")
set(package_dir "${PROJECT_SOURCE_DIR}/cmake/package")
set(made_dir "${PROJECT_BINARY_DIR}/package")
set(home opt/akv-ekm)
set(documents usr/share/doc/akv-ekm)

if(CMAKE_INSTALL_PREFIX_INITIALIZED_TO_DEFAULT)
    set(CMAKE_INSTALL_PREFIX / CACHE PATH "Where `cmake --install` puts the files" FORCE)
endif()

install(TARGETS akvekm LIBRARY DESTINATION "${home}/${version_dir}")
install(CODE "file(CREATE_LINK \"${version_dir}\" \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${home}/current\" SYMBOLIC)")
if(AKVEKM_PACKAGE_DLL)
    install(FILES "${AKVEKM_PACKAGE_DLL}" DESTINATION "${home}/${version_dir}")
endif()
if(TARGET akv-ekm)
    install(TARGETS akv-ekm RUNTIME DESTINATION usr/bin)
endif()

# --- texts -----------------------------------------------------------------------------------------------------------------

set(library "/${home}/current/libakvekm.so")
configure_file("${package_dir}/setup.sql" "${made_dir}/setup.sql" @ONLY)
add_custom_command(OUTPUT "${made_dir}/akv-ekm.conf"
    COMMAND sh "${package_dir}/sample.sh" "${PROJECT_SOURCE_DIR}/docs/configuration.md" > "${made_dir}/akv-ekm.conf"
    DEPENDS "${package_dir}/sample.sh" "${PROJECT_SOURCE_DIR}/docs/configuration.md" VERBATIM)
add_custom_target(package_texts ALL DEPENDS "${made_dir}/akv-ekm.conf")
install(FILES "${made_dir}/setup.sql" "${made_dir}/akv-ekm.conf" DESTINATION "${documents}/examples")
install(FILES "${PROJECT_SOURCE_DIR}/README.md" "${PROJECT_SOURCE_DIR}/docs/CHANGELOG.md"
    "${PROJECT_SOURCE_DIR}/docs/admin.md" "${PROJECT_SOURCE_DIR}/docs/configuration.md" "${PROJECT_SOURCE_DIR}/docs/errors.md"
    "${PROJECT_SOURCE_DIR}/docs/SECURITY.md" "${PROJECT_SOURCE_DIR}/docs/tool.md" "${PROJECT_SOURCE_DIR}/docs/linux.md"
    DESTINATION "${documents}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${documents}" RENAME copyright)
if(AKVEKM_LIBRARIES STREQUAL "private")
    install(FILES "${AKVEKM_PRIVATE_LIBRARIES}/root/licences/openssl.txt" "${AKVEKM_PRIVATE_LIBRARIES}/root/licences/curl.txt"
        "${AKVEKM_PRIVATE_LIBRARIES}/root/licences/cjson.txt" DESTINATION "${documents}/licences")
endif()
install(FILES "${made_dir}/akv-ekm.cdx.json" DESTINATION "${documents}" OPTIONAL) # package.sh writes it
install(FILES "${PROJECT_SOURCE_DIR}/docs/logrotate.conf" DESTINATION etc/logrotate.d RENAME akv-ekm)
install(FILES "${PROJECT_BINARY_DIR}/akv-ekm.conf.5" DESTINATION usr/share/man/man5)
if(TARGET akv-ekm)
    install(FILES "${PROJECT_BINARY_DIR}/akv-ekm.1" DESTINATION usr/share/man/man1 OPTIONAL)
endif()
file(GLOB completion "${PROJECT_SOURCE_DIR}/src/tool/akv-ekm.bash")
if(completion)
    install(FILES ${completion} DESTINATION usr/share/bash-completion/completions RENAME akv-ekm)
endif()

# For packages: every file and folder bears the time of the source. rpm by itself takes the later ones back only.
install(CODE "
    if(DEFINED ENV{AKVEKM_PACKAGING} AND NOT \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\" MATCHES \"^/*\$\")
        execute_process(COMMAND find \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\"
            -exec touch -h -d \"@\$ENV{SOURCE_DATE_EPOCH}\" {} + COMMAND_ERROR_IS_FATAL ANY)
    endif()")

# --- CPack -----------------------------------------------------------------------------------------------------------------

foreach(script deb/preinst deb/postinst deb/postrm rpm/pre rpm/posttrans rpm/postun)
    configure_file("${package_dir}/${script}.in" "${made_dir}/${script}" @ONLY
        FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
endforeach()
set(CPACK_GENERATOR DEB RPM)
set(CPACK_PACKAGE_NAME akv-ekm)
set(CPACK_PACKAGE_VENDOR akv-ekm)
set(CPACK_PACKAGE_CONTACT "akv-ekm <maintainers@akv-ekm.invalid>" CACHE STRING "Who answers for the packages")
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Azure Key Vault provider for SQL Server's Extensible Key Management")
set(CPACK_PACKAGE_DESCRIPTION "A cryptographic provider that SQL Server loads: database encryption keys are protected by an RSA key
that never leaves Azure Key Vault or Managed HSM. OpenSSL, libcurl and cJSON are inside.")
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /)
set(CPACK_PACKAGE_DIRECTORY "${PROJECT_BINARY_DIR}/packages")
set(CPACK_THREADS 1)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE "${AKVEKM_PACKAGE_RELEASE}")
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libc6 (>= ${AKVEKM_OLDEST_GLIBC})")
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
file(WRITE "${made_dir}/deb/conffiles" "/etc/logrotate.d/akv-ekm\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${made_dir}/deb/preinst" "${made_dir}/deb/postinst" "${made_dir}/deb/postrm"
    "${made_dir}/deb/conffiles")

set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_RELEASE "${AKVEKM_PACKAGE_RELEASE}")
set(CPACK_RPM_PACKAGE_LICENSE "MIT AND Apache-2.0 AND curl")
set(CPACK_RPM_COMPRESSION_TYPE xz)
set(CPACK_RPM_PRE_INSTALL_SCRIPT_FILE "${made_dir}/rpm/pre")
set(CPACK_RPM_POST_TRANS_SCRIPT_FILE "${made_dir}/rpm/posttrans")
set(CPACK_RPM_POST_UNINSTALL_SCRIPT_FILE "${made_dir}/rpm/postun")
set(CPACK_RPM_USER_FILELIST "%config(noreplace) /etc/logrotate.d/akv-ekm")
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION /opt /etc /etc/logrotate.d /usr /usr/bin /usr/share /usr/share/doc /usr/share/man
    /usr/share/man/man1 /usr/share/man/man5 /usr/share/bash-completion /usr/share/bash-completion/completions)
# The same input gives the same bytes; nothing is stripped or linked behind our back; no other package is to find our library.
set(CPACK_RPM_SPEC_MORE_DEFINE "%define _build_id_links none
%define use_source_date_epoch_as_buildtime Y
%define clamp_mtime_to_source_date_epoch Y
%define _buildhost akv-ekm
%define __os_install_post %{nil}
%define __provides_exclude_from ^/opt/akv-ekm/.*$")
include(CPack)
