// Finds CANN's atc and runs it: no shell, so that arguments arrive as they are.
#include "cann_atc.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <map>
#include <string_view>
#include <vector>

#include "atc_options.h"
#include "cli.h"
#include "effdet/cann_model.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;

/// Empty where there is none. A link from there to this program is not CANN's.
fs::path find_program() {
  std::error_code error;
  for (const fs::path& folder : cann_folders()) {
    const fs::path program = folder / "bin/atc";
    if (::access(program.c_str(), X_OK) == 0 && !fs::is_directory(program, error) &&
        !fs::equivalent(program, "/proc/self/exe", error))
      return program;
  }
  return {};
}

/// What an argument "--flag=value" or "--flag value" says; the last, as CANN's atc takes it; "" where there is none.
std::string value_of(std::string_view flag, int argc, char** argv) {
  std::string value;
  for (int i = 1; i < argc; ++i) {
    std::string_view text = argv[i];
    if (!text.starts_with(flag)) continue;
    text.remove_prefix(flag.size());
    if (text.starts_with('='))
      value = text.substr(1);
    else if (text.empty() && i + 1 < argc)
      value = argv[i + 1];
  }
  return value;
}

/// Runs a program to its end; it ends with this process, since whoever stops us means it. Throws Error(kIo) where it
/// cannot be started.
int run_to_end(std::string program, int argc, char** argv) {
  std::vector<char*> arguments = {program.data()};
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  arguments.push_back(nullptr);
  std::fflush(nullptr);
  int pipe[2] = {-1, -1};  // through which the child says why it did not start
  const pid_t self = ::getpid();
  const pid_t child = ::pipe2(pipe, O_CLOEXEC) == 0 ? ::fork() : -1;
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != self) ::_exit(128 + SIGTERM);  // it ended before that
    sigset_t none;
    ::sigemptyset(&none);
    ::pthread_sigmask(SIG_SETMASK, &none, nullptr);  // a thread of ours waits for signals, which would stay blocked
    ::execv(arguments[0], arguments.data());
    const int reason = errno;
    (void)!::write(pipe[1], &reason, sizeof reason);
    ::_exit(static_cast<int>(ErrorCode::kIo));
  }
  int reason = child < 0 ? errno : 0, status = 0;
  ::close(pipe[1]);
  if (child > 0) {
    (void)!::read(pipe[0], &reason, sizeof reason);  // nothing where it has started
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
  }
  ::close(pipe[0]);
  if (reason != 0) throw Error(ErrorCode::kIo, fmt::format("cannot start {}: {}", program, std::strerror(reason)));
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// The files that atc may make of --output, with the times they were written at: models whose graph runs in part on the
/// host's processor have its name.
std::map<fs::path, fs::file_time_type> models_of(const std::string& output) {
  std::map<fs::path, fs::file_time_type> models;
  std::error_code error;
  for (const char* end : {".om", "_linux_x86_64.om", "_linux_aarch64.om"})
    if (const auto written = fs::last_write_time(output + end, error); !error) models[output + end] = written;
  return models;
}

/// What runs a model needs to know what it is. That it cannot be kept takes nothing from the model that was made.
void keep_metadata_of(const std::string& onnx, const std::string& insert_op_conf, const fs::path& model) {
  try {
    const fs::path kept = keep_metadata(model, onnx, insert_op_conf);
    fmt::print("[INFO] {}: what {} is, for detect and validate\n", kept.string(), model.string());
  } catch (const Error& error) {
    fmt::print("[WARNING] {} does not say what it is to detect and validate: {}\n", model.string(),
               one_line(error.what()));
  }
}

}  // namespace

std::string card_version(int argc, char** argv) {
  std::string version = value_of("--soc_version", argc, argv);
  return version.starts_with("Ascend") ? version : "";
}

int run_cann_atc(int argc, char** argv, const std::string& soc_version) {
  const fs::path program = find_program();
  if (program.empty()) {
    std::string looked;
    for (const fs::path& folder : cann_folders())
      looked += fmt::format("{}{}", looked.empty() ? "" : ", ", (folder / "bin").string());
    fail_value(ErrorCode::kUnsupported, "--soc_version", soc_version,
               fmt::format(
                   "CANN, which compiles for cards, is not installed: there is no atc in {}; source its set_env.sh, or "
                   "compile for this processor with --soc_version=native",
                   looked));
  }
  const std::string onnx = value_of("--model", argc, argv), output = value_of("--output", argc, argv);
  const auto before = models_of(output);
  const int code = run_to_end(program.string(), argc, argv);
  if (code != 0 || value_of("--framework", argc, argv) != "5") return code;
  for (const auto& [model, written] : models_of(output))
    if (const auto old = before.find(model); old == before.end() || old->second != written)
      keep_metadata_of(onnx, value_of("--insert_op_conf", argc, argv), model);
  return code;
}

}  // namespace effdet::cli
