# What shared libraries show: their own interface. Templates of the standard library, of Boost and of protobuf have
# visible symbols whatever the compiler is told, and would take the place of a program's own, of another version.

# effdet_export(TARGET [C pattern...] [CXX pattern...]): names of functions, and of classes with all that belongs to them, which
# end in a star. A test holds the library to it.
function(effdet_export target)
  cmake_parse_arguments(ARG "" "" "C;CXX" ${ARGN})
  set(names "")
  foreach(pattern IN LISTS ARG_C)
    string(APPEND names "    ${pattern};\n")
  endforeach()
  foreach(pattern IN LISTS ARG_CXX)  # a question mark stands for a space
    string(APPEND names "    extern \"C++\" { ${pattern}; typeinfo?for?${pattern}; typeinfo?name?for?${pattern}; vtable?for?${pattern}; };\n")
  endforeach()
  set(map ${CMAKE_CURRENT_BINARY_DIR}/${target}.map)
  file(CONFIGURE OUTPUT ${map} @ONLY CONTENT "{\n  global:\n@names@  local:\n    *;\n};\n")
  target_link_options(${target} PRIVATE LINKER:--version-script=${map})
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${map})
  if(EFFDET_TESTS AND NOT EFFDET_SANITIZE)
    find_program(BASH bash REQUIRED)
    set(begins ${ARG_C} ${ARG_CXX})
    list(JOIN begins "|" begins)
    string(REPLACE "*" "" begins "${begins}")
    add_test(NAME structure.exports_${target}
      COMMAND ${BASH} ${PROJECT_SOURCE_DIR}/tests/structure/check_exports.sh $<TARGET_FILE:${target}> "${begins}")
    set_tests_properties(structure.exports_${target} PROPERTIES LABELS structure)
  endif()
endfunction()
