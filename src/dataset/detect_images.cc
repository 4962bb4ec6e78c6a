// Detection in the images of a list: images are loaded and drawn in the background while the network runs.
#include "effdet/detect_images.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/name_source.h"
#include "base/thread_pool.h"
#include "dataset/crops.h"
#include "dataset/detections_file.h"
#include "dataset/failures.h"
#include "dataset/input_batches.h"
#include "dataset/listed_image.h"
#include "dataset/result_format.h"
#include "dataset/run_journal.h"
#include "dataset/shard.h"
#include "dataset/task_queue.h"
#include "detection/annotate.h"
#include "detection/fault_log.h"
#include "detection/image_detector.h"
#include "detection/slices.h"
#include "effdet/detector.h"
#include "runtime/compiled_model_impl.h"
#include "runtime/streams.h"
#include "vision/encode.h"
#include "vision/memory_gate.h"
#include "vision/rgb_image.h"

namespace effdet::dataset {
namespace {

/// Groups of images on their way in a stream: one is loaded and one drawn while one is in the network, and of single
/// images one more evens out.
size_t groups_of(size_t batch) { return batch == 1 ? 4 : 3; }

/// Loading and drawing an image take a quarter of what a D0 takes with one thread, and less of larger networks.
int drawing_threads(int network_threads) { return std::clamp(network_threads / 3, 1, 16); }

uint64_t bytes_of(vision::ImageSize size) {
  return uint64_t{3} * static_cast<uint64_t>(size.width) * static_cast<uint64_t>(size.height);
}

/// The images of a list that a run is of.
class PartOfList : public RunImages {
 public:
  PartOfList(std::span<const ListedImage> images, size_t first, size_t classes)
      : images_(images), first_(first), classes_(classes) {}

  size_t count() const override { return images_.size(); }
  int64_t id(size_t i) const override { return static_cast<int64_t>(first_ + i); }
  bool accepts(const JournalEntry& entry) const override { return is_of_list(entry, classes_); }
  std::string name(size_t i) const override { return images_[i].name(); }
  uint64_t file_bytes(size_t i) const override { return bytes_of_listed(images_[i]); }
  /// The picture may not have been on the disk yet when the power went.
  bool is_whole(size_t, const JournalEntry& entry) const override {
    std::error_code error;
    return entry.found->picture.empty() ||
           (std::filesystem::file_size(entry.found->picture, error) == entry.picture_bytes && !error);
  }

 private:
  std::span<const ListedImage> images_;
  size_t first_, classes_;
};

/// One run over a list, or a part of it.
class ListRun {
 public:
  ListRun(std::span<const ListedImage> all, const CompiledModel& model, const DetectImagesOptions& options, int threads)
      : all_(all),
        images_(part_of(all, options.shard)),
        options_(options),
        names_(options.class_names.empty() ? class_names_of(model.description()) : options.class_names),
        listed_(images_, begin_of(all.size(), options.shard), names_.size()),
        found_(images_.size()),
        log_(options.on_failure, options.shard.count > 1 ? FailureLog::kPart : images_.size(), options.strict),
        is_done_(images_.size()),
        queue_(std::in_place, drawing_threads(threads)) {
    result_format(options.format);  // before the work
    detection::check_options(options.draw);
    detection::check_options(options.slices);
    if (!options.pictures.empty()) make_folder(options.pictures);
    if (!options.journal.empty()) resume_from_journal(model);
    for (size_t i = 0; i < images_.size(); ++i)
      if (!found_[i]) pending_.push_back(i);
    done_ = images_.size() - pending_.size();
    const int streams = std::max(1, std::min<int>(options.streams, static_cast<int>(pending_.size())));
    for (int i = 0; i < streams; ++i)
      streams_.emplace_back(model, runtime::threads_a_stream(threads, streams), options);
  }

  DetectImagesReport run() {
    if (options_.on_start) options_.on_start(done_, images_.size(), all_.size());
    for (size_t i = 0; i < images_.size(); ++i)
      if (found_[i]) is_done_[i] = true;
    hand_on(/*gaps=*/false);
    run_all();
    hand_on(/*gaps=*/true);
    try {
      log_.require_some();
    } catch (const Error&) {
      if (journal_ && !options_.results.empty()) close_journal(/*all=*/true);  // there is nothing to go on with
      throw;
    }
    DetectImagesReport report{take_found(), images_.size(), log_.failures(), names_, faults_.text()};
    if (!options_.results.empty() && !report.images.empty())
      write_detections_file(options_.results, report.images, names_, options_.format);
    if (journal_) close_journal(report.images.size() + report.failures.size() == images_.size());
    return report;
  }

