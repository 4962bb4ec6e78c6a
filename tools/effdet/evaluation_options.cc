// Lists of ids, thresholds and ranges out of one argument each, so that files may follow.
#include "evaluation_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "effdet/error.h"
#include "effdet/text_file.h"
#include "input_paths.h"

namespace effdet::cli {
namespace {

constexpr size_t kMostNumbers = 1000;

[[noreturn]] void refuse(std::string_view flag, std::string_view text, std::string_view wanted) {
  throw Error(ErrorCode::kUsage, fmt::format("{}: '{}' is not {}", flag, text, wanted));
}

/// The parts between separators, without space around them and without empty ones.
std::vector<std::string> split(std::string_view text, std::string_view separators) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(separators), text.size());
    std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t first = part.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) continue;
    parts.emplace_back(part.substr(first, part.find_last_not_of(" \t\r") + 1 - first));
  }
  return parts;
}

double parse_number(std::string_view flag, std::string_view text) {
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || std::isnan(value)) refuse(flag, text, "a number");
  return value;
}

/// As numpy.linspace(first, last, round((last - first) / step) + 1), which pycocotools makes its own with.
void add_range(std::string_view flag, const std::string& text, std::vector<double>& values) {
  const std::vector<std::string> parts = split(text, ":");
  if (parts.size() != 3) refuse(flag, text, "a number or FIRST:LAST:STEP");
  const double first = parse_number(flag, parts[0]), last = parse_number(flag, parts[1]);
  const double intervals = std::nearbyint((last - first) / parse_number(flag, parts[2]));
  if (!(intervals >= 1 && intervals < static_cast<double>(kMostNumbers)))
    refuse(flag, text, "a range of 2 to 1000 numbers");
  const double step = (last - first) / intervals;
  for (double i = 0; i < intervals; ++i) values.push_back(i * step + first);
  values.push_back(last);
}

/// Ids in the argument, or one a line in the file that it names.
std::vector<std::string> parse_images(const std::string& text) {
  return is_file(text) ? split(read_text_file(text), "\n") : split(text, ",");
}

std::vector<size_t> parse_limits(std::string_view flag, std::string_view text) {
  std::vector<size_t> limits;
  for (const std::string& part : split(text, ",")) {
    size_t limit = 0;
    const auto [end, code] = std::from_chars(part.data(), part.data() + part.size(), limit);
    if (code != std::errc() || end != part.data() + part.size() || limit == 0 ||
        limit > std::numeric_limits<uint32_t>::max())
      refuse(flag, part, "a number of detections from 1 to 4294967295");
    limits.push_back(limit);
  }
  return limits;
}

}  // namespace

std::vector<double> parse_thresholds(std::string_view flag, std::string_view text) {
  std::vector<double> values;
  for (const std::string& part : split(text, ",")) {
    if (part.find(':') != std::string::npos) {
      add_range(flag, part, values);
    } else {
      values.push_back(parse_number(flag, part));
    }
  }
  if (values.empty() || values.size() > kMostNumbers) refuse(flag, text, "a list of 1 to 1000 thresholds");
  for (const double value : values)
    if (!(value >= 0 && value <= 1)) refuse(flag, fmt::format("{}", value), "in 0 to 1");
  return values;
}

std::vector<EvaluateOptions::AreaRange> parse_areas(std::string_view flag, std::string_view text) {
  constexpr std::string_view kWanted = "LABEL=LOW:HIGH in square pixels, such as tiny=0:256 or huge=65536:inf";
  std::vector<EvaluateOptions::AreaRange> areas;
  for (const std::string& part : split(text, ",")) {
    const size_t equals = part.find('='), colon = part.find(':', std::min(equals, part.size()));
    if (equals == std::string::npos || equals == 0 || colon == std::string::npos) refuse(flag, part, kWanted);
    const std::string_view sides = part;
    areas.push_back({part.substr(0, equals), parse_number(flag, sides.substr(equals + 1, colon - equals - 1)),
                     parse_number(flag, sides.substr(colon + 1))});
  }
  if (areas.empty()) refuse(flag, text, kWanted);
  return areas;
}

