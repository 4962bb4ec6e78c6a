// Running the built commands as a user does, for tests. EFFDET_BIN is their folder.
#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace effdet::test {

inline std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

struct Result {
  int code = -1;
  std::string out, error;
};

/// Runs a shell command in a folder, with the programs in PATH. What it prints also stays there, in .out and .error.
inline Result run_in(const std::filesystem::path& folder, const std::string& command) {
  const std::string line =
      "cd '" + folder.string() + "' && export PATH='" EFFDET_BIN "':\"$PATH\" && { " + command + "\n} >.out 2>.error";
  Result result;
  const int status = std::system(line.c_str());
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  result.out = content(folder / ".out");
  result.error = content(folder / ".error");
  return result;
}

}  // namespace effdet::test
