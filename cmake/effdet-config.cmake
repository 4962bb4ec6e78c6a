# find_package(effdet) gives the target effdet::effdet.
include(${CMAKE_CURRENT_LIST_DIR}/effdet-targets.cmake)
