// Data mode: inputs from files, outputs to files. The next batch is read and the last one's outputs are written while
// the model runs.
#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>
#include <future>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <vector>

#include "benchmark.h"
#include "cli.h"
#include "describe.h"
#include "effdet/dataset.h"
#include "effdet/detector.h"
#include "effdet/error.h"
#include "output_file.h"
#include "plans.h"
#include "progress.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::string extension_of(const fs::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::tolower(c); });
  return extension;
}

bool is_image(const fs::path& path) {
  const std::string extension = extension_of(path);
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

/// What a list says; a raw tensor that it calls otherwise sized than the model's input is not meant for it.
std::vector<fs::path> listed_inputs(const std::string& list, const InputSize& size) {
  std::vector<fs::path> paths;
  for (const InfoEntry& entry : read_info(list)) {
    if (!is_image(entry.path) && size.width != 0 && (entry.width != size.width || entry.height != size.height))
      throw Error(
          ErrorCode::kBadInput,
          fmt::format("{}: {} has width {} and height {}, but the model takes {} and {}; preprocess and list the "
                      "images for the model's size",
                      list, one_line(entry.path), entry.width, entry.height, size.width, size.height));
    paths.emplace_back(entry.path);
  }
  return paths;
}

/// Raw tensors and images of a folder, by name.
std::vector<fs::path> folder_inputs(const std::string& folder) {
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::directory_iterator entries(folder, error); !error && entries != fs::directory_iterator();
       entries.increment(error))
    if (extension_of(entries->path()) == ".bin" || is_image(entries->path())) paths.push_back(entries->path());
  if (error) throw Error(ErrorCode::kIo, fmt::format("{}: cannot read the folder: {}", folder, error.message()));
  if (paths.empty()) throw Error(ErrorCode::kBadInput, fmt::format("{}: no .bin, .jpg or .png files", folder));
  std::ranges::sort(paths);
  return paths;
}

void require_unique_stems(const std::vector<fs::path>& paths) {
  std::map<std::string, fs::path> owners;
  for (const fs::path& path : paths) {
    const auto [owner, is_new] = owners.emplace(path.stem().string(), path);
    if (!is_new)
      throw Error(ErrorCode::kBadInput, fmt::format("{} and {} would share their output files",
                                                    one_line(owner->second.string()), one_line(path.string())));
  }
}

void refuse_nan(std::span<const std::byte> floats, const fs::path& path) {
  for (size_t at = 0; at + sizeof(float) <= floats.size(); at += sizeof(float)) {
    float value;
    std::memcpy(&value, &floats[at], sizeof value);
    if (std::isnan(value))
      throw Error(ErrorCode::kBadInput, fmt::format("{}: the value at offset {} is NaN", path.string(), at));
  }
}

/// One sample's bytes from a file that must hold just these.
void read_tensor(const fs::path& path, std::span<std::byte> sample) {
  std::error_code error;
  const uintmax_t size = fs::file_size(path, error);
  if (error) throw Error(ErrorCode::kIo, fmt::format("{}: cannot read: {}", path.string(), error.message()));
  if (size != sample.size())
    throw Error(ErrorCode::kBadInput, fmt::format("{}: {} bytes, but a sample of the model's input has {}",
                                                  path.string(), size, sample.size()));
  std::ifstream file(path, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(sample.data()), static_cast<std::streamsize>(sample.size())))
    throw Error(ErrorCode::kIo, fmt::format("{}: cannot read: {}", path.string(), std::strerror(errno)));
}

/// Summed milliseconds of the stages.
struct Costs {
  double read = 0, preprocess = 0, infer = 0, execute = 0, post = 0, total = 0;
};

class DataRun {
 public:
  DataRun(const BenchmarkOptions& options, const CompiledModel& model, size_t plan)
      : options_(options),
        input_info_(model.plan(plan).inputs().at(0)),
        output_info_(model.plan(plan).outputs()),
        batch_(static_cast<size_t>(options.batch_size)),
        dump_folder_(options.result / fmt::format("dumpOutput_device{}", options.device_id)),
        runner_(model, options.threads),
        plans_(plans_up_to(model, plan)) {
    inputs_ = options.input_text_path.empty() ? folder_inputs(options.input_images_path)
                                              : listed_inputs(options.input_text_path, input_size(model.plan(plan)));
    require_unique_stems(inputs_);
    if (options.dvpp) require_pictures();
    if (std::ranges::any_of(inputs_, is_image)) pictures_.emplace(model.plan(plan));
    check_outputs();
    for (auto& buffer : input_buffers_) buffer.resize(runner_.input_bytes(plan)[0]);
    for (auto& buffers : output_buffers_)
      for (const size_t bytes : runner_.output_bytes(plan)) buffers.emplace_back(bytes);
    make_folder(dump_folder_);
  }

