// Parses --streams, and tries layouts where it is to choose one.
#include "stream_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "effdet/error.h"

namespace effdet::cli {
namespace {

constexpr int kMostStreams = 1024;

int parse_streams(const std::string& text) {
  int streams = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), streams);
  if (error != std::errc() || end != text.data() + text.size() || streams < 1 || streams > kMostStreams)
    throw Error(ErrorCode::kUsage,
                fmt::format("--streams: '{}' is neither auto nor a number from 1 to {}", text, kMostStreams));
  return streams;
}

}  // namespace

void StreamOptions::add_to(CommandLine& line, bool per_stream) {
  line.add_option("--streams", streams_,
                  "inferences at once, 1 for each card; auto: as many as give the most images a second")
      ->default_str("1")
      ->type_name("N");
  if (per_stream)
    line.add_option("--threads-per-stream", threads_a_stream_, "default: --threads divided by the streams")
        ->transform(between(1, kMostStreams))
        ->type_name("N");
}

StreamLayout StreamOptions::resolve(const CompiledModel& model, int threads, int streams) {
  if (streams_ == "auto") {
    trials_ = try_stream_layouts(model, threads);
    return trials_.front().layout;
  }
  StreamLayout layout{streams_.empty() ? streams : parse_streams(streams_), threads_a_stream_};
  if (layout.threads == 0 && threads > 0) layout.threads = std::max(1, threads / layout.streams);
  return layout;
}

void StreamOptions::print_trials() const {
  if (trials_.empty()) return;
  Table table;
  table.add({"streams", "threads", "images/s", "median ms"});
  for (const StreamTrial& trial : trials_)
    table.add({std::to_string(trial.layout.streams), std::to_string(trial.layout.threads),
               fmt::format("{:.2f}", trial.images_per_second), fmt::format("{:.3f}", trial.milliseconds)});
  fmt::print("{}\n", table.text());
}

nlohmann::json StreamOptions::trials_json() const {
  nlohmann::json json = nlohmann::json::array();
  for (const StreamTrial& trial : trials_)
    json.push_back({{"streams", trial.layout.streams},
                    {"threads_per_stream", trial.layout.threads},
                    {"images_per_second", trial.images_per_second},
                    {"median_ms", trial.milliseconds}});
  return json;
}

}  // namespace effdet::cli