void EvaluationOptions::add_to(CommandLine& line) {
  line.add_flag(
      "--lvis", lvis_,
      "LVIS' rules, as lvis-api has them: categories that an image was not searched for do not count, the 300 "
      "best detections of an image do; AP of rare, common and frequent categories");
  line.add_flag("--only-images-with-results", options_.only_images_with_results,
                "leave out images without results, as validate and postprocess do");
  line.add_option("--images", images_, "only these images: ids, or a file with one a line")->type_name("ID,...|FILE");
  line.add_option("--categories", categories_, "only these categories, by id or name")->type_name("NAME,...");
  line.add_option(
          "--category-map", category_map_,
          "lines 'category_id of the results,category of the annotations', the second by id or name; others are "
          "left out")
      ->type_name("FILE");
  line.add_flag("--no-categories", options_.ignore_categories,
                "all is one category, as proposals are evaluated (useCats = 0)");
  line.add_option("--iou-thresholds", iou_thresholds_, "default: 0.5:0.95:0.05")->type_name("IOU,...|FIRST:LAST:STEP");
  line.add_option("--recall-thresholds", recall_thresholds_, "default: 0:1:0.01")->type_name("R,...|FIRST:LAST:STEP");
  line.add_option("--areas", areas_,
                  "sizes of objects in square pixels, the first for AP without a size; default: "
                  "all=0:1e10,small=0:1024,medium=1024:9216,large=9216:1e10")
      ->type_name("LABEL=LOW:HIGH,...");
  line.add_option(
          "--max-dets", max_detections_,
          "detections of a category in an image, best first; AP is at the last; default: 1,10,100. With --lvis: of an "
          "image, default: 300")
      ->type_name("N,...");
  line.add_flag("--errors", options_.error_analysis,
                "also what each kind of error costs, as TIDE (tidecv) defines them, at IoU 0.5");
  line.add_flag("--analysis", analysis_,
                "also the best score thresholds, sizes of objects, calibration of scores, confused categories, "
                "suspected label errors and the worst images");
  line.add_option(
          "--score,--score-threshold", score_threshold_,
          "of the detections whose errors --analysis and --against show; default: where F1 over all categories is best")
      ->check(real_number())
      ->type_name("SCORE");
  line.add_option("--match-iou", match_iou_,
                  "at which a detection finds an object for --analysis and --against; default: 0.5")
      ->check(real_between(0, 1))
      ->type_name("IOU");
  CLI::Option* against =
      line.add_option("--against", against_,
                      "compare with these COCO results: differences with 95 % confidence intervals, and the categories "
                      "and images that changed most")
          ->type_name("FILE");
  line.add_option("--bootstrap", resamples_, "resamples of the images for the intervals; default: 1000")
      ->type_name("N")
      ->transform(between(1, 100000))
      ->needs(against);
  line.add_option("--seed", seed_, "of the resamples; default: 0")
      ->type_name("N")
      ->transform(whole_number())
      ->needs(against);
  line.add_output("--arrays", arrays_,
                  "precision, recall and scores as pycocotools has them in COCOeval.eval, for numpy.load (.npz)");
  line.add_flag("--strict", options_.strict, "refuse files with records that are otherwise left out");
}

EvaluateOptions EvaluationOptions::read(bool reports) const {
  EvaluateOptions options = options_;
  if (lvis_) options.rules = EvaluationRules::kLvis;
  if (images_) options.images = parse_images(*images_);
  if (categories_) options.categories = split(*categories_, ",");
  if (images_ && options.images.empty()) refuse("--images", *images_, "a list of ids; leave it out for all");
  if (categories_ && options.categories.empty())
    refuse("--categories", *categories_, "a list of ids and names; leave it out for all");
  if (!iou_thresholds_.empty()) options.iou_thresholds = parse_thresholds("--iou-thresholds", iou_thresholds_);
  if (!recall_thresholds_.empty())
    options.recall_thresholds = parse_thresholds("--recall-thresholds", recall_thresholds_);
  if (!areas_.empty()) options.areas = parse_areas("--areas", areas_);
  if (!max_detections_.empty()) options.max_detections = parse_limits("--max-dets", max_detections_);
  options.arrays = arrays_;
  options.category_map = category_map_;
  const double iou = match_iou_.value_or(0.5);
  if (analysis_ || reports) options.analysis = {.iou_threshold = iou, .score_threshold = score_threshold_};
  if (!against_.empty())
    options.comparison = {.against = against_,
                          .resamples = resamples_,
                          .seed = seed_,
                          .iou_threshold = iou,
                          .score_threshold = score_threshold_};
  if ((match_iou_ || score_threshold_) && !options.analysis && !options.comparison)
    throw Error(ErrorCode::kUsage,
                fmt::format("{} is about what --analysis, --report or --against show: give one of them",
                            score_threshold_ ? "--score-threshold" : "--match-iou"));
  return options;
}

}  // namespace effdet::cli
