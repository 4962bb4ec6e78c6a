// Where effdet's authors publish weights.
#pragma once

#include <string_view>

namespace effdet::model {

/// The folder of effdet's releases on the web, with its slash.
std::string_view release_folder();

/// The name of the file with a variant's weights there, or "" where none were published. The end of the name is the
/// beginning of the file's SHA-256.
std::string_view release_file(std::string_view variant);

}  // namespace effdet::model
