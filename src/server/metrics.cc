// Writes counts and histograms in Prometheus' text form.
#include "server/metrics.h"

#include <fmt/format.h>

#include <functional>
#include <iterator>
#include <string_view>

namespace effdet::server {
namespace {

/// A model's interface with its numbers at this moment.
struct Measured {
  std::string labels;  // model="d0",version="1"
  Statistics statistics;
  size_t pending = 0;
};

class MetricsText {
 public:
  explicit MetricsText(const std::vector<Measured>& measured) : measured_(measured) {}

  void begin(std::string_view name, std::string_view type, std::string_view help) {
    fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }

  template <typename Value>
  void add(std::string_view name, std::string_view labels, Value value) {
    if (labels.empty()) {
      fmt::format_to(std::back_inserter(text_), "{} {}\n", name, value);
    } else {
      fmt::format_to(std::back_inserter(text_), "{}{{{}}} {}\n", name, labels, value);
    }
  }

  /// One number for each interface.
  template <typename Get>
  void family(std::string_view name, std::string_view type, std::string_view help, Get&& get) {
    begin(name, type, help);
    for (const Measured& one : measured_) add(name, one.labels, get(one));
  }

  void failures() {
    constexpr std::string_view kName = "nv_inference_request_failure";
    constexpr std::string_view kReasons[kFailures] = {"REJECTED", "CANCELED", "TIMEOUT", "OTHER"};
    begin(kName, "counter", "Inference requests that failed");
    for (const Measured& one : measured_)
      for (size_t i = 0; i < kFailures; ++i)
        add(kName, fmt::format("{},reason=\"{}\"", one.labels, kReasons[i]), one.statistics.failures[i]);
  }

  void histogram(std::string_view name, std::string_view help, Histogram Statistics::*member) {
    begin(name, "histogram", help);
    for (const Measured& one : measured_) {
      const Histogram& histogram = one.statistics.*member;
      const std::string bucket = fmt::format("{}_bucket", name);
      for (size_t i = 0; i < Histogram::kBounds.size(); ++i)
        add(bucket, fmt::format("{},le=\"{}\"", one.labels, Histogram::kBounds[i]), histogram.count(i));
      add(bucket, one.labels + ",le=\"+Inf\"", histogram.count());
      add(fmt::format("{}_sum", name), one.labels, histogram.sum());
      add(fmt::format("{}_count", name), one.labels, histogram.count());
    }
  }

  std::string take() { return std::move(text_); }

 private:
  const std::vector<Measured>& measured_;
  std::string text_;
};

uint64_t microseconds_of(double seconds) { return static_cast<uint64_t>(seconds * 1e6); }

}  // namespace

std::string metrics_text(const std::vector<Interface>& interfaces, const ServerCounts& counts) {
  std::vector<Measured> measured;
  for (const Interface& one : interfaces)
    measured.push_back({fmt::format("model=\"{}\",version=\"1\"", one.name()), one.statistics().now(),
                        one.pictures ? 0 : one.model->queue().waiting()});
  MetricsText text(measured);
  text.family("nv_inference_request_success", "counter", "Inference requests that were answered",
              [](const Measured& one) { return one.statistics.success; });
  text.failures();
  text.family("nv_inference_count", "counter", "Samples and pictures",
              [](const Measured& one) { return one.statistics.inferences; });
  text.family("nv_inference_exec_count", "counter", "Requests, and batches of them, that streams have run",
              [](const Measured& one) { return one.statistics.executions; });
  const std::pair<const char*, double StageSeconds::*> stages[] = {{"request", &StageSeconds::total},
                                                                   {"queue", &StageSeconds::queue},
                                                                   {"compute_input", &StageSeconds::input},
                                                                   {"compute_infer", &StageSeconds::infer},
                                                                   {"compute_output", &StageSeconds::output}};
  for (const auto& [stage, member] : stages)
    text.family(fmt::format("nv_inference_{}_duration_us", stage), "counter", "Sum over answered requests",
                [&](const Measured& one) { return microseconds_of(one.statistics.seconds.*member); });
  text.family("nv_inference_pending_request_count", "gauge",
              "Requests that wait; pictures wait in the queue of their model's tensors",
              [](const Measured& one) { return one.pending; });
  text.histogram("effdet_request_seconds", "From a request's last byte to its answer", &Statistics::total);
  text.histogram("effdet_queue_seconds", "Until a stream took a request", &Statistics::queue);
  text.histogram("effdet_inference_seconds", "The network alone", &Statistics::infer);
  text.begin("effdet_http_requests", "counter", "Requests of all kinds that were answered");
  text.add("effdet_http_requests", "", counts.requests);
  text.begin("effdet_connections", "gauge", "Open connections");
  text.add("effdet_connections", "", counts.connections);
  text.begin("effdet_memory_bytes", "gauge", "Bodies, pictures and answers in memory");
  text.add("effdet_memory_bytes", "", counts.memory);
  return text.take();
}

}  // namespace effdet::server
