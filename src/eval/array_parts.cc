// Cuts arrays, reads their parts, and checks that they join.
#include "eval/array_parts.h"

#include "base/error.h"

namespace effdet::eval {
namespace {

constexpr std::string_view kWhitespace = " \t\r\n";

/// The place of the first character from `at` on that is no whitespace, where it is c; else npos.
size_t place_of_next(std::string_view text, size_t at, char c) {
  const size_t next = text.find_first_not_of(kWhitespace, at);
  return next != std::string_view::npos && text[next] == c ? next : std::string_view::npos;
}

/// Where a record seems to begin, behind another and a comma; npos where none does.
size_t find_record(std::string_view text, size_t at) {
  constexpr size_t kNone = std::string_view::npos;
  for (size_t close = text.find('}', at); close != kNone; close = text.find('}', close + 1)) {
    const size_t comma = place_of_next(text, close + 1, ',');
    if (comma == kNone) continue;
    if (const size_t open = place_of_next(text, comma + 1, '{'); open != kNone) return open;
  }
  return kNone;
}

}  // namespace

void begin_reading(const JsonInput& input, std::string_view things) {
  constexpr size_t kMegabyte = 1000000;
  const size_t bytes = input.text.size();
  if (input.progress != nullptr)
    input.progress->begin(fmt::format("{}, MB", things), bytes, (bytes + kMegabyte - 1) / kMegabyte);
}

ArrayParts::ArrayParts(const JsonInput& input, JsonReader reader) : input_(input) {
  if (input.pool == nullptr || reader.peek() != '[') return;
  reader.move_to(reader.position() + 1);
  if (reader.peek() != '{') return;
  for (size_t begin = reader.position(); begin != std::string_view::npos;) {
    begins_.push_back(begin);
    begin = input.text.size() - begin > input.part_bytes ? find_record(input.text, begin + input.part_bytes)
                                                         : std::string_view::npos;
  }
  if (begins_.size() == 1) begins_.clear();
}

size_t ArrayParts::read(JsonReader& reader, FunctionRef<ArrayStop(size_t part, size_t begin, size_t end)> read) const {
  if (begins_.empty()) return 0;
  std::vector<ArrayStop> stops(count());  // of parts that failed: 0, where no part begins
  const auto end_of = [&](size_t part) { return part + 1 < count() ? begins_[part + 1] : input_.text.size(); };
  input_.pool->parallel_for(static_cast<int64_t>(count()), [&](int64_t index, int) {
    const auto part = static_cast<size_t>(index);
    try {
      stops[part] = read(part, begins_[part], end_of(part));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kBadInput) throw;
    }
    if (input_.file != nullptr) input_.file->release(begins_[part], end_of(part));
    if (input_.progress != nullptr) input_.progress->add(end_of(part) - begins_[part]);
  });
  for (size_t part = 0; part < count(); ++part) {
    if (stops[part].at_end) {
      reader.move_to(stops[part].position);
      return part + 1;
    }
    if (part + 1 == count() || stops[part].position != begins_[part + 1]) break;
  }
  return 0;
}

}  // namespace effdet::eval
