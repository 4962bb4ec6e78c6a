# Libraries that are optional and loaded when they are first needed: only their headers are compiled against.

# effdet_find_lazy(NAME HEADER header LIBRARY name): sets NAME_SONAME to what the dynamic linker calls the library
# ("libwebp.so.7") and NAME_INCLUDE to the folder of its header; both are empty where one of them is not found.
function(effdet_find_lazy name)
  cmake_parse_arguments(LAZY "" "HEADER;LIBRARY" "" ${ARGN})
  find_path(EFFDET_${name}_INCLUDE ${LAZY_HEADER})
  find_library(EFFDET_${name}_LIBRARY ${LAZY_LIBRARY})
  mark_as_advanced(EFFDET_${name}_INCLUDE EFFDET_${name}_LIBRARY)
  set(soname "")
  if(EFFDET_${name}_INCLUDE AND EFFDET_${name}_LIBRARY)
    execute_process(COMMAND ${CMAKE_OBJDUMP} -p ${EFFDET_${name}_LIBRARY} OUTPUT_VARIABLE header ERROR_QUIET)
    if(header MATCHES "SONAME +([^ \n]+)")
      set(soname ${CMAKE_MATCH_1})
    endif()
  endif()
  if(soname)
    message(STATUS "${LAZY_LIBRARY}: ${soname}, loaded when it is needed")
  else()
    message(STATUS "${LAZY_LIBRARY}: not found, left out")
  endif()
  set(${name}_SONAME "${soname}" PARENT_SCOPE)
  set(${name}_INCLUDE "${EFFDET_${name}_INCLUDE}" PARENT_SCOPE)
endfunction()