 private:
  /// An image on its way. Its future is the last member, so that what it uses outlives it.
  struct Slot {
    size_t image = 0;
    vision::ImageSize size;
    detection::InputImage prepared;
    vision::Image pixels;      ///< to draw on, where they are few; empty: the image is decoded once more
    std::exception_ptr error;  ///< why it could not be loaded
    eval::DetectFaults faults;
    std::vector<Detection> detections;
    bool is_loaded = false, is_usable = false;
    std::future<void> ready;
  };
  /// Images that go through the network together.
  struct Group {
    InputBatches inputs;
    size_t first = 0;         ///< of pending_
    std::vector<Slot> slots;  ///< some empty at the end of the list
    size_t count(size_t pending) const { return first < pending ? std::min(slots.size(), pending - first) : 0; }
  };
  struct Stream {
    Stream(const CompiledModel& model, int threads, const DetectImagesOptions& options)
        : detector(model, threads, options.detect, static_cast<size_t>(options.batch)) {
      const size_t batch = detector.largest_batch();
      for (size_t i = 0; i < groups_of(batch); ++i) groups.emplace_back().slots = std::vector<Slot>(batch);
    }
    detection::ImageDetector detector;
    std::deque<Group> groups;
  };

  void resume_from_journal(const CompiledModel& model) {
    const RunKey key{model_key(EngineAccess::plans(model)), options_key(options_, names_), data_key(all_)};
    std::vector<std::optional<JournalEntry>> entries =
        open_journal(journal_, {options_.journal, options_.results, options_.resume, options_.on_note}, listed_,
                     journal_header(key, options_.shard, all_.size(), names_));
    for (size_t i = 0; i < images_.size(); ++i) {
      if (!entries[i]) continue;
      faults_.add(images_[i].name(), entries[i]->faults);
      found_[i] = std::move(entries[i]->found);
      found_[i]->picture = picture_of(i);
    }
  }

  /// Without a results file the journal is what stays of the run.
  void close_journal(bool all) {
    const bool any = std::ranges::any_of(found_, [](const auto& image) { return image.has_value(); });
    journal_->end(!options_.results.empty(), any, all);
  }

  /// Where it fails, what was finished is written before the error goes on.
  void run_all() try {
    for (size_t i = 0; i < streams_.front().groups.size(); ++i)  // in turn, so that images are begun in order
      for (Stream& stream : streams_) start_group(stream, stream.groups[i], 0);
    runtime::run_streams(streams_.size(), streams_.size(),
                         [this](size_t stream, size_t) { run_stream(streams_[stream]); });
  } catch (const Error& error) {
    const bool is_written = save_found();
    const auto done =
        static_cast<size_t>(std::ranges::count_if(found_, [](const auto& image) { return image.has_value(); }));
    if (done == 0 || (!is_written && !journal_)) throw;
    fail(error.code(), "{}; {} has what was found in {} of {} images{}", error.what(),
         is_written ? options_.results.string() : journal_->name(), done, images_.size(),
         journal_ ? "; --resume goes on with the others" : "");
  } catch (const std::exception&) {
    save_found();
    throw;
  }

  void run_stream(Stream& stream) try {
    for (size_t round = 0; !stopped(); ++round) {
      Group& group = stream.groups[round % stream.groups.size()];
      const size_t count = group.count(pending_.size());
      if (count == 0) break;
      for (Slot& slot : std::span(group.slots).first(count)) slot.ready.get();
      infer(stream, group, count);
      start_group(stream, group, count);
    }
    for (Group& group : stream.groups)
      for (Slot& slot : group.slots)
        if (slot.ready.valid()) slot.ready.get();
  } catch (...) {
    next_ = pending_.size();  // the other streams need not go on
    throw;
  }

  /// Finishes the first `done` images of a group in the background, and loads the next ones.
  void start_group(Stream& stream, Group& group, size_t done) {
    group.first = next_.fetch_add(group.slots.size());
    group.inputs.clear();
    const size_t count = group.count(pending_.size());
    for (size_t i = 0; i < std::max(done, count); ++i)
      group.slots[i].ready = queue_->submit([this, &stream, &group, i, done, count] {
        if (i < done) finish(group.slots[i]);
        if (i < count) load(stream, group, i);
      });
  }

  /// After an error, which counts more than another one here. Whether there are results now of what was found.
  bool save_found() try {
    is_over_ = true;
    for (Stream& stream : streams_)  // what the network has done is drawn and kept
      for (Group& group : stream.groups)
        for (Slot& slot : group.slots)
          if (slot.ready.valid()) slot.ready.wait();
    queue_.reset();
    try {
      if (journal_) close_journal(/*all=*/false);
    } catch (const std::exception&) {
    }
    if (options_.results.empty()) return false;
    const std::vector<DetectedImage> images = take_found();
    if (!images.empty()) write_detections_file(options_.results, images, names_, options_.format);
    return true;
  } catch (const std::exception&) {
    return false;
  }

