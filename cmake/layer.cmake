# Layers that read files, or run what files say: their tests run with sanitizers too (target checked_tests, see test.sh).
set(EFFDET_CHECKED base vision eval checkpoint ir ops onnx passes artifact aipp model compiler pipeline)
add_custom_target(checked_tests)

# What is compiled far longer than it runs - tests, command-line parsing - is optimised less: half the build time.
set(EFFDET_QUICK_COMPILE $<$<CONFIG:Release>:-O1>)
if(EFFDET_SANITIZE)
  # The checks of undefined behaviour are for what is tested, not for the tests: they take longer to compile than all else.
  set(EFFDET_QUICK_COMPILE -O0 -fno-sanitize=undefined)
endif()

# effdet_layer(NAME SOURCES a.cc ... [DEPENDS layer-or-library ...] [PRIVATE library ...] [TESTS a_test.cc ...])
#
# One folder under src/ is one layer: a static library effdet_NAME, and one test program NAME_test whose tests carry the
# CTest label NAME. DEPENDS takes layers by name (base) and libraries by target (ZLIB::ZLIB); layers that are not listed
# cannot be linked, which keeps the dependency rule of docs/architecture.md honest.
function(effdet_layer name)
  cmake_parse_arguments(LAYER "" "" "SOURCES;DEPENDS;PRIVATE;TESTS" ${ARGN})
  set(links "")
  foreach(dependency IN LISTS LAYER_DEPENDS)
    if(dependency MATCHES "^[a-z]+$")
      list(APPEND links effdet_${dependency})
    else()
      list(APPEND links ${dependency})
    endif()
  endforeach()
  add_library(effdet_${name} STATIC ${LAYER_SOURCES})
  target_include_directories(effdet_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(effdet_${name} PUBLIC ${links} PRIVATE ${LAYER_PRIVATE})
  if(EFFDET_TESTS AND LAYER_TESTS)
    add_executable(${name}_test ${LAYER_TESTS})
    target_link_libraries(${name}_test PRIVATE effdet_${name} ${LAYER_PRIVATE} GTest::gtest GTest::gtest_main)
    target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_compile_definitions(${name}_test PRIVATE EFFDET_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    target_compile_options(${name}_test PRIVATE ${EFFDET_QUICK_COMPILE})
    if(name IN_LIST EFFDET_CHECKED)
      add_dependencies(checked_tests ${name}_test)
    endif()
    gtest_discover_tests(${name}_test DISCOVERY_TIMEOUT 60 PROPERTIES LABELS ${name})
  endif()
endfunction()