  size_t samples() const { return inputs_.size(); }

  Costs run() {
    for (int i = 0; i < options_.warm_up; ++i) infer(0);
    ProgressBar bar("benchmark");
    const auto start = Clock::now();
    const size_t batches = (inputs_.size() + batch_ - 1) / batch_;
    // The stages of different batches overlap; their costs are of different members.
    std::future<void> reading = in_background([this] { read(0); }), writing;
    costs_ = {};
    for (size_t batch = 0; batch < batches; ++batch) {
      reading.get();
      if (batch + 1 < batches) reading = in_background([this, batch] { read(batch + 1); });
      const auto begin = Clock::now();
      costs_.execute += infer(batch);
      costs_.infer += milliseconds_since(begin);
      if (writing.valid()) writing.get();
      writing = in_background([this, batch] { write(batch); });
      bar.update(end(batch), inputs_.size());
    }
    writing.get();
    costs_.total = milliseconds_since(start);
    return costs_;
  }

 private:
  template <typename Task>
  static std::future<void> in_background(Task task) {
    return std::async(std::launch::async, std::move(task));
  }

  size_t first(size_t batch) const { return batch * batch_; }
  size_t end(size_t batch) const { return std::min(first(batch + 1), inputs_.size()); }

  void require_pictures() const {
    for (const fs::path& path : inputs_)
      if (!is_image(path))
        throw Error(ErrorCode::kUsage,
                    fmt::format("-useDvpp=True takes .jpg and .png files, and {} is none", one_line(path.string())));
  }

  void check_outputs() const {
    for (const TensorInfo& output : output_info_) {
      if (output.shape.empty() || output.shape[0] != options_.batch_size)
        throw Error(ErrorCode::kUnsupported, fmt::format("{}: output '{}' has no part for each sample",
                                                         options_.om_path, one_line(output.name)));
      if (!options_.binary && output.dtype != "float32")
        throw Error(ErrorCode::kUnsupported, fmt::format("output '{}' is {}: only -output_binary=true writes that",
                                                         one_line(output.name), output.dtype));
    }
  }

  void read(size_t batch) {
    std::vector<std::byte>& buffer = input_buffers_[batch % 2];
    const size_t bytes = buffer.size() / batch_;
    for (size_t i = first(batch); i < end(batch); ++i) {
      const auto sample = std::span(buffer).subspan((i - first(batch)) * bytes, bytes);
      auto begin = Clock::now();
      if (is_image(inputs_[i])) {
        pictures_->read(inputs_[i], sample);
      } else {
        read_tensor(inputs_[i], sample);
        costs_.read += milliseconds_since(begin);
        begin = Clock::now();  // of a tensor, only its check is left to do
        if (input_info_.dtype == "float32") refuse_nan(sample, inputs_[i]);
      }
      costs_.preprocess += milliseconds_since(begin);
    }
  }

  /// A plan of the model, and the samples that it takes at once.
  struct Plan {
    size_t index;
    size_t batch;
  };

  /// The given plan, and smaller batches of the same size, the smallest first.
  static std::vector<Plan> plans_up_to(const CompiledModel& model, size_t plan) {
    const CompiledModel largest = model.plan(plan);
    std::vector<Plan> plans;
    for (size_t i = 0; i < model.plan_count(); ++i) {
      const CompiledModel other = model.plan(i);
      if (input_size(other) == input_size(largest) && batch_of(other) <= batch_of(largest))
        plans.push_back({i, static_cast<size_t>(batch_of(other))});
    }
    std::ranges::sort(plans, {}, &Plan::batch);
    return plans;
  }

  /// The smallest plan that takes all samples of a batch: the last may be partial.
  const Plan& plan_for(size_t batch) const {
    const size_t samples = end(batch) - first(batch);
    return *std::ranges::find_if(plans_, [&](const Plan& plan) { return plan.batch >= samples; });
  }

