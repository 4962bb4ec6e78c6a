# What keeps a fault from becoming an attack: where the loader looks for libraries, and what compiler and linker guard.
# tests/install/check_binaries.cc holds every program and library of the build and of an installation to it.

# Programs find libeffdet beside them, in the build as after an installation. CMake's own run paths of build trees end in
# an empty element where they are to be changed by an installation, and the loader takes that for the current folder.
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)  # libraries of Debian packages need none; those of other folders do
set(EFFDET_LIBRARY_RPATH "$ORIGIN/../lib")
file(RELATIVE_PATH libraries ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
if(NOT libraries STREQUAL "../lib")
  list(APPEND EFFDET_LIBRARY_RPATH "$ORIGIN/${libraries}")
endif()

# Position-independent programs; tables of addresses that are complete, and read-only, before main() begins.
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)
add_link_options(LINKER:-z,relro,-z,now)

# Sanitizers check more, and by other means; code that is not optimised is not fortified.
if(NOT EFFDET_SANITIZE)
  add_compile_options(-fstack-protector-strong)
  foreach(option -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
    add_compile_options($<$<NOT:$<CONFIG:Debug>>:${option}>)
  endforeach()
endif()
