// The fields of an aipp_op by name: protobuf's text format, read by protobuf. Its types stay in text.cc.
#pragma once

#include <map>
#include <string>

namespace effdet::aipp {

/// What stands in the text of a file, each field checked for type and range.
class Fields {
 public:
  /// file: its name, for messages.
  /// Throws Error(kBadInput) "file:line: ..." for a malformed file, an unknown or repeated field or a value out of
  /// range; Error(kUnsupported) for more than one aipp_op.
  Fields(const std::string& text, std::string file);

  const std::string& file() const { return file_; }
  /// Lines of the fields that the file gives, from 1.
  const std::map<std::string, int>& lines() const { return lines_; }
  /// A number or switch (1: true); 0 where it is not given.
  double number(const std::string& field) const;
  /// A name (aipp_mode, input_format); "" where it is not given.
  std::string text(const std::string& field) const;

 private:
  std::string file_;
  std::map<std::string, int> lines_;
  std::map<std::string, double> numbers_;
  std::map<std::string, std::string> texts_;
};

}  // namespace effdet::aipp
