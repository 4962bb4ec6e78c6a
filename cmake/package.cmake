# What is installed, in parts: runtime (commands and library), dev (headers, find_package, pkg-config), doc; and python,
# the library alone beside the Python package; and modules that are loaded when they are needed: video, grpc, cuda. cpack -G DEB
# makes Debian packages of all but python and cuda, cpack -G TGZ an archive.

if(SKBUILD)
  install(TARGETS effdet LIBRARY DESTINATION effdet_cpp COMPONENT python)  # one file: wheels have no symbolic links
  return()
endif()

# The name that programs ask for changes whenever the interface may (include/effdet/version.h).
set(soname ${PROJECT_VERSION_MAJOR})
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(soname ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
endif()
set_target_properties(effdet effdet_http PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${soname})

install(TARGETS effdet effdet_http EXPORT effdet-targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT dev)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/effdet DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev)
include(CMakePackageConfigHelpers)
set(config ${CMAKE_INSTALL_LIBDIR}/cmake/effdet)
install(EXPORT effdet-targets NAMESPACE effdet:: DESTINATION ${config} COMPONENT dev)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/effdet-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_SOURCE_DIR}/cmake/effdet-config.cmake ${PROJECT_BINARY_DIR}/effdet-config-version.cmake
        DESTINATION ${config} COMPONENT dev)
# Paths from the file's own place, so that the installation can be moved.
file(RELATIVE_PATH prefix_from_pc ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(${PROJECT_SOURCE_DIR}/cmake/effdet.pc.in effdet.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/effdet.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)

if(EFFDET_TOOLS)
  set(share ${PROJECT_BINARY_DIR}/share)
  install(DIRECTORY ${share}/man/man1 DESTINATION ${CMAKE_INSTALL_MANDIR} COMPONENT runtime)
  install(FILES ${share}/bash-completion/completions/effdet
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT runtime)
  install(FILES ${share}/zsh/site-functions/_effdet
          DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT runtime)
  install(TARGETS effdet_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)
  foreach(tool IN LISTS EFFDET_TOOL_NAMES)
    install(FILES ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/${tool} DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)
  endforeach()
  # Units for systemd, which nothing enables.
  set(units ${PROJECT_SOURCE_DIR}/tools/effdet/systemd)
  install(FILES ${units}/effdet.service ${units}/effdet.socket DESTINATION lib/systemd/system COMPONENT runtime)
  install(TARGETS ascendcl LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/ascend COMPONENT runtime)
  foreach(library IN LISTS EFFDET_ASCEND_NAMES)
    install(FILES ${PROJECT_BINARY_DIR}/lib/ascend/${library} DESTINATION ${CMAKE_INSTALL_LIBDIR}/ascend COMPONENT runtime)
  endforeach()
endif()
# What the build consists of, by Debian's list of packages.
find_program(EFFDET_DPKG_QUERY dpkg-query)
find_program(EFFDET_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
if(EFFDET_TOOLS AND EFFDET_DPKG_QUERY AND EFFDET_PYTHON AND NOT EFFDET_SANITIZE)
  set(sbom ${PROJECT_BINARY_DIR}/effdet.spdx.json)
  set(parts effdet effdet_http effdet_cli)
  foreach(module effdet_video_module effdet_tls_module effdet_grpc_module)
    if(TARGET ${module})
      list(APPEND parts ${module})
    endif()
  endforeach()
  add_custom_command(OUTPUT ${sbom} DEPENDS ${parts} ${PROJECT_SOURCE_DIR}/scripts/make_sbom.py
    COMMAND ${EFFDET_PYTHON} ${PROJECT_SOURCE_DIR}/scripts/make_sbom.py ${PROJECT_BINARY_DIR} ${sbom} > /dev/null VERBATIM)
  add_custom_target(sbom ALL DEPENDS ${sbom})
  install(FILES ${sbom} DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT runtime)
endif()
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/CHANGELOG.md ${PROJECT_SOURCE_DIR}/SECURITY.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT doc)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs COMPONENT doc)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/examples/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples COMPONENT doc)

set(CPACK_PACKAGE_NAME effdet)
set(CPACK_PACKAGE_VENDOR "effdet.cpp")
set(CPACK_PACKAGE_CONTACT "effdet.cpp <effdet@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_GENERATOR DEB TGZ)
set(CPACK_COMPONENTS_ALL runtime dev doc)
if(TARGET effdet_video_module)  # of its own, since FFmpeg is a hundred packages
  list(APPEND CPACK_COMPONENTS_ALL video)
  set(CPACK_DEBIAN_VIDEO_PACKAGE_NAME effdet-video)
  set(CPACK_DEBIAN_VIDEO_PACKAGE_DEPENDS "effdet (= ${PROJECT_VERSION})")
endif()
if(TARGET effdet_grpc_module)  # thirty packages
  list(APPEND CPACK_COMPONENTS_ALL grpc)
  set(CPACK_DEBIAN_GRPC_PACKAGE_NAME effdet-grpc)
  set(CPACK_DEBIAN_GRPC_PACKAGE_DEPENDS "effdet (= ${PROJECT_VERSION})")
endif()
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)  # the packages of the libraries that are needed, by dpkg-shlibdeps
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/lib)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME effdet)
set(CPACK_DEBIAN_DEV_PACKAGE_NAME libeffdet-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "effdet (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_DOC_PACKAGE_NAME effdet-doc)
set(CPACK_DEBIAN_DOC_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_DOC_PACKAGE_SHLIBDEPS OFF)
# Loaded when they are needed.
set(CPACK_DEBIAN_RUNTIME_PACKAGE_RECOMMENDS "libcurl4, libssl3, libwebp7, libtiff6, libavif15, libheif1, libfreetype6, libfontconfig1, fonts-dejavu-core")
include(CPack)
