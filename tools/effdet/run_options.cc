// Adds --resume, --shard and --strict, and says where a run is kept.
#include "run_options.h"

#include <fmt/format.h>

#include <algorithm>
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
                            text));
  return {*index, *count};
}

void RunOptions::add_to(CommandLine& line, CLI::Option* results, const std::string& file) {
  line.add_flag(
          "--resume", resume_,
          fmt::format("go on with a run that was killed or stopped: finished images are kept in {}.journal", file))
      ->needs(results);
  line.add_option("--shard", shard_,
                  fmt::format("only this of N equal parts of the images, I from 0; kept in {}.shard-I-of-N for merge. "
                              "auto: as mpirun, srun, a Slurm array or torchrun says; auto/N: as an indexed Kubernetes "
                              "job says",
                              file))
      ->needs(results)
      ->check([](const std::string& text) { return text.empty() ? "it is empty" : std::string(); })
      ->type_name("I/N|auto");
  lost_after_option_ =
      line.add_option(
              "--lost-after", lost_after_,
              "under mpirun, srun or torchrun: give a process up after so many seconds in which nothing is to be "
              "seen of it")
          ->capture_default_str()
          ->check(real_between(0.1, 1e6))
          ->type_name("SECONDS");
  line.add_flag("--strict", strict_, "stop at the first image that cannot be used");
}

void RunOptions::refuse_shared_input(const std::vector<std::string>& lists) const {
  if (team_ && std::ranges::find(lists, "-") != lists.end())
    throw Error(
        ErrorCode::kUsage,
        fmt::format("-: the processes of {} do not all get the standard input; give a file's name", team_->launcher));
}

RunOptions::Place RunOptions::place_of(const std::string& results) {
  Place place;
  if (is_shard()) {
    place.shard = parse_shard(shard_);
  } else if (team_ = team_of_environment(kEnvironment); team_) {
    place.shard = team_->shard;
    if (results.empty())
      throw Error(ErrorCode::kUsage,
                  fmt::format("{} processes of {} share the images out, and keep their parts beside the results: give "
                              "--results FILE, or --shard 0/1 for all images in each of them",
                              team_->shard.count, team_->launcher));
  }
  if (lost_after_option_->count() > 0 && !team_)
    throw Error(ErrorCode::kUsage, is_shard() ? "--lost-after is for processes that share the images out; with --shard "
                                                "none waits for another"
                                              : "--lost-after is for the processes of mpirun, srun or torchrun, and "
                                                "none of them started this one");
  const bool is_part = is_shard() || team_;
  if (results.empty()) return place;
  if (is_special_output(results)) {
    if (resume_ || is_part)
      throw Error(ErrorCode::kUsage, fmt::format("{} is no file, beside which a run could be kept; give "
                                                 "a file's name",
                                                 results));
    place.results = results;
  } else if (is_part) {
    place.journal = shard_file(results, place.shard).string();
  } else {
    place.results = results;
    place.journal = results + ".journal";
  }
  return place;
}

}  // namespace effdet::cli
