// Images to COCO numbers without files between: images are loaded and outputs decoded in the background while the
// network runs.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <optional>

#include "analysis/analysis.h"
#include "base/error.h"
#include "base/name_source.h"
#include "base/thread_pool.h"
#include "dataset/class_map.h"
#include "dataset/dataset.h"
#include "dataset/evaluation.h"
#include "dataset/failures.h"
#include "dataset/image_writer.h"
#include "dataset/notes.h"
#include "dataset/run_journal.h"
#include "dataset/running_map.h"
#include "dataset/shard.h"
#include "dataset/task_queue.h"
#include "detection/batch_run.h"
#include "detection/detection_model.h"
#include "detection/fault_log.h"
#include "effdet/dataset.h"
#include "runtime/compiled_model_impl.h"
#include "runtime/streams.h"

namespace effdet::dataset {
namespace {

using Clock = std::chrono::steady_clock;

/// Batches that are loaded ahead, the one in the network included; and batches of outputs, likewise. One more input
/// than needed evens out images that take longer to decode than the network takes.
constexpr size_t kInputs = 3, kOutputs = 2;

/// Loading and decoding an image take some tenth of what the network takes with one thread.
int background_threads(int network_threads) { return std::clamp(network_threads / 4, 1, 8); }

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Waits for all tasks; rethrows the first error.
void finish(std::vector<std::future<void>>& tasks) {
  for (auto& task : tasks) task.get();
  tasks.clear();
}

/// One run over a data set. Each stream has a session and rings of buffers, and claims batches as it begins to load
/// them.
class Validation {
 public:
  Validation(const Dataset& source, const detection::DetectionModel& model, const ClassMap& classes,
             const ValidateOptions& options, int threads)
      : source_(source),
        model_(model),
        classes_(classes),
        options_(options),
        threads_(threads),
        images_(shard_of(first_of(source.images(), options.limit), options.shard)),
        journal_images_(source, images_),
        writer_(source.truth(), classes, options),
        results_(images_.size()),
        loaded_(images_.size()),
        finished_(images_.size()),
        log_(options.on_failure, options.shard.count > 1 ? FailureLog::kPart : images_.size(), options.strict),
        queue_(std::in_place, background_threads(threads)) {
    if (writer_.enabled()) source.require_unique_stems();
    if (options.on_running_map) running_map_.emplace(source.truth(), options.on_running_map);
    if (!options.journal.empty()) resume_from_journal();
    for (size_t i = 0; i < images_.size(); ++i)
      if (finished_[i] == 0) pending_.push_back(i);
    done_ = images_.size() - pending_.size();
    for (int i = 0; i < options.streams; ++i)
      streams_.emplace_back(model, runtime::threads_a_stream(threads, options.streams));
  }

  ValidateReport run() {
    const auto start = Clock::now();
    if (options_.on_start)
      options_.on_start({source_.annotations(), images_.size(), done_, source_.truth().images.size(),
                         source_.truth().categories.size(), model_.engine()->program().target, threads_,
                         first_of(source_.images(), options_.limit).size()});
    run_all_streams();
    try {
      log_.require_some();
    } catch (const Error&) {
      if (journal_ && !options_.results.empty()) close_journal(/*all=*/true);  // there is nothing to go on with
      throw;
    }
    running_map_.reset();
    ValidateReport report{.evaluation = {}, .total = images_.size(), .failures = log_.failures()};
    report.seconds = seconds_since(start);
    for (const Stream& stream : streams_)
      report.inference_seconds += stream.inference_seconds / static_cast<double>(streams_.size());
    report.warning = faults_.text();
    const Finished finished = take_finished();
    report.evaluation = evaluate(source_.truth(), finished.results, ids_of(finished.images),
                                 {options_.error_analysis, options_.analysis});
    if (!finished.images.empty())
      write_evaluated(options_.results, finished.results, source_.truth(), report.evaluation);
    if (journal_) close_journal(finished.images.size() + report.failures.size() == images_.size());
    return report;
  }

 private:
  struct Input {
    size_t batch = 0;
    std::vector<std::byte> batch_memory;
    std::vector<detection::InputImage> images;  ///< by sample
    std::vector<std::future<void>> loaded;
  };
  struct Output {
    explicit Output(const runtime::Engine& engine) : found(engine) {}
    detection::BatchOutput found;
    std::vector<std::future<void>> decoded;
  };
  struct Stream {
    Stream(const detection::DetectionModel& model, int threads) : session(model.engine(), threads), runs(model) {
      for (Input& input : inputs) input.batch_memory.resize(model.input().batch_bytes());
      for (size_t i = 0; i < kOutputs; ++i) outputs.emplace_back(*model.engine());
    }
    runtime::Session session;
    detection::BatchRun runs;
    std::array<Input, kInputs> inputs;
    std::vector<Output> outputs;
    double inference_seconds = 0;
  };