  /// Returns the milliseconds in the network.
  double infer(size_t batch) {
    const size_t plan = plan_for(batch).index;
    const auto input = std::span<const std::byte>(input_buffers_[batch % 2]).first(runner_.input_bytes(plan)[0]);
    std::vector<std::span<std::byte>> outputs;
    for (size_t k = 0; k < output_info_.size(); ++k)
      outputs.push_back(std::span(output_buffers_[batch % 2][k]).first(runner_.output_bytes(plan)[k]));
    const auto begin = Clock::now();
    runner_.run({&input, 1}, outputs, plan);
    return milliseconds_since(begin);
  }

  void write(size_t batch) {
    const auto begin = Clock::now();
    for (size_t k = 0; k < output_info_.size(); ++k) {
      const std::vector<std::byte>& values = output_buffers_[batch % 2][k];
      const size_t bytes = values.size() / batch_;
      for (size_t i = first(batch); i < end(batch); ++i)  // the rest of a partial batch is no sample
        write_sample(inputs_[i].stem().string(), k, std::span(values).subspan((i - first(batch)) * bytes, bytes));
    }
    costs_.post += milliseconds_since(begin);
  }

  void write_sample(const std::string& stem, size_t k, std::span<const std::byte> bytes) const {
    const fs::path path = dump_folder_ / fmt::format("{}_{}.{}", stem, k + 1, options_.binary ? "bin" : "txt");
    if (options_.binary) return write_output(path, bytes);
    fmt::memory_buffer text;
    for (size_t at = 0; at < bytes.size(); at += sizeof(float)) {
      float value;
      std::memcpy(&value, bytes.data() + at, sizeof value);
      fmt::format_to(std::back_inserter(text), FMT_COMPILE("{:.6f} "), value);
    }
    if (text.size() != 0) text[text.size() - 1] = '\n';
    write_output(path, std::string_view(text.data(), text.size()));
  }

  const BenchmarkOptions& options_;
  TensorInfo input_info_;
  std::vector<TensorInfo> output_info_;
  size_t batch_;
  fs::path dump_folder_;
  Runner runner_;
  std::vector<Plan> plans_;
  std::vector<fs::path> inputs_;
  std::optional<PictureInput> pictures_;
  std::array<std::vector<std::byte>, 2> input_buffers_;
  std::array<std::vector<std::vector<std::byte>>, 2> output_buffers_;
  Costs costs_;
};

std::string stage_line(const char* name, double cost) {
  // A stage that did nothing takes no time, and has no rate.
  return fmt::format("[{}] throughputRate: {}, moduleLatency: {}\n", name, figure(cost > 0 ? 1000 / cost : 0),
                     figure(cost));
}

/// The original's file of figures. Costs are milliseconds of all samples together.
std::string report(const Costs& costs, size_t samples) {
  const double n = static_cast<double>(samples);
  std::string text =
      fmt::format("[e2e] throughputRate: {}, latency: {}\n", figure(1000 * n / costs.total), figure(costs.total));
  text += stage_line("data read", costs.read / n);
  text += stage_line("preprocess", costs.preprocess / n);
  text += fmt::format("[infer] throughputRate: {}, Interface throughputRate: {}, moduleLatency: {}\n",
                      figure(1000 * n / costs.infer), figure(1000 * n / costs.execute), figure(costs.infer / n));
  text += stage_line("post", costs.post / n);
  return text;
}

nlohmann::json report_json(const BenchmarkOptions& options, const Costs& costs, size_t samples) {
  const double n = static_cast<double>(samples);
  return {{"mode", "data"},
          {"batch_size", options.batch_size},
          {"samples", samples},
          {"throughput", 1000 * n / costs.total},
          {"total_ms", costs.total},
          {"sample_ms",
           {{"data_read", costs.read / n},
            {"preprocess", costs.preprocess / n},
            {"infer", costs.infer / n},
            {"execute", costs.execute / n},
            {"post", costs.post / n}}}};
}

}  // namespace

void run_on_data(const BenchmarkOptions& options, const CompiledModel& model, size_t plan) {
  DataRun run(options, model, plan);
  const Costs costs = run.run();
  const std::string text = report(costs, run.samples());
  const fs::path file = options.result / fmt::format("perf_{}_batchsize_{}_device_{}.txt", options.model_type,
                                                     options.batch_size, options.device_id);
  write_output(file, text);
  if (options.json) return fmt::print("{}", json_text(report_json(options, costs, run.samples())));
  fmt::print("-----------------Performance Summary------------------\n{}", text);
  fmt::print("------------------------------------------------------\n");
}

}  // namespace effdet::cli
