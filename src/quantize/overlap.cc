// Hashes the files of both sets.
#include "quantize/overlap.h"

#include <map>
#include <vector>

#include "base/error.h"
#include "detection/model_info.h"
#include "fetch/sha256.h"
#include "quantize/proof.h"

namespace effdet::quantize {
namespace {

using NamesByDigest = std::map<std::string, std::string>;

void require_absent(const NamesByDigest& calibration, const std::string& digest, const std::string& name) {
  const auto found = calibration.find(digest);
  if (found != calibration.end())
    fail(ErrorCode::kUsage,
         "{} is in the validation, and {} with the same content in the calibration: a gate proves nothing on images "
         "that the ranges come from; give other images to one of them",
         name, found->second);
}

/// "" for a file that cannot be read: whoever needs its content reports it.
std::string digest_of(const std::filesystem::path& file) {
  try {
    return fetch::sha256_of(file);
  } catch (const Error& error) {
    if (!lies_in_the_image(error.code())) throw;
    return "";
  }
}

/// Samples of .bin files are images that went through preprocessing: so must be what they are compared with.
void require_absent_samples(const NamesByDigest& samples, const dataset::Dataset& validation, const ir::Graph& graph) {
  const ir::Value& value = graph.value(graph.inputs.at(0));
  const detection::ModelInput input(std::span(&value, 1), graph, detection::model_info(graph.metadata));
  std::vector<std::byte> sample(input.sample_bytes());
  for (const eval::ImageRecord* image : validation.images()) try {
      input.write(*validation.open(*image), sample);
      require_absent(samples, fetch::sha256_of(std::span<const std::byte>(sample)), image->file_name);
    } catch (const Error& error) {
      if (!lies_in_the_image(error.code())) throw;
    }
}

}  // namespace

std::string require_disjoint(const CalibrationImages* calibration, const dataset::Dataset& validation,
                             const ir::Graph& graph) {
  NamesByDigest known, samples;
  if (calibration != nullptr) {
    for (const auto& file : calibration->files())
      if (std::string digest = digest_of(file); !digest.empty()) known.emplace(std::move(digest), file.string());
    samples = calibration->raw_digests();
  }
  std::vector<std::string> digests;
  for (const eval::ImageRecord* image : validation.images()) {
    const std::filesystem::path path = validation.place_of(*image).file;
    std::string digest = digest_of(path);
    if (digest.empty()) continue;
    require_absent(known, digest, path.string());
    digests.push_back(std::move(digest));
  }
  if (!samples.empty()) require_absent_samples(samples, validation, graph);
  if (std::error_code ignored; std::filesystem::is_regular_file(validation.annotations(), ignored))
    digests.push_back(fetch::sha256_of(std::filesystem::path(validation.annotations())));
  return hash_of(digests);
}

std::string hash_of_used(const CalibrationImages& calibration) {
  std::map<std::filesystem::path, std::string> digests;
  std::vector<std::string> all;
  for (const auto& file : calibration.used_files()) {
    auto& digest = digests[file];
    if (digest.empty()) digest = fetch::sha256_of(file);
    all.push_back(digest);
  }
  return hash_of(all);
}

}  // namespace effdet::quantize