  struct Finished {
    std::vector<const eval::ImageRecord*> images;
    std::vector<eval::CocoResult> results;
  };

  void resume_from_journal() {
    const RunKey key{model_key(*model_.engine()), options_key(options_, classes_, model_.info().num_classes),
                     data_key(source_.truth())};
    const size_t total = first_of(source_.images(), options_.limit).size();
    std::vector<std::optional<JournalEntry>> entries =
        open_journal(journal_, {options_.journal, options_.results, options_.resume, options_.on_note}, journal_images_,
                     journal_header(key, options_.shard, total, source_.source()));
    for (size_t i = 0; i < images_.size(); ++i) {
      if (!entries[i]) continue;
      faults_.add(images_[i]->file_name, entries[i]->faults);
      results_[i] = std::move(entries[i]->results);
      finish_image(i);
    }
  }

  /// all: each image was done, or failed. Without a results file the journal is what stays of the run.
  void close_journal(bool all) {
    const bool any = std::ranges::find(finished_, 1) != finished_.end();
    journal_->end(!options_.results.empty(), any, all);
  }

  /// Where a stream fails, what was finished is written before the error goes on.
  void run_all_streams() try {
    for (size_t i = 0; i < kInputs; ++i)
      for (Stream& stream : streams_) start_loading(stream.inputs[i]);
    runtime::run_streams(streams_.size(), streams_.size(),
                         [this](size_t stream, size_t) { run_stream(streams_[stream]); });
  } catch (const Error& error) {
    const size_t written = save_finished();
    const auto done = static_cast<size_t>(std::ranges::count(finished_, 1));
    if (done == 0 || (written == 0 && !journal_)) throw;
    fail(error.code(), "{}; {} has the results of {} of {} images{}", error.what(),
         written > 0 ? options_.results.string() : journal_->name(), done, images_.size(),
         journal_ ? "; --resume goes on with the others" : "");
  } catch (const std::exception&) {
    save_finished();
    throw;
  }

  /// After an error, which counts more than another one here. Returns how many images there are results of.
  size_t save_finished() try {
    queue_.reset();
    close_journal_after_error();
    if (options_.results.empty()) return 0;
    const Finished finished = take_finished();
    if (!finished.images.empty()) eval::write_coco_results(options_.results, finished.results, source_.truth());
    return finished.images.size();
  } catch (const std::exception&) {
    return 0;
  }

  void close_journal_after_error() try {
    if (journal_) close_journal(/*all=*/false);
  } catch (const std::exception&) {
  }

  /// The images that were decoded, and their results.
  Finished take_finished() {
    Finished finished;
    for (size_t i = 0; i < images_.size(); ++i) {
      if (finished_[i] == 0) continue;
      finished.images.push_back(images_[i]);
      finished.results.insert(finished.results.end(), results_[i].begin(), results_[i].end());
      results_[i] = {};
    }
    return finished;
  }

  bool stopped() const { return options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed); }

  /// Index in pending_.
  size_t first(size_t batch) const { return batch * model_.batch(); }
  /// One past the last image: the last batch may be partial, and what the network makes of its rest is not looked at.
  size_t end(size_t batch) const { return std::min(first(batch + 1), pending_.size()); }

  void run_stream(Stream& stream) try {
    for (size_t round = 0;; ++round) {
      Input& input = stream.inputs[round % kInputs];
      Output& output = stream.outputs[round % kOutputs];
      if (first(input.batch) >= pending_.size() || stopped()) break;
      finish(input.loaded);
      finish(output.decoded);
      infer(stream, input, output);
      start_decoding(input.batch, output);
      start_loading(input);
    }
    for (Output& output : stream.outputs) finish(output.decoded);
  } catch (...) {
    next_batch_ = pending_.size();  // the other streams need not go on
    for (Output& output : stream.outputs)
      for (const auto& task : output.decoded)
        if (task.valid()) task.wait();
    throw;
  }

  /// Claims the next batch.
  void start_loading(Input& input) {
    input.batch = next_batch_++;
    const size_t begin = first(input.batch);
    input.images.assign(begin < end(input.batch) ? end(input.batch) - begin : 0, {});
    for (size_t i = begin; i < end(input.batch); ++i)
      input.loaded.push_back(
          queue_->submit([this, image = pending_[i], &input, index = i - begin] { load(image, input, index); }));
  }

  void start_decoding(size_t batch, Output& output) {
    for (size_t i = first(batch); i < end(batch); ++i)
      output.decoded.push_back(queue_->submit(
          [this, image = pending_[i], sample = i - first(batch), &output] { decode(image, output.found, sample); }));
  }

