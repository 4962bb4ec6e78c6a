// The page at "/", which the build takes from page.html.
#pragma once

#include <string_view>

namespace effdet::server {

extern const std::string_view kPage;

}  // namespace effdet::server
