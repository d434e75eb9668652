# The manual pages, made from the documentation: <build>/akv-ekm.conf.5 and <build>/akv-ekm.1.
set(page "${PROJECT_SOURCE_DIR}/docs/configuration.md")
set(script "${PROJECT_SOURCE_DIR}/cmake/manual.sh")
set(manual "${PROJECT_BINARY_DIR}/akv-ekm.conf.5")
add_custom_command(OUTPUT "${manual}"
    COMMAND sh "${script}" "${page}" "${PROJECT_VERSION}" > "${manual}"
    DEPENDS "${page}" "${script}" "${PROJECT_SOURCE_DIR}/cmake/manual.awk" VERBATIM)
set(page "${PROJECT_SOURCE_DIR}/docs/tool.md")
set(script "${PROJECT_SOURCE_DIR}/cmake/manual_tool.sh")
set(tool_manual "${PROJECT_BINARY_DIR}/akv-ekm.1")
add_custom_command(OUTPUT "${tool_manual}"
    COMMAND sh "${script}" "${page}" "${PROJECT_VERSION}" > "${tool_manual}"
    DEPENDS "${page}" "${script}" "${PROJECT_SOURCE_DIR}/cmake/manual.awk" VERBATIM)
add_custom_target(manual ALL DEPENDS "${manual}" "${tool_manual}")
