# Finds gRPC by its pkg-config file: find_package(GRPC 1.51), target GRPC::grpc++. One question, where pkg_check_modules() asks
# sixteen: each takes pkg-config a second, for the hundred packages of Abseil behind gRPC. gRPC's own package files end with
# an error where its code generators are not installed, as Debian has them in another package.
find_package(PkgConfig QUIET)
if(PKG_CONFIG_EXECUTABLE AND NOT TARGET GRPC::grpc++)
  # Where other packages are looked for, too.
  set(folders "")
  foreach(prefix IN LISTS CMAKE_PREFIX_PATH)
    list(APPEND folders ${prefix}/lib/pkgconfig ${prefix}/${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  endforeach()
  string(JOIN ":" folders ${folders} $ENV{PKG_CONFIG_PATH})
  execute_process(COMMAND ${CMAKE_COMMAND} -E env PKG_CONFIG_PATH=${folders}
                          ${PKG_CONFIG_EXECUTABLE} --cflags --libs "grpc++ >= ${GRPC_FIND_VERSION}"
                  OUTPUT_VARIABLE options RESULT_VARIABLE missing ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT missing)
    separate_arguments(options UNIX_COMMAND "${options}")
    set(compile_options ${options})
    list(FILTER compile_options INCLUDE REGEX "^-[DI]")
    list(FILTER options EXCLUDE REGEX "^-[DI]")
    add_library(GRPC::grpc++ INTERFACE IMPORTED)
    target_compile_options(GRPC::grpc++ INTERFACE ${compile_options})
    target_link_libraries(GRPC::grpc++ INTERFACE ${options})
  endif()
endif()
if(TARGET GRPC::grpc++)
  set(GRPC_FOUND TRUE)
endif()
