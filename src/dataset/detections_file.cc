// Writes what was found in images, an image at a time: all of it may be more than memory holds.
#include "dataset/detections_file.h"

#include <string_view>
#include <unordered_set>

#include "base/file.h"
#include "dataset/result_format.h"
#include "effdet/output_file.h"
#include "effdet/result_format.h"

namespace effdet::dataset {
namespace {

/// What the files of images are called: as their pictures are, and images of one name get numbers.
class FileStems {
 public:
  std::string next(const DetectedImage& image) {
    const std::filesystem::path name(image.picture.empty() ? image.image : image.picture);
    const std::string stem = name.stem().string();
    std::string unique = stem;
    for (size_t number = 2; !taken_.insert(unique).second; ++number) unique = fmt::format("{}_{}", stem, number);
    return unique;
  }

 private:
  std::unordered_set<std::string> taken_;
};

void write_files(const std::filesystem::path& folder, std::span<const DetectedImage> images,
                 std::span<const std::string> class_names, const ResultFormat& format) {
  make_folder(folder);
  FileStems stems;
  for (const DetectedImage& image : images)
    write_file(folder / (stems.next(image) + std::string(format.extension)), format.text(image, class_names),
               /*sync=*/false);
}

}  // namespace

void write_detections_file(const std::filesystem::path& path, std::span<const DetectedImage> images,
                           std::span<const std::string> class_names, std::string_view format) {
  if (const ResultFormat& known = result_format(format); !known.extension.empty())
    return write_files(path, images, class_names, known);
  AtomicFile file(path);
  ResultText text(format, {class_names.begin(), class_names.end()}, [&](std::string_view part) { file.write(part); });
  for (const DetectedImage& image : images) text.add(image);
  text.end();
  file.commit();
}

}  // namespace effdet::dataset
