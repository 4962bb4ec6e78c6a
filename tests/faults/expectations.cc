// Looks at exit codes, error texts and files: nothing is half written, nothing is left behind.
#include "faults/expectations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

namespace effdet::faults {
namespace {

/// A run over images goes on without those that it cannot use.
bool leaves_images_out(const Outcome& outcome) {
  return outcome.code == 3 && outcome.error.find(" images could not be used") != std::string::npos;
}

/// Of what validate and detect keep finished images in until their results are written.
constexpr const char* kJournal = ".journal";

/// Of files: effdet/output_file.h; of folders: tools/effdet/temporary_folder.cc.
bool is_temporary(const std::string& name) {
  return name.find(".effdet-") != std::string::npos || name.find("effdet_run_") != std::string::npos;
}

/// Without the warnings for images that could not be used, and for a journal that cannot be kept.
std::string without_warnings(std::string error) {
  const auto is_one = [](const std::string& line) {
    return line.starts_with("[WARNING] in/data/val2017/") ||
           (line.starts_with("[WARNING] out/") && line.find(std::string(kJournal) + ": ") != std::string::npos);
  };
  while (is_one(error.substr(0, error.find('\n')))) error.erase(0, error.find('\n') + 1);
  return error;
}

std::set<std::string> lines_of(const std::string& text) {
  std::set<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.insert(line);
  return lines;
}

/// Whether lists have nothing that is not in those of the whole.
bool is_part_of(const nlohmann::json& part, const nlohmann::json& whole) {
  if (part.is_array() && whole.is_array())
    return std::ranges::all_of(part, [&](const auto& e) { return std::ranges::find(whole, e) != whole.end(); });
  if (!part.is_object() || !whole.is_object() || part.size() != whole.size())
    return part == whole && !part.is_discarded();
  return std::ranges::all_of(part.items(), [&](const auto& item) {
    return whole.contains(item.key()) && is_part_of(item.value(), whole[item.key()]);
  });
}

/// A picture with boxes, whose letters are of another font where the usual one cannot be read: docs/detect.md.
bool is_whole_picture(const Command& command, const std::string& name, const std::string& content) {
  return command.traits.of_images && name.ends_with(".jpg") && content.starts_with("\xff\xd8") &&
         content.ends_with("\xff\xd9");
}

bool are_whole(const Command& command, const Files& files) {
  return std::ranges::equal(files, command.outputs, [&](const auto& file, const auto& whole) {
    return file.first == whole.first &&
           (file.second == whole.second || is_whole_picture(command, file.first, file.second));
  });
}

/// One line of error, after warnings. atc says on standard output what went
/// wrong, as the original does; see docs/exit-codes.md.
bool says_one_error(const Command& command, const Outcome& outcome) {
  if (command.name == "atc" && outcome.out.find("ATC run failed") != std::string::npos) return outcome.error.empty();
  const std::string error = without_warnings(outcome.error);
  return std::ranges::count(error, '\n') == 1 && error.find(": error: ") != std::string::npos;
}

/// Of a new folder all files are there or none.
void expect_whole_folder(const Command& command, const Files& files, const std::string& what) {
  if (command.traits.new_folder.empty()) return;
  const auto is_in_folder = [&](const auto& file) { return file.first.starts_with(command.traits.new_folder + "/"); };
  const auto there = std::ranges::count_if(files, is_in_folder);
  EXPECT_TRUE(there == 0 || there == std::ranges::count_if(command.outputs, is_in_folder))
      << command.name << ", " << what << ": a part of " << command.traits.new_folder;
}

}  // namespace

bool is_of_some_images(const Command& command, const std::string& name, const std::string& content) {
  if (!command.traits.of_images) return false;
  if (name.ends_with(".png")) return content.ends_with(std::string("IEND\xae\x42\x60\x82"));  // a whole contact sheet
  if (name.ends_with(".jsonl") || name.ends_with(".csv")) {
    const std::set<std::string> whole = lines_of(command.outputs.at(name)), some = lines_of(content);
    return (content.empty() || content.ends_with('\n')) && std::ranges::includes(whole, some);
  }
  const auto list = nlohmann::json::parse(content, nullptr, /*allow_exceptions=*/false);
  const auto whole = nlohmann::json::parse(command.outputs.at(name), nullptr, /*allow_exceptions=*/false);
  return is_part_of(list, whole);
}

void expect_whole_files(const Command& command, const Workplace& place, const std::string& what, bool of_all,
                        bool killed) {
  const Files files = place.outputs();
  for (const auto& [name, content] : files) {
    const std::string where = command.name + ", " + what + ": " + name;
    if (killed && is_temporary(name)) continue;
    if (name.ends_with(kJournal) && !of_all) continue;  // expect_resumes() looks at it
    const auto whole = command.outputs.find(name);
    const bool is_known = whole != command.outputs.end();
    EXPECT_TRUE(is_known) << where << " was left behind";
    EXPECT_TRUE(content == kOld || (is_known && content == whole->second) ||
                (is_known && is_whole_picture(command, name, content)) ||
                (is_known && !of_all && is_of_some_images(command, name, content)))
        << where;
  }
  if (killed) expect_whole_folder(command, files, what);
}

void expect_orderly(const Command& command, const Workplace& place, const Outcome& outcome, const std::string& what,
                    std::initializer_list<int> codes) {
  expect_orderly_end(command, place, outcome, what, codes);
  expect_resumes(command, place, what);
}

void expect_orderly_end(const Command& command, const Workplace& place, const Outcome& outcome, const std::string& what,
                        std::initializer_list<int> codes) {
  const std::string where = command.name + ", " + what + ", exit code " + std::to_string(outcome.code) + ": ";
  EXPECT_FALSE(outcome.hung) << where;
  EXPECT_EQ(outcome.signal, 0) << where << outcome.error;
  EXPECT_TRUE(std::ranges::find(codes, outcome.code) != codes.end() || leaves_images_out(outcome))
      << where << outcome.error;
  EXPECT_TRUE(outcome.code == 0 ? without_warnings(outcome.error).empty() : says_one_error(command, outcome))
      << where << outcome.error;
  expect_whole_files(command, place, what, /*of_all=*/outcome.code == 0);
  if (!leaves_images_out(outcome)) expect_whole_folder(command, place.outputs(), what);
  EXPECT_TRUE(outcome.code != 0 || are_whole(command, place.outputs())) << where;
}

void expect_resumes(const Command& command, const Workplace& place, const std::string& what) {
  if (std::ranges::none_of(place.outputs(), [](const auto& file) { return file.first.ends_with(kJournal); })) return;
  Start start = place.start(command);
  start.arguments.emplace_back("--resume");
  expect_same(command, place, run(start), "resumed after " + what);
}

void expect_same(const Command& command, const Workplace& place, const Outcome& outcome, const std::string& what) {
  EXPECT_FALSE(outcome.hung) << command.name << ", " << what;
  EXPECT_EQ(outcome.code, 0) << command.name << ", " << what << ": " << outcome.error;
  EXPECT_TRUE(place.outputs() == command.outputs) << command.name << ", " << what;
}

}  // namespace effdet::faults
