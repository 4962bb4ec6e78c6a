# libeffdet_cuda.so, the module for GPUs: built where CUDA's compiler is found, and loaded when a GPU is asked for. nvcc is
# called as it is: CMake's own rules for CUDA would give it all options that the C++ compiler gets.
option(EFFDET_CUDA "Build the module for GPUs, where nvcc of CUDA 12 or later is found" ON)
if(NOT EFFDET_CUDA OR EFFDET_SANITIZE)
  return()
endif()
find_program(EFFDET_NVCC nvcc HINTS ENV CUDA_PATH ENV CUDA_HOME PATHS /usr/local/cuda PATH_SUFFIXES bin)
if(NOT EFFDET_NVCC)
  return()
endif()
execute_process(COMMAND ${EFFDET_NVCC} --version OUTPUT_VARIABLE nvcc_version ERROR_QUIET)
if(NOT nvcc_version MATCHES "release ([0-9]+)\\." OR CMAKE_MATCH_1 LESS 12)
  message(STATUS "No module for GPUs: ${EFFDET_NVCC} is not of CUDA 12 or later")
  return()
endif()

set(cuda_folder ${PROJECT_SOURCE_DIR}/src/kernels/cuda)
set(cuda_flags -std=c++20 -O3 -I${PROJECT_SOURCE_DIR}/src --threads 2
    # What Ampere and Hopper run, and what the driver compiles for all that came later.
    -gencode arch=compute_80,code=sm_80 -gencode arch=compute_90,code=[sm_90,compute_90]
    -ccbin ${CMAKE_CXX_COMPILER} -Xcompiler=-fPIC,-fvisibility=hidden,-fstack-protector-strong,-Wall,-Wextra
    -Xcompiler=-Wno-missing-field-initializers)
if(NOT CMAKE_BUILD_TYPE STREQUAL Debug)
  list(APPEND cuda_flags -Xcompiler=-U_FORTIFY_SOURCE,-D_FORTIFY_SOURCE=3)
endif()
set(cuda_objects)
foreach(source module products)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/cuda_${source}.o)
  add_custom_command(OUTPUT ${object}
    COMMAND ${CMAKE_CXX_COMPILER_LAUNCHER} ${EFFDET_NVCC} ${cuda_flags} -MD -MF ${object}.d -c ${cuda_folder}/${source}.cu -o ${object}
    DEPENDS ${cuda_folder}/${source}.cu DEPFILE ${object}.d COMMENT "Building CUDA object ${source}.cu" COMMAND_EXPAND_LISTS VERBATIM)
  list(APPEND cuda_objects ${object})
endforeach()

# Its libraries are CUDA's own, whose folder the loader may not know.
get_filename_component(cuda_home ${EFFDET_NVCC} REALPATH)
get_filename_component(cuda_home ${cuda_home} DIRECTORY)
get_filename_component(cuda_libraries ${cuda_home}/../lib64 REALPATH)
set(EFFDET_CUDA_MODULE ${PROJECT_BINARY_DIR}/lib/libeffdet_cuda.so)
add_custom_command(OUTPUT ${EFFDET_CUDA_MODULE}
  COMMAND ${CMAKE_CXX_COMPILER} -shared -o ${EFFDET_CUDA_MODULE} ${cuda_objects} -L${cuda_libraries} -lcudart -lcublasLt
          -Wl,-z,relro,-z,now,--no-undefined,-rpath,${cuda_libraries}
  DEPENDS ${cuda_objects} COMMENT "Linking libeffdet_cuda.so" VERBATIM)
add_custom_target(effdet_cuda ALL DEPENDS ${EFFDET_CUDA_MODULE})
# A component of its own, which is in no package: Debian has no CUDA 12 that it could depend on.
install(FILES ${EFFDET_CUDA_MODULE} DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT cuda)
