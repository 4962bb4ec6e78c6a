// get_info: lists input files or images with their sizes, for the benchmark.
#include <fmt/format.h>

#include "cli.h"
#include "commands.h"
#include "describe.h"
#include "effdet/dataset.h"
#include "effdet/error.h"

namespace effdet::cli {

int run_get_info(int argc, char** argv) {
  CommandLine line(argc, argv, "Writes 'index path width height' for every input file of a folder.",
                   "get_info bin ./bin_save ./d7_bin.info 1536 1536\nget_info jpg ./coco_data/val2017 ./jpg.info");
  std::string type, folder, list;
  int width = 0, height = 0;
  bool json = false;
  line.add_option("type", type, "bin: raw tensors; jpg: images, each with its own size")
      ->required()
      ->check(CLI::IsMember({"bin", "jpg"}))
      ->type_name("bin|jpg");
  line.add_option("folder", folder, "where the files are")->required()->type_name("DIR");
  line.add_output("list", list, "the list to write")->required();
  line.add_option("width", width, "of the tensors, in pixels (bin)")->type_name("W");
  line.add_option("height", height, "of the tensors, in pixels (bin)")->type_name("H");
  line.add_json(json);
  if (!line.read()) return 0;

  if (type == "bin" && (width < 1 || height < 1))
    throw Error(ErrorCode::kUsage, "bin: width and height of the tensors must follow the list, both at least 1");
  size_t failed = 0;
  const auto on_failure = [&](const ImageFailure& failure) {
    ++failed;
    warn(failure.message);
  };
  const size_t count =
      type == "bin" ? write_bin_info(folder, list, width, height) : write_image_info(folder, list, on_failure);
  if (json) {
    fmt::print("{}", json_text({{"files", count}, {"list", list}}));
  } else {
    fmt::print("[INFO] {} files listed in {}\n", count, list);
  }
  if (failed > 0)
    throw Error(ErrorCode::kBadInput,
                fmt::format("{} of {} images could not be used: {} has the others", failed, count + failed, list));
  return 0;
}

}  // namespace effdet::cli
