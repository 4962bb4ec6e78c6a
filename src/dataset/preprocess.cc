// Images to the files that the benchmark reads.
#include <chrono>

#include "base/file.h"
#include "base/thread_pool.h"
#include "dataset/dataset.h"
#include "dataset/failures.h"
#include "dataset/input_options.h"
#include "dataset/progress.h"
#include "effdet/dataset.h"

namespace effdet {

PreprocessReport preprocess_dataset(const DataSource& data, const std::filesystem::path& folder,
                                    const InputOptions& options, int threads, const Progress& progress,
                                    const OnFailure& on_failure) {
  const auto start = std::chrono::steady_clock::now();
  const vision::Preprocessing preprocessing = dataset::preprocessing_of(options);
  const dataset::Dataset source(data);
  source.require_folder();
  source.require_unique_stems();
  make_folder(folder);

  const size_t count = source.images().size();
  ThreadPool pool(threads > 0 ? threads : default_thread_count());
  std::vector<std::vector<float>> tensors(static_cast<size_t>(pool.size()));
  dataset::ProgressCounter counter(progress, count);
  dataset::FailureLog log(on_failure, count);
  pool.parallel_for(static_cast<int64_t>(count), [&](int64_t index, int thread) {
    const eval::ImageRecord& image = *source.images()[static_cast<size_t>(index)];
    std::vector<float>& tensor = tensors[static_cast<size_t>(thread)];
    tensor.resize(detection::tensor_size(preprocessing));
    const bool usable = log.attempt([&] { vision::letterbox_to_tensor(*source.open(image), preprocessing, tensor); });
    // Thousands of files that can be made again: waiting for the disk after each would take longer than making them.
    if (usable)
      write_file(folder / (dataset::stem_of(image) + ".bin"), std::as_bytes(std::span(tensor)), /*sync=*/false);
    counter.add_one();
  });
  log.require_some();
  PreprocessReport report{.written = count - log.failures().size(),
                          .skipped = source.skipped(),
                          .failures = log.failures(),
                          .notes = source.truth().notes};
  for (const std::string& note : source.orientation_notes()) report.notes.push_back(note);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace effdet