  /// Leaves empty ones, which are as many.
  std::vector<DetectedImage> take_found() {
    std::vector<DetectedImage> images;
    for (std::optional<DetectedImage>& image : found_)
      if (image) images.push_back(std::move(*image));
    return images;
  }

  bool stopped() const { return options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed); }

  bool needs_pixels() const { return !options_.pictures.empty() || !options_.crops.empty(); }

  std::string picture_of(size_t i) const {
    return options_.pictures.empty() ? "" : (options_.pictures / images_[i].picture).string();
  }

  /// What cannot be loaded is told when its turn comes, so that images are told of in their order.
  void load(Stream& stream, Group& group, size_t i) {
    Slot& slot = group.slots[i];
    slot.is_loaded = false;
    if (stopped() || is_over_) return;
    slot.image = pending_[group.first + i];
    slot.error = nullptr;
    slot.prepared = {};
    slot.pixels = {};
    try {
      const auto rows = open_listed(images_[slot.image], options_);
      slot.size = rows->size();
      const size_t plan = stream.detector.plan_for(slot.size);
      const auto [batch, sample] = group.inputs.take(stream.detector, plan, i);
      if ((needs_pixels() || is_sliced(slot.size)) && bytes_of(slot.size) < vision::MemoryGate::kSmall) {
        slot.pixels = vision::whole_image(*rows);
        vision::PixelRows kept(slot.pixels, rows->name());
        slot.prepared = stream.detector.write_input(plan, kept, batch, sample);
      } else {
        slot.prepared = stream.detector.write_input(plan, *rows, batch, sample);
      }
    } catch (const Error&) {
      slot.error = std::current_exception();
    }
    slot.is_loaded = true;
  }

  template <typename Task>
  bool attempt(size_t i, Task task) {
    const bool is_usable = log_.attempt(task, [&](const ImageFailure& failure) {
      if (journal_) journal_->add(i, failure);
    });
    if (!is_usable) end(i);
    return is_usable;
  }

  void infer(Stream& stream, Group& group, size_t count) {
    for (Slot& slot : std::span(group.slots).first(count)) {
      slot.faults = {};
      slot.is_usable = slot.is_loaded && attempt(slot.image, [&] {
                         if (slot.error) std::rethrow_exception(slot.error);
                       });
    }
    group.inputs.for_each(
        stream.detector, [&](size_t plan, std::span<const std::byte> batch, std::span<const size_t> members) {
          const auto is_usable = [&](size_t i) { return group.slots[i].is_usable; };
          const auto first = std::ranges::find_if(members, is_usable);
          if (first == members.end()) return;
          std::vector<detection::InputImage> prepared;
          for (const size_t i : members) prepared.push_back(group.slots[i].prepared);
          name_run(images_[group.slots[*first].image].name(),
                   [&] { stream.detector.infer(plan, batch, prepared, options_.detect); });
          for (size_t sample = 0; sample < members.size(); ++sample) {
            Slot& slot = group.slots[members[sample]];
            if (slot.is_usable)
              slot.detections = stream.detector.decode(plan, sample, slot.size, options_.detect, &slot.faults);
          }
        });
    for (Slot& slot : std::span(group.slots).first(count)) {
      if (!slot.is_usable) continue;
      if (is_sliced(slot.size)) slot.is_usable = attempt(slot.image, [&] { add_slices(stream.detector, slot); });
      faults_.add(images_[slot.image].name(), slot.faults);
    }
  }

  bool is_sliced(vision::ImageSize size) const { return detection::is_sliced(size, options_.slices); }

  /// Looks at the parts of an image, too.
  void add_slices(detection::ImageDetector& detector, Slot& slot) {
    vision::MemoryGate::Hold memory;
    const bool is_large = slot.pixels.empty();
    if (is_large) decode_again(slot, memory);
    std::vector<std::byte> input(detector.input_bytes());
    for (const detection::Slice& slice : detection::slices_of(slot.size, options_.slices)) {
      const vision::Image part = slot.pixels.part(slice.x1, slice.y1, slice.x2, slice.y2);
      const size_t plan = detector.plan_for(part.size());
      vision::PixelRows rows(part, images_[slot.image].name());
      const detection::InputImage prepared = detector.write_input(plan, rows, input);
      eval::DetectFaults faults;
      detection::add_found(slot.detections, detector.run(plan, input, prepared, &faults), slice);
      slot.faults.nan_scores |= faults.nan_scores;
      slot.faults.not_finite_box |= faults.not_finite_box;
    }
    slot.detections = detection::merge_detections(std::move(slot.detections), options_.slices, options_.detect.agnostic,
                                                  options_.detect.max_detections);
    if (is_large) slot.pixels = {};
  }

