// Adds --resume, --shard and --strict, and says where a run is kept.
#include "run_options.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "effdet/error.h"
#include "output_paths.h"

namespace effdet::cli {
namespace {

const Environment kEnvironment = [](const char* name) { return std::getenv(name); };

std::optional<size_t> whole_number(std::string_view text) {
  size_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_one = !text.empty() && error == std::errc() && stop == text.data() + text.size();
  return is_one ? std::optional(number) : std::nullopt;
}

}  // namespace

Shard parse_shard(const std::string& text) {
  const size_t slash = text.find('/');
  const std::string first = text.substr(0, slash);
  const std::optional<size_t> count =
      slash == std::string::npos ? std::nullopt : whole_number(std::string_view(text).substr(slash + 1));
  const bool counted = count && *count >= 1 && *count <= Shard::kMost;
  if (first == "auto" && (counted || slash == std::string::npos)) return shard_of_environment(kEnvironment, count);
  const std::optional<size_t> index = whole_number(first);
  if (!index || !counted || *index >= *count)
    throw Error(ErrorCode::kUsage,
                fmt::format("--shard: '{}' is no shard such as 0/4 to 3/4, which are the four of four; auto asks the "
                            "launcher",
                            one_line(text)));
  return {*index, *count};
}

void RunOptions::add_to(CommandLine& line, CLI::Option* results) {
  line.add_flag("--resume", resume_,
                "go on with a run that was killed or stopped: finished images are kept in FILE.journal")
      ->needs(results);
  line.add_option("--shard", shard_,
                  "only this of N equal parts of the images, I from 0; kept in FILE.shard-I-of-N for merge. auto: as "
                  "mpirun, srun, a Slurm array or torchrun says; auto/N: as an indexed Kubernetes job says")
      ->needs(results)
      ->check([](const std::string& text) { return text.empty() ? "it is empty" : std::string(); })
      ->type_name("I/N|auto");
  line.add_option("--lost-after", lost_after_,
                  "under mpirun, srun or torchrun: give a process up after so many seconds in which nothing is to be "
                  "seen of it")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 1e6).description(""))
      ->type_name("SECONDS");
  line.add_flag("--strict", strict_, "stop at the first image that cannot be used");
}

void RunOptions::apply(const std::string& results, ValidateOptions& options) {
  options.resume = resume_;
  options.strict = strict_;
  if (is_shard()) {
    options.shard = parse_shard(shard_);
  } else if (team_ = team_of_environment(kEnvironment); team_) {
    options.shard = team_->shard;
    if (results.empty())
      throw Error(ErrorCode::kUsage,
                  fmt::format("{} processes of {} share the images out, and keep their parts beside the results: give "
                              "--results FILE, or --shard 0/1 for all images in each of them",
                              team_->shard.count, team_->launcher));
  }
  const bool is_part = is_shard() || team_;
  if (results.empty()) return;
  if (is_special_output(results)) {
    if (resume_ || is_part)
      throw Error(ErrorCode::kUsage, fmt::format("--results: {} is no file, beside which a run could be kept; give "
                                                 "a file's name",
                                                 results));
    options.results = results;
  } else if (is_part) {
    options.journal = shard_file(results, options.shard);
  } else {
    options.results = results;
    options.journal = results + ".journal";
  }
}

}  // namespace effdet::cli
