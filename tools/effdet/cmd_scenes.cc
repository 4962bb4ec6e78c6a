// scenes: a synthetic data set.
#include <fmt/format.h>

#include <limits>

#include "cli.h"
#include "commands.h"
#include "describe.h"
#include "effdet/dataset.h"
#include "progress.h"

namespace effdet::cli {

int run_scenes(int argc, char** argv) {
  CommandLine line(argc, argv, "Writes a data set of coloured shapes with exact boxes, in COCO's layout.",
                   "effdet scenes --out coco_data --images 24 --seed 1");
  SyntheticScenes options;
  std::string out;
  bool json = false;
  line.add_option("--out", out, "root of the data set; made where missing")->required()->type_name("DIR");
  line.add_option("--images", options.images, "how many")->capture_default_str()->type_name("N");
  line.add_option("--seed", options.seed, "the same seed gives the same images")
      ->capture_default_str()
      ->transform(whole_number())
      ->type_name("N");
  line.add_option("--first-id,--first_id", options.first_id, "id of the first image")
      ->capture_default_str()
      ->transform(between(0, std::numeric_limits<int>::max()))
      ->type_name("N");
  line.add_option("--min-side,--min_side", options.min_side, "smallest side of an image, in pixels")
      ->capture_default_str()
      ->transform(between(1, std::numeric_limits<int>::max()))
      ->type_name("N");
  line.add_option("--max-side,--max_side", options.max_side, "largest side of an image, in pixels")
      ->capture_default_str()
      ->transform(between(1, std::numeric_limits<int>::max()))
      ->type_name("N");
  line.add_json(json);
  if (!line.read()) return 0;

  {
    ProgressBar bar("scenes");
    write_scenes(out, options, [&](size_t done, size_t total) { bar.update(done, total); });
  }
  if (json) {
    fmt::print("{}", json_text({{"images", options.images}, {"root", out}}));
  } else {
    fmt::print("[INFO] {} images written to {}\n", options.images, out);
  }
  return 0;
}

}  // namespace effdet::cli
