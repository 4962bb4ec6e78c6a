/* Version of these headers, for the preprocessor; C and C++. CMakeLists.txt takes the project's version from here. */
#pragma once

/* Versions are semantic (semver.org). Before 1.0 a new minor version may change interfaces; the name of the library
 * (SONAME) then changes, too, so that a program never runs with one that it was not built for. */
#define EFFDET_VERSION_MAJOR 0
#define EFFDET_VERSION_MINOR 1
#define EFFDET_VERSION_PATCH 0