  void finish(Slot& slot) {
    if (!slot.is_usable) return;
    const ListedImage& image = images_[slot.image];
    DetectedImage found{image.name(),     picture_of(slot.image),     slot.size.width,
                        slot.size.height, std::move(slot.detections), key_of(image)};
    uint64_t picture_bytes = 0;
    if (needs_pixels() && !draw(slot, found, picture_bytes)) return;
    if (journal_) journal_->add(slot.image, {.faults = slot.faults, .found = found, .picture_bytes = picture_bytes});
    found_[slot.image] = std::move(found);
    end(slot.image);
  }

  /// False where the image cannot be read again.
  bool draw(Slot& slot, const DetectedImage& found, uint64_t& picture_bytes) {
    vision::MemoryGate::Hold memory;
    if (slot.pixels.empty() && !attempt(slot.image, [&] { decode_again(slot, memory); })) return false;
    if (!options_.crops.empty())
      write_crops(options_.crops, std::filesystem::path(images_[slot.image].picture).stem().string(), slot.pixels,
                  found.detections, names_);
    if (found.picture.empty()) return true;
    detection::draw(slot.pixels, found.detections, names_, options_.draw);
    const std::vector<std::byte> jpeg = vision::encode_jpeg(slot.pixels);
    slot.pixels = {};
    write_file(found.picture, jpeg, /*sync=*/false);
    picture_bytes = jpeg.size();
    return true;
  }

  /// Large images that wait for their detections could take any memory.
  void decode_again(Slot& slot, vision::MemoryGate::Hold& memory) {
    const ListedImage& image = images_[slot.image];
    const auto rows = open_listed(image, options_);
    if (rows->size() != slot.size) bad_input("{}: it has changed while it was looked at", image.name());
    memory = gate_.enter(bytes_of(slot.size));
    slot.pixels = vision::whole_image(*rows);
  }

  /// An image is done, or could not be used.
  void end(size_t i) {
    const std::lock_guard lock(progress_mutex_);
    is_done_[i] = true;
    hand_on(/*gaps=*/false);
    if (options_.progress) options_.progress(++done_, images_.size());
  }

  /// Images are handed on in the order of the list. gaps: also behind those that were not started.
  void hand_on(bool gaps) {
    if (!options_.on_found) return;
    for (; handed_on_ < images_.size() && (gaps || is_done_[handed_on_]); ++handed_on_)
      if (found_[handed_on_]) options_.on_found(*found_[handed_on_]);
  }

  std::span<const ListedImage> all_, images_;
  const DetectImagesOptions& options_;
  std::vector<std::string> names_;
  PartOfList listed_;
  std::vector<std::optional<DetectedImage>> found_;  ///< by image, each written by one thread
  std::vector<size_t> pending_;                      ///< images that no earlier run finished
  std::optional<RunJournal> journal_;
  FailureLog log_;
  detection::FaultLog faults_;
  vision::MemoryGate gate_;
  std::mutex progress_mutex_;
  size_t done_ = 0;
  std::vector<bool> is_done_;  ///< by image
  size_t handed_on_ = 0;       ///< number of images that on_found has had its turn for
  std::atomic<bool> is_over_ = false;
  std::atomic<size_t> next_ = 0;    ///< of pending_: the first image that no stream has claimed
  std::deque<Stream> streams_;      // stay where they are: tasks refer to them
  std::optional<TaskQueue> queue_;  ///< the last member, so that tasks have ended before the streams go
};

}  // namespace
}  // namespace effdet::dataset

namespace effdet {

void write_crops(const std::filesystem::path& folder, const std::string& stem, const RgbImage& image,
                 std::span<const Detection> detections, std::span<const std::string> class_names) {
  RgbImage pixels = image;
  dataset::write_crops(folder, stem, vision::image_over(pixels), detections, class_names);
}

DetectImagesReport detect_images(std::span<const ListedImage> images, const CompiledModel& model,
                                 const DetectImagesOptions& options, int threads) {
  if (images.empty()) fail(ErrorCode::kUsage, "there are no images");
  if (options.streams < 1) fail(ErrorCode::kUsage, "{} streams: there must be one at least", options.streams);
  if (options.batch < 0) fail(ErrorCode::kUsage, "a batch of {}", options.batch);
  dataset::check_shard(options.shard);
  return dataset::ListRun(images, model, options, threads > 0 ? threads : default_thread_count()).run();
}

}  // namespace effdet
