// The page's script: search, sorting and curves in the table of categories.
#pragma once

#include <string_view>

namespace effdet::cli {

/// JavaScript that works on the markup of section_categories.cc. It takes what it shows from the page and writes it as
/// text, so that names of files stay text.
std::string_view category_script();

}  // namespace effdet::cli
