// Command lines: a command and its arguments, between line ends, in an empty folder.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "calibration_config.h"
#include "commands.h"
#include "input_file.h"
#include "targets.h"

namespace effdet::fuzz {
namespace {

/// What takes long, waits, or reaches for the network whatever its arguments are.
constexpr std::string_view kLeftOut[] = {"serve", "download", "scenes", "init", "bench", "profile", "manual"};

/// In a folder of its own, where no file may become large.
void settle_in() {
  const std::filesystem::path folder = work_folder() / "folder";
  std::filesystem::create_directories(folder);
  const rlimit limit{1 << 20, 1 << 20};
  if (::chdir(folder.c_str()) != 0 || ::setrlimit(RLIMIT_FSIZE, &limit) != 0) finding("no folder to run commands in");
}

/// Standard output goes nowhere as long as it lives.
class Silence {
 public:
  Silence() : output_(::dup(STDOUT_FILENO)), nowhere_(::open("/dev/null", O_WRONLY | O_CLOEXEC)) {
    ::dup2(nowhere_, STDOUT_FILENO);
  }
  ~Silence() {
    std::fflush(stdout);
    ::dup2(output_, STDOUT_FILENO);
    ::close(output_);
    ::close(nowhere_);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  int output_, nowhere_;
};

}  // namespace

void command_line(Bytes input) {
  static const bool once = (settle_in(), true);
  static_cast<void>(once);
  // Names of files stay in the folder, and URLs are none.
  std::string text(text_of(input.first(std::min<size_t>(input.size(), 2000))));
  std::ranges::replace(text, '/', '_');
  std::ranges::replace(text, '\0', '_');
  std::vector<std::string> words;
  for (size_t begin = 0; begin <= text.size() && words.size() < 40;) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  const cli::Command* command = cli::find_command(words.front());
  if (command == nullptr || std::ranges::find(kLeftOut, command->name) != std::end(kLeftOut)) return;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const Silence silence;
  read([&] { command->run(static_cast<int>(words.size()), arguments.data()); });
}

/// The file of atc --compression_optimize_conf.
void calibration_config(Bytes input) { read_file_of(input, cli::read_calibration_config); }

}  // namespace effdet::fuzz
