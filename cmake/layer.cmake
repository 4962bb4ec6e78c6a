# Layers: the folders of src/ as libraries, with their tests. docs/architecture.md has the table of them.

# Layers that read files, or work on what files say: their tests run with sanitizers too (target checked_tests, see test.sh).
# With EFFDET_CHECK_READERS the others are compiled without, which takes half as long; scripts/nightly.sh checks all.
set(EFFDET_CHECKED base vision eval checkpoint ir ops onnx passes artifact aipp dataset)
option(EFFDET_CHECK_READERS "With EFFDET_SANITIZE: sanitizers in the layers that read files alone" OFF)
add_custom_target(checked_tests)

# Leaves sanitizers out of a target that is not of a layer above.
function(effdet_leave_unchecked target)
  if(EFFDET_SANITIZE AND EFFDET_CHECK_READERS)
    target_compile_options(${target} PRIVATE -fno-sanitize=all)
  endif()
endfunction()

# What is compiled far longer than it runs is optimised less: command-line parsing, and tests even less.
set(EFFDET_QUICK_COMPILE $<$<CONFIG:Release>:-O1>)
set(EFFDET_TEST_COMPILE $<$<CONFIG:Release>:-O0> -U_FORTIFY_SOURCE)
if(EFFDET_SANITIZE)
  # The checks of undefined behaviour are for what is tested, not for the tests: they take longer to compile than all else.
  # Lines of tests in a report are worth less than the time that they take, too: GoogleTest names the test.
  set(EFFDET_TEST_COMPILE -O0 -g0 -fno-sanitize=undefined)
  set(EFFDET_QUICK_COMPILE ${EFFDET_TEST_COMPILE})
endif()
# Tests with loops over whole maps, which compare every kernel with the reference.
set(EFFDET_LONG_TESTS kernels)

# Layers without loops over pixels or numbers of weights: -O3 would only take longer to compile.
set(EFFDET_PLAIN_LAYERS ir checkpoint onnx passes model fetch aipp artifact compiler executor tuning dataset api server)

# Links layers by name (base) without handing them on, and libraries by target (fmt::fmt) as public.
function(effdet_link target)
  foreach(dependency IN LISTS ARGN)
    if(dependency MATCHES "^[a-z]+$")
      target_link_libraries(${target} PRIVATE effdet_${dependency})
    else()
      target_link_libraries(${target} PUBLIC ${dependency})
    endif()
  endforeach()
endfunction()

# effdet_layer(NAME SOURCES a.cc ...
#              [DEPENDS layer-or-library ...]  layers by name (base); libraries by target (fmt::fmt), which its headers show
#              [PRIVATE library ...]           libraries that its headers do not show
#              [PUBLIC_HEADERS a.h ...]        headers of include/effdet/ that this layer implements
#              [TESTS a_test.cc ...] [TEST_DEPENDS layer-or-library ...])
#
# One folder under src/ is one layer: a static library effdet_NAME, and one test program NAME_test whose tests carry the
# CTest label NAME. All layers compile with src/ as include folder and a program links whatever its layers need, so it is
# the test structure.layers that holds includes to DEPENDS, TEST_DEPENDS and PUBLIC_HEADERS, and docs/architecture.md too.
# Layers that implement public functions become part of libeffdet as objects: of an archive the linker takes what it needs
# alone, and hides it.
function(effdet_layer name)
  cmake_parse_arguments(LAYER "" "" "SOURCES;DEPENDS;PRIVATE;PUBLIC_HEADERS;TESTS;TEST_DEPENDS" ${ARGN})
  add_library(effdet_${name} STATIC ${LAYER_SOURCES})
  target_include_directories(effdet_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  effdet_link(effdet_${name} ${LAYER_DEPENDS})
  if(NOT name IN_LIST EFFDET_CHECKED)
    effdet_leave_unchecked(effdet_${name})
  endif()
  if(name IN_LIST EFFDET_PLAIN_LAYERS)
    target_compile_options(effdet_${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  endif()
  target_link_libraries(effdet_${name} PRIVATE ${LAYER_PRIVATE})
  foreach(header IN LISTS LAYER_PUBLIC_HEADERS)
    file(STRINGS ${PROJECT_SOURCE_DIR}/include/effdet/${header} functions REGEX "^ *EFFDET_API")
    if(functions)
      set_property(GLOBAL APPEND PROPERTY EFFDET_PUBLIC_OBJECTS $<TARGET_OBJECTS:effdet_${name}>)
      break()
    endif()
  endforeach()
  if(EFFDET_TESTS AND LAYER_TESTS)
    add_executable(${name}_test ${LAYER_TESTS})
    effdet_link(${name}_test ${name} ${LAYER_DEPENDS} ${LAYER_TEST_DEPENDS})
    target_link_libraries(${name}_test PRIVATE ${LAYER_PRIVATE} GTest::gtest GTest::gtest_main)
    target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_compile_definitions(${name}_test PRIVATE EFFDET_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    if(name IN_LIST EFFDET_LONG_TESTS)
      target_compile_options(${name}_test PRIVATE ${EFFDET_QUICK_COMPILE})
    else()
      target_compile_options(${name}_test PRIVATE ${EFFDET_TEST_COMPILE})
    endif()
    if(name IN_LIST EFFDET_CHECKED)
      add_dependencies(checked_tests ${name}_test)
    endif()
    gtest_discover_tests(${name}_test DISCOVERY_TIMEOUT 60 PROPERTIES LABELS ${name})
  endif()
endfunction()