  /// Runs a task on an image; false where the image cannot be used.
  template <typename Task>
  bool attempt(size_t i, Task task) {
    return log_.attempt(task, [&](const ImageFailure& failure) {
      if (journal_) journal_->add(i, failure);
    });
  }

  void load(size_t i, Input& input, size_t index) {
    loaded_[i] = attempt(i, [&] {
      input.images[index] = model_.input().prepare(*source_.open(*images_[i]), input.batch_memory, index);
      input.images[index].size = {images_[i]->width, images_[i]->height};
    });
  }

  void decode(size_t i, const detection::BatchOutput& found, size_t sample) {
    if (loaded_[i] == 0) return;
    const vision::ImageSize size{images_[i]->width, images_[i]->height};
    eval::DetectFaults faults;
    const std::vector<Detection> detections = found.detections(model_, sample, size, options_.detect, &faults);
    faults_.add(images_[i]->file_name, faults);
    if (writer_.enabled() && !draw(i, detections)) return;
    results_[i] = results_of({&images_[i], 1}, {&detections, 1}, classes_);
    if (journal_) journal_->add(i, {.faults = faults, .results = results_[i]});
    finish_image(i);
  }

  void finish_image(size_t i) {
    finished_[i] = 1;
    if (running_map_) running_map_->add(images_[i]->id, results_[i]);
  }

  /// Decodes the image once more, since images that wait for their detections could take any memory. False where
  /// that fails.
  bool draw(size_t i, std::span<const Detection> detections) {
    vision::MemoryGate::Hold memory;
    vision::Image pixels;
    const bool readable = attempt(i, [&] {
      const auto rows = source_.open(*images_[i]);
      memory = writer_.reserve(rows->size());
      pixels = vision::whole_image(*rows);
    });
    if (readable) writer_.write(*images_[i], std::move(pixels), detections);
    return readable;
  }

  void infer(Stream& stream, const Input& input, Output& output) {
    const auto start = Clock::now();
    name_run(images_[pending_[first(input.batch)]]->file_name, [&] {
      stream.runs.run(model_, stream.session, 0, input.batch_memory, input.images, options_.detect, output.found);
    });
    const double seconds = seconds_since(start);
    stream.inference_seconds += seconds;
    if (!options_.progress) return;
    const std::lock_guard lock(progress_mutex_);
    for (size_t i = first(input.batch); i < end(input.batch); ++i)
      options_.progress(++done_, images_.size(), seconds / static_cast<double>(model_.batch()));
  }

  const Dataset& source_;
  const detection::DetectionModel& model_;
  const ClassMap& classes_;
  const ValidateOptions& options_;
  int threads_;
  std::vector<const eval::ImageRecord*> images_;
  DatasetImages journal_images_;
  ImageWriter writer_;
  std::vector<std::vector<eval::CocoResult>> results_;  ///< by image
  std::vector<char> loaded_, finished_;                 ///< by image, each written by one thread
  std::vector<size_t> pending_;                         ///< indices of the images that no earlier run finished
  std::optional<RunJournal> journal_;
  std::optional<RunningMap> running_map_;
  FailureLog log_;
  detection::FaultLog faults_;
  std::deque<Stream> streams_;  // stay where they are: tasks refer to them
  std::atomic<size_t> next_batch_{0};
  std::mutex progress_mutex_;
  size_t done_ = 0;
  std::optional<TaskQueue> queue_;  ///< the last member, so that tasks have ended before the buffers go
};

}  // namespace

}  // namespace effdet::dataset

namespace effdet {

ValidateReport validate_dataset(const DataSource& data, const CompiledModel& compiled, const ValidateOptions& options,
                                int threads) {
  if (options.streams < 1) fail(ErrorCode::kUsage, "{} streams: there must be one at least", options.streams);
  eval::check_options(options.detect);
  if (options.analysis) analysis::check_options(*options.analysis);
  if (!(options.picture_threshold >= 0 && options.picture_threshold <= 1))
    fail(ErrorCode::kUsage, "a picture threshold of {} is not between 0 and 1", options.picture_threshold);
  dataset::check_shard(options.shard);
  const auto model = name_source(EngineAccess::source(compiled),
                                 [&] { return detection::DetectionModel(EngineAccess::first(compiled)); });
  const dataset::Dataset source(data);
  source.require_folder();
  source.require_other_file(options.results);
  const dataset::ClassMap classes(model.info(), options.classes, source.truth(), source.annotations());
  dataset::Notes notes(options.on_note);
  notes.add(source.notes());
  notes.add(classes.notes());
  ValidateOptions of_data = options;
  of_data.detect = dataset::detect_options_for(source.truth(), options.detect);
  ValidateReport report =
      dataset::Validation(source, model, classes, of_data, threads > 0 ? threads : default_thread_count()).run();
  notes.add(source.orientation_notes());
  report.evaluation.notes = notes.take();
  return report;
}

}  // namespace effdet
