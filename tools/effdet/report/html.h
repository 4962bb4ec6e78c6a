// What pages share: frame, style, sections, tables. A page needs nothing besides itself: no network, no other file.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace effdet::cli {

/// What each page has near its beginning: a folder with a page is replaced only where it is one of these.
inline constexpr std::string_view kHtmlMaker = "<meta name=\"generator\" content=\"effdet\">";

/// A whole page. title: text, which is escaped; css: more rules after the common ones; body: markup below the title;
/// script: JavaScript that is the program's own, or empty.
std::string html_page(std::string_view title, std::string_view css, std::string_view body,
                      std::string_view script = {});

/// A heading, an id for links, and markup below.
std::string html_section(std::string_view id, std::string_view heading, const std::string& markup);

/// What may be wider than the window: it scrolls in a region of its own, which the keyboard reaches too.
std::string html_scroll(std::string_view name, const std::string& markup);

/// A row of a table's head. Names are escaped, as cells' texts are.
std::string html_head(std::initializer_list<std::string_view> names);
std::string html_cell(std::string_view text);
/// A cell of words, which stand on the left and may take several lines.
std::string html_words(std::string_view text);
/// The first cell of a row, which names it.
std::string html_row_name(std::string_view text);

/// A name and what is said of it in a list of descriptions. markup: as it is.
std::string html_fact(std::string_view name, std::string_view markup);

}  // namespace effdet::cli
