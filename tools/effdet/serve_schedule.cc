// Reads how requests of each model run and wait.
#include "serve_schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "effdet/error.h"

namespace effdet::cli {
namespace {

int number_of(const std::string& setting, const std::string& text, int low, int high) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < low || value > high)
    throw Error(ErrorCode::kUsage,
                fmt::format("--schedule {}: '{}': expected a number from {} to {}", setting, text, low, high));
  return value;
}

/// One KEY=NUMBER of a setting.
void read_part(const std::string& setting, const std::string& part, ServedModel& model, StreamLayout& layout) {
  constexpr int kMostStreams = 1024, kMostQueue = 1'000'000;
  const size_t equals = std::min(part.find('='), part.size());
  const std::string key = part.substr(0, equals), text = part.substr(std::min(equals + 1, part.size()));
  if (key == "streams") {
    layout.streams = number_of(setting, text, 1, kMostStreams);
    model.layout = layout;
  } else if (key == "threads") {
    layout.threads = number_of(setting, text, 1, kMostStreams);
    model.layout = layout;
  } else if (key == "queue") {
    model.queue = static_cast<size_t>(number_of(setting, text, 0, kMostQueue));
  } else {
    throw Error(ErrorCode::kUsage,
                fmt::format("--schedule {}: '{}': expected streams=N, threads=N or queue=N", setting, part));
  }
}

}  // namespace

void ServeSchedule::add_to(CommandLine& line, ServerOptions& options) {
  line.add_option("--queue", options.queue, "requests of each model that wait, at most; more are refused (503)")
      ->capture_default_str()
      ->transform(between(0, 1000000))
      ->type_name("N");
  line.add_option("--queue-bytes", queue_bytes_, "of the bodies of each model's requests that wait, at most")
      ->capture_default_str()
      ->type_name("BYTES");
  line.add_option("--queue-timeout", queue_milliseconds_,
                  "milliseconds after which requests that no stream has begun are dropped (503), unless they have a "
                  "timeout of their own; 0: never")
      ->capture_default_str()
      ->transform(between(0, 86'400'000))
      ->type_name("MS");
  line.add_option("--priority-levels", options.priority_levels,
                  "requests have a priority from 1 to N: lower numbers go first; 0: all are the same")
      ->capture_default_str()
      ->transform(between(0, 1000))
      ->type_name("N");
  line.add_option("--preferred-batch-size", options.preferred_batch,
                  "requests for tensors that run together, at most, where the model has a plan for so many (atc "
                  "--dynamic_batch_size); on processors it is rarely faster")
      ->capture_default_str()
      ->transform(between(1, 1024))
      ->type_name("N");
  line.add_option("--max-queue-delay", options.queue_delay_us,
                  "microseconds that a request waits for others of its batch")
      ->capture_default_str()
      ->transform(between(0, 60'000'000))
      ->type_name("US");
  line.add_option(
          "--schedule", settings_,
          "settings of one model: MODEL:streams=N,threads=N,queue=N, each of which may be left out; for several "
          "models give the flag again")
      ->type_name("SETTINGS");
}

void ServeSchedule::apply(ServerOptions& options, std::vector<ServedModel>& models) const {
  options.queue_bytes = parse_bytes("--queue-bytes", queue_bytes_);
  options.queue_seconds = queue_milliseconds_ / 1e3;
  for (const std::string& setting : settings_) {
    const size_t colon = setting.find(':');
    const auto model = std::ranges::find(models, setting.substr(0, colon), &ServedModel::name);
    if (colon == std::string::npos)
      throw Error(ErrorCode::kUsage, fmt::format("--schedule {}: expected MODEL:streams=N,...", setting));
    if (model == models.end())
      throw Error(ErrorCode::kUsage,
                  fmt::format("--schedule {}: no model is called '{}'", setting, setting.substr(0, colon)));
    StreamLayout layout = model->layout.value_or(options.layout);
    for (size_t begin = colon + 1; begin <= setting.size();) {
      const size_t end = std::min(setting.find(',', begin), setting.size());
      const std::string part = setting.substr(begin, end - begin);
      // Threads that were divided among other streams are divided anew.
      if (part.starts_with("streams=") && !model->layout) layout.threads = 0;
      read_part(setting, part, *model, layout);
      begin = end + 1;
    }
  }
}

}  // namespace effdet::cli
