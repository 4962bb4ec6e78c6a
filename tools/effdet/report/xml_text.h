// Text of files - names of categories, images and layers - as XML and HTML take it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace effdet::cli {

/// Text as XML and HTML take it, in quotes too. What is no UTF-8 and what does not show (control characters, those that
/// turn the direction of writing around) is shown as "\xNN" for each byte; line ends stay.
std::string xml_text(std::string_view text);

/// As many columns of a fixed-width font as the text takes, about: two for East Asian characters and emoji.
size_t text_columns(std::string_view text);

/// The text's beginning, in at most that many columns; with "..." at its end where it is cut.
std::string shortened_to(std::string_view text, size_t columns);

}  // namespace effdet::cli
