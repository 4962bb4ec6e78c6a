// Resamples in parallel, a few at a time; categories in blocks, so that memory is bounded.
#include "analysis/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/category_resamples.h"
#include "analysis/resample_weights.h"

namespace effdet::analysis {
namespace {

constexpr size_t kDifferenceBytes = size_t{128} << 20;
constexpr size_t kFiles = 2;

class Bootstrap {
 public:
  Bootstrap(const std::array<const MatchedEvents*, kFiles>& files, const eval::CocoParams& params,
            std::span<const MeanNumber> means, const BootstrapOptions& options, ThreadPool& pool)
      : files_(files),
        means_(means),
        options_(options),
        pool_(pool),
        num_numbers_(NumberPlaces(params).size()),
        block_(std::clamp<size_t>(kDifferenceBytes / (sizeof(double) * num_numbers_ * options.resamples), 1,
                                  files[0]->num_categories())),
        batches_((options.resamples + kLanes - 1) / kLanes),
        differences_(block_ * num_numbers_ * options.resamples),
        counts_(options.resamples * means.size()) {
    for (std::vector<double>& sums : sums_) sums.resize(options.resamples * means.size());
    for (int thread = 0; thread < pool.size(); ++thread) workers_.emplace_back(options.seed, params);
  }

  std::array<std::vector<double>, kFiles> run(eval::WorkProgress* progress, const SeeDifferences& see) {
    const size_t num_categories = files_[0]->num_categories();
    const size_t blocks = (num_categories + block_ - 1) / block_;
    if (progress != nullptr) progress->begin("resamples", blocks * batches_, options_.resamples);
    for (first_ = 0; first_ < num_categories; first_ += block_) {
      end_ = std::min(first_ + block_, num_categories);
      pool_.parallel_for(static_cast<int64_t>(batches_), [&](int64_t batch, int thread) {
        resample(static_cast<size_t>(batch), workers_[static_cast<size_t>(thread)]);
        if (progress != nullptr) progress->add(1);
      });
      show_differences(see);
    }
    for (std::vector<double>& sums : sums_)
      for (size_t i = 0; i < sums.size(); ++i) sums[i] /= counts_[i];  // 0 / 0 where nothing is to be found
    return std::move(sums_);
  }

 private:
  /// What a thread keeps from batch to batch.
  struct Worker {
    Worker(uint64_t seed, const eval::CocoParams& params) : weights(seed, params.image_ids.size()), resampler(params) {}

    ResampleWeights weights;
    CategoryResampler resampler;
    std::array<std::vector<LaneValues>, kFiles> numbers;
  };

  void resample(size_t batch, Worker& worker) {
    const size_t first = batch * kLanes, lanes = std::min(kLanes, options_.resamples - first);
    worker.weights.draw(first);
    for (size_t k = first_; k < end_; ++k) {
      worker.resampler.compute(files_, k, worker.weights, worker.numbers);
      keep_differences(k, first, lanes, worker);
      add_to_means(k, first, lanes, worker);
    }
  }

  void keep_differences(size_t category, size_t first, size_t lanes, const Worker& worker) {
    for (size_t n = 0; n < num_numbers_; ++n) {
      double* differences = differences_.data() + ((category - first_) * num_numbers_ + n) * options_.resamples + first;
      for (size_t lane = 0; lane < lanes; ++lane)
        differences[lane] = worker.numbers[0][n][lane] - worker.numbers[1][n][lane];
    }
  }

  void add_to_means(size_t category, size_t first, size_t lanes, const Worker& worker) {
    for (size_t m = 0; m < means_.size(); ++m) {
      const MeanNumber& mean = means_[m];
      if (!mean.categories.empty() && mean.categories[category] == 0) continue;
      for (size_t lane = 0; lane < lanes; ++lane) {
        if (std::isnan(worker.numbers[0][mean.place][lane])) continue;
        const size_t place = (first + lane) * means_.size() + m;
        ++counts_[place];
        for (size_t file = 0; file < kFiles; ++file) sums_[file][place] += worker.numbers[file][mean.place][lane];
      }
    }
  }

  void show_differences(const SeeDifferences& see) {
    pool_.parallel_for(static_cast<int64_t>(end_ - first_), [&](int64_t task, int) {
      const auto in_block = static_cast<size_t>(task);
      std::vector<double> defined;
      for (size_t n = 0; n < num_numbers_; ++n) {
        const double* begin = differences_.data() + (in_block * num_numbers_ + n) * options_.resamples;
        defined.assign(begin, begin + options_.resamples);
        std::erase_if(defined, [](double value) { return std::isnan(value); });
        see(first_ + in_block, n, defined);
      }
    });
  }

  const std::array<const MatchedEvents*, kFiles>& files_;
  std::span<const MeanNumber> means_;
  const BootstrapOptions& options_;
  ThreadPool& pool_;
  size_t num_numbers_;
  size_t block_;                     ///< categories at a time
  size_t batches_;                   ///< of kLanes resamples
  size_t first_ = 0, end_ = 0;       ///< categories of the block
  std::vector<double> differences_;  ///< [categories of the block, numbers, resamples]
  std::vector<uint32_t> counts_;     ///< [resamples, means]: categories with objects
  std::array<std::vector<double>, kFiles> sums_;
  std::vector<Worker> workers_;
};

}  // namespace

std::array<std::vector<double>, 2> bootstrap(const std::array<const MatchedEvents*, 2>& files,
                                             const eval::CocoParams& params, std::span<const MeanNumber> means,
                                             const BootstrapOptions& options, ThreadPool& pool,
                                             eval::WorkProgress* progress, const SeeDifferences& see) {
  if (files[0]->num_categories() == 0 || params.image_ids.empty()) {
    const std::vector<double> undefined(options.resamples * means.size(), std::numeric_limits<double>::quiet_NaN());
    return {undefined, undefined};
  }
  return Bootstrap(files, params, means, options, pool).run(progress, see);
}

}  // namespace effdet::analysis
