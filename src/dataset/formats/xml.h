// XML files, element by element, by expat.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace effdet::dataset {

/// What is called for each element. path: the names from the root on, "annotation/object/name"; where: "a.xml:12", for
/// messages.
struct XmlEvents {
  std::function<void(std::string_view path, const std::string& where)> begin;
  /// text: of an element without others in it, blanks around it left out.
  std::function<void(std::string_view path, std::string_view text, const std::string& where)> end;
};

/// Reads a file of at most 16 MiB and hands on what the events throw. Throws Error(kIo), and Error(kBadInput) that
/// names file and line for what is no XML, for declarations of entities, which can make any amount of text out of a
/// small file, and for elements more than 32 deep.
void read_xml(const std::filesystem::path& file, const XmlEvents& events);

}  // namespace effdet::dataset
