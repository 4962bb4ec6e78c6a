// detect: finds the objects in images, draws them, and lists them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "calibration_options.h"
#include "checkpoint_file.h"
#include "class_choice.h"
#include "cli.h"
#include "commands.h"
#include "describe.h"
#include "detect_video.h"
#include "device_option.h"
#include "effdet/detect_images.h"
#include "effdet/detector.h"
#include "effdet/error.h"
#include "effdet/file_kind.h"
#include "effdet/image.h"
#include "effdet/output_file.h"
#include "effdet/result_format.h"
#include "found_text.h"
#include "image_arguments.h"
#include "input_paths.h"
#include "log.h"
#include "output_paths.h"
#include "partial_run.h"
#include "progress.h"
#include "run_options.h"
#include "status_line.h"
#include "stream_options.h"
#include "team_run.h"

namespace effdet::cli {
namespace {

namespace fs = std::filesystem;

struct DetectArguments {
  std::string program;
  std::vector<std::string> images, lists;
  std::string checkpoint, out, contact_sheet;
  ModelOptions model;
  CalibrationOptions calibration;
  DetectOptions detect{.score_threshold = 0.3f};
  RunOptions run;
  int threads = 0;
  StreamOptions streams;
  int batch = 0;  ///< 0: not given
  VideoRun video;
  SliceOptions slices;
  std::string format, crops;
  float line_width = DrawOptions().line_width;
  int sheet_pages = 1;
  bool hide_labels = false, hide_scores = false;
  std::vector<std::string> classes;
  bool recursive = false, allow_private = false, no_pictures = false, no_exif = false, json = false;

  /// What the run writes, beside which its journal lies. Without a folder everything is printed.
  std::string results() const {
    return out.empty() ? "" : (fs::path(out) / result_file(format.empty() ? "json" : format)).string();
  }
  DrawOptions draw_options() const { return {line_width, !hide_labels, !hide_scores}; }
  bool draws() const { return !out.empty() && !no_pictures; }
  bool prints_alone() const { return out.empty() && crops.empty() && contact_sheet.empty(); }
  /// Of what is printed; empty: lines for people.
  std::string printed_format() const { return json ? "json" : out.empty() ? format : ""; }
};

std::vector<std::string> class_names(const ModelDescription& description, const ModelOptions& options) {
  if (options.class_names.empty()) return class_names_of(description);
  if (static_cast<int>(options.class_names.size()) != description.num_classes)
    throw Error(ErrorCode::kUsage, fmt::format("--class-names: {} names for {} classes", options.class_names.size(),
                                               description.num_classes));
  return options.class_names;
}

/// The annotated images side by side, for a look at all of them at once: sheet.jpg, sheet-2.jpg, ...
void write_sheets(const std::string& path, const std::vector<ListedImage>& images, const DetectImagesReport& report,
                  const DetectImagesOptions& options, int pages) {
  const fs::path first(path);
  for (size_t page = 0; page < static_cast<size_t>(pages) && page * kSheetImages < report.images.size(); ++page) {
    const fs::path file = page == 0 ? first
                                    : first.parent_path() / fmt::format("{}-{}{}", first.stem().string(), page + 1,
                                                                        first.extension().string());
    const auto images_of_page = std::span(report.images).subspan(page * kSheetImages);
    write_image(file, contact_sheet_of(images, images_of_page, report.class_names, options));
  }
}

/// The sheet is neither one of the images nor one of their pictures.
void refuse_sheet(const DetectArguments& arguments, const std::vector<ListedImage>& images) {
  if (arguments.contact_sheet.empty()) return;
  std::vector<fs::path> files;
  for (const ListedImage& image : images)
    if (image.member.empty() && !image.content) files.emplace_back(image.file);
  refuse_one_of("--contact-sheet", arguments.contact_sheet, "images", files);
  if (!arguments.draws()) return;
  std::error_code ignored;
  const fs::path sheet = fs::weakly_canonical(fs::absolute(arguments.contact_sheet), ignored);
  if (sheet.parent_path() != fs::weakly_canonical(fs::absolute(arguments.out), ignored)) return;
  for (const ListedImage& image : images)
    if (image.picture == sheet.filename())
      throw Error(ErrorCode::kUsage,
                  fmt::format("--contact-sheet: {} is the picture of {}, which would be lost; give another name",
                              arguments.contact_sheet, image.name()));
}

void warn_of_same_ids(const std::vector<ListedImage>& images) {
  std::set<std::string> ids;
  size_t same = 0;
  std::string first;
  for (const ListedImage& image : images) {
    if (ids.insert(coco_image_id(image.name())).second) continue;
    if (same++ == 0) first = image.name();
  }
  if (same > 0)
    warn(
        fmt::format("{} pictures have the image_id of another, {} first: the results of both stand under one id; give "
                    "them names of their own",
                    same, first));
}

std::vector<ListedImage> images_of(const DetectArguments& arguments) {
  arguments.run.refuse_shared_input(arguments.lists);
  arguments.run.refuse_shared_input(arguments.images);
  std::vector<ListedImage> images = listed_images(arguments.images, arguments.lists, arguments.recursive);
  name_pictures(images, arguments.draws() ? arguments.out : "");
  refuse_sheet(arguments, images);
  if (arguments.format == "coco") warn_of_same_ids(images);
  return images;
}

/// Says what the run is, for people who do not know what is in the file.
void print_start(const std::string& file, const CompiledModel& model, const DetectArguments& arguments,
                 const std::string& what) {
  if (is_quiet()) return;
  const ModelDescription description = model.description();
  const RoomForLines room;
  std::FILE* const stream = !arguments.printed_format().empty() ? stderr : stdout;
  fmt::print(stream, "[INFO] model {}: {}, {} classes, {} x {}, {}; {}\n", file, description.model,
             description.num_classes, description.height, description.width, precision_of(model), what);
  if (file_kind(file) == FileKind::kCheckpoint && arguments.model.height == 0)
    fmt::print(stream, "[INFO] {}x{} is the variant's size; for a checkpoint of another one give --img-size\n",
               description.height, description.width);
}

/// Counts what was found; the end of the command.
int end_of_detect(const DetectArguments& arguments, const DetectImagesReport& report, const StopRequest& stop,
                  const std::string& kept, const fs::path& journal) {
  const RunCounts counts{report.images.size(), report.failures.size(), report.total};
  const int code = end_of_run(arguments.program, counts, stop, kept.empty() ? "the results" : "the results in " + kept);
  say_what_is_kept(counts, stop, journal);
  return code;
}

/// A video is alone: it has no list, no shards and no journal.
bool is_video(const DetectArguments& arguments) {
  const auto is_one = [](const std::string& name) { return is_video_name(name); };
  if (std::ranges::none_of(arguments.images, is_one)) return false;
  const std::string& name = arguments.images.front();
  if (arguments.images.size() > 1 || !arguments.lists.empty())
    throw Error(ErrorCode::kUsage, fmt::format("{} is a video: it must be the only thing that is given", name));
  if (arguments.format == "yolo" || arguments.format == "voc" || !arguments.contact_sheet.empty() ||
      arguments.run.is_shard())
    throw Error(ErrorCode::kUsage, "of a video there are no files for each frame, no --contact-sheet and no --shard");
  if (arguments.run.resumes())
    throw Error(ErrorCode::kUsage,
                fmt::format("a video has no journal to go on from: the results have what was done, and --start S goes "
                            "on in {} at S seconds, into another --out",
                            name));
  if (arguments.streams.is_given() || arguments.batch > 0)
    throw Error(ErrorCode::kUsage, "the frames of a video go through the network one by one: no --streams and no -b");
  if (name.starts_with("http") && !arguments.allow_private)
    throw Error(ErrorCode::kUsage, fmt::format("{}: FFmpeg follows redirects of videos wherever they lead: "
                                               "--allow-private-addresses says that it may",
                                               name));
  return true;
}

int detect_video(DetectArguments& arguments) {
  VideoRun run = arguments.video;
  run.program = arguments.program;
  run.name = arguments.images.front();
  run.out = arguments.out;
  run.format = arguments.format;
  run.draws = arguments.draws();
  run.printed = arguments.printed_format();
  run.crops = arguments.crops;
  run.slices = arguments.slices;
  run.detect = arguments.detect;
  run.draw = arguments.draw_options();
  run.threads = arguments.threads;
  if (!arguments.out.empty()) make_output_folder(arguments.out);
  if (!arguments.crops.empty()) make_output_folder(arguments.crops);
  const std::string file = checkpoint_file(arguments.checkpoint);
  const CompiledModel model = open_model(file, arguments.model, arguments.calibration, arguments.threads);
  run.class_names = class_names(model.description(), arguments.model);
  run.detect.categories = chosen_categories(arguments.classes, run.class_names);
  print_start(file, model, arguments, "a video");
  return detect_in_video(run, model);
}

int detect_all(DetectArguments& arguments) {
  DetectImagesOptions options{.detect = arguments.detect};
  arguments.run.apply(arguments.results(), options);
  if (arguments.draws()) options.pictures = arguments.out;
  if (!arguments.format.empty()) options.format = arguments.format;
  options.crops = arguments.crops;
  options.slices = arguments.slices;
  options.draw = arguments.draw_options();
  options.upright = !arguments.no_exif;
  options.private_addresses = arguments.allow_private;
  const std::vector<ListedImage> images = images_of(arguments);
  if (!arguments.out.empty()) make_output_folder(arguments.out);
  if (!arguments.crops.empty()) make_output_folder(arguments.crops);
  if (!arguments.contact_sheet.empty()) prepare_output(arguments.contact_sheet);
  std::optional<TeamRun> team;
  if (arguments.run.team()) {
    team.emplace(*arguments.run.team(), arguments.results(), arguments.run.lost_after());
    arguments.threads = threads_of_member(*arguments.run.team(), arguments.threads);
  }
  const bool speaks = !team || team->is_first();
  const std::string file = checkpoint_file(arguments.checkpoint);
  const CompiledModel model = open_model(file, arguments.model, arguments.calibration, arguments.threads);
  const StreamLayout layout = arguments.streams.resolve(model, arguments.threads);
  options.streams = layout.streams;
  options.batch = arguments.batch;
  options.class_names = class_names(model.description(), arguments.model);
  options.detect.categories = chosen_categories(arguments.classes, options.class_names);
  StopRequest stop;
  options.stop = &stop.flag();
  if (speaks) options.on_note = warn;
  options.on_failure = [](const ImageFailure& failure) { warn(failure.message); };
  // Of a team the first process prints what all have found, in the end.
  FoundPrinter printer(arguments.printed_format(), options.class_names, arguments.prints_alone());
  if (!team) options.on_found = [&](const DetectedImage& image) { printer.print(image); };
  std::optional<ProgressBar> bar(std::in_place, "detect");
  size_t run_images = 0;
  options.on_start = [&](size_t done, size_t all, size_t of_team) {
    if (team) team->show_life();
    run_images = team ? of_team : all;
    if (speaks) print_start(file, model, arguments, fmt::format("{} images", run_images));
    bar->start_at(done + (team ? team->done_elsewhere() : 0));
  };
  options.progress = [&](size_t done, size_t) {
    if (speaks) bar->update(done + (team ? team->done_elsewhere() : 0), run_images);
  };
  DetectImagesReport report = detect_images(images, model, options, arguments.threads);
  bar.reset();
  if (team) {
    const bool is_whole = team->is_first() && team->join(stop, [&](const std::vector<fs::path>& shards) {
      report = merge_detections(shards, arguments.results(), {}, options.format);
    });
    if (!is_whole) return end_of_member(arguments.program, report.images.size(), report.total, stop, options.journal);
  }
  if (team) std::ranges::for_each(report.images, [&](const DetectedImage& image) { printer.print(image); });
  if (!report.images.empty()) printer.end();
  warn_of(arguments.program, file, report.warning);
  if (!arguments.contact_sheet.empty())
    write_sheets(arguments.contact_sheet, images, report, options, arguments.sheet_pages);
  const bool is_shard = arguments.run.is_shard();
  return end_of_detect(arguments, report, stop, is_shard ? options.journal.string() : arguments.results(),
                       options.journal);
}

}  // namespace

int run_detect(int argc, char** argv) {
  CommandLine line(
      argc, argv,
      "Finds the objects in images, and prints them. With --out DIR draws them into DIR/<name>.jpg and lists "
      "them in DIR/detections.json.",
      "effdet detect street.jpg --checkpoint d0.pth --out found\n"
      "effdet detect photos/ 'more/*.png' --model-file d0.om --format jsonl --classes person,car | jq .image\n"
      "effdet detect --list million.txt --no-pictures --model-file d0.om --out found --shard 0/4 --resume");
  DetectArguments arguments{.program = line.program()};
  line.add_option("images", arguments.images,
                  "pictures (JPEG, PNG, WebP, ...), folders of them, tar files with them (WebDataset), quoted patterns "
                  "('a/*.jpg', 'shard-{000..003}.tar'), http(s) addresses, or -: a picture in standard input; or one "
                  "video, camera (/dev/video0) or stream (rtsp://...)")
      ->type_name("IMAGE");
  line.add_option("--list", arguments.lists, list_help())->allow_extra_args(false)->type_name("FILE");
  line.add_flag("-r,--recursive", arguments.recursive, "also what is in folders within the folders");
  line.add_flag("--allow-private-addresses", arguments.allow_private,
                "http(s) addresses may lead to this machine and to private networks");
  line.add_option("-c,--checkpoint,--model-file", arguments.checkpoint,
                  "checkpoint, ONNX model or compiled model; the first two are compiled on the fly")
      ->required()
      ->type_name("FILE");
  arguments.run.add_to(line,
                       line.add_option("--out", arguments.out, "folder for the results; finished images are kept in it")
                           ->type_name("DIR"),
                       "DIR/detections.json");
  line.add_option("--format", arguments.format,
                  fmt::format("form of the results: {}; yolo and voc write a file for each image",
                              fmt::join(result_formats(), ", ")))
      ->check(CLI::IsMember(result_formats()).description(""))
      ->type_name("F");
  line.add_flag("--no-pictures", arguments.no_pictures, "with --out: no annotated images")->needs("--out");
  auto* slice = line.add_option("--slice", arguments.slices.side,
                                "also look at overlapping squares of so many pixels a side, for small objects in large "
                                "pictures; what is found twice is merged as SAHI does")
                    ->transform(between(32, 100000))
                    ->type_name("PIXELS");
  line.add_option("--overlap", arguments.slices.overlap, "of neighbouring squares, as a part of their side")
      ->needs(slice)
      ->capture_default_str()
      ->check(real_between(0, 0.9))
      ->type_name("PART");
  const auto video_options = add_video_options(line, arguments.video);
  line.add_option("--crops", arguments.crops, "also write what was found, cut out: DIR/<class>/<image>_<number>.jpg")
      ->type_name("DIR");
  line.add_flag("--no-exif", arguments.no_exif, "do not turn pictures upright by their EXIF orientation");
  line.add_option("--contact-sheet", arguments.contact_sheet,
                  "also write the first 48 images side by side (.jpg or .png)")
      ->type_name("PICTURE");
  line.add_option("--sheet-pages", arguments.sheet_pages, "at most so many such sheets: sheet.jpg, sheet-2.jpg, ...")
      ->needs("--contact-sheet")
      ->capture_default_str()
      ->transform(between(1, 1000000))
      ->type_name("N");
  line.add_option("--line-width", arguments.line_width, "of boxes, in pixels; default: it grows with the picture")
      ->check(real_between(0, 100))
      ->type_name("PIXELS");
  line.add_flag("--hide-labels", arguments.hide_labels, "draw boxes without names and scores");
  line.add_flag("--hide-scores", arguments.hide_scores, "draw names without scores");
  line.add_option("--score,--score-threshold", arguments.detect.score_threshold,
                  "leave out detections with a lower score")
      ->capture_default_str()
      ->check(real_between(0, 1))
      ->type_name("S");
  line.add_option("--iou,--iou-threshold", arguments.detect.iou_threshold,
                  "IoU above which a box suppresses a worse one of its class")
      ->capture_default_str()
      ->check(real_between(0, 1))
      ->type_name("T");
  line.add_option("--max-det,--max-detections", arguments.detect.max_detections, "most detections of an image")
      ->capture_default_str()
      ->transform(between(1, 100000))
      ->type_name("N");
  line.add_option("--classes", arguments.classes, "only these classes: names or numbers from 1, as person,car")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("C,...");
  line.add_flag("--agnostic", arguments.detect.agnostic, "a box suppresses worse ones of all classes");
  line.add_soft_nms(arguments.detect);
  line.add_model_options(arguments.model);
  line.add_precision(arguments.model);
  arguments.calibration.add_to(line);
  add_device(line, arguments.model);
  arguments.streams.add_to(line, /*per_stream=*/false);
  line.add_option("-b,--batch-size", arguments.batch, "images in one run of the network; of a compiled model: its own")
      ->transform(between(1, 1024))
      ->type_name("N");
  line.add_threads(arguments.threads);
  line.add_json(arguments.json);
  if (!line.read()) return 0;
  if (arguments.batch > 0) arguments.model.batch = arguments.batch;
  if (!arguments.out.empty()) line.refuse_lost_file("--out", arguments.results());
  if (arguments.out.empty() && (arguments.format == "yolo" || arguments.format == "voc"))
    throw Error(ErrorCode::kUsage,
                fmt::format("--format {} writes a file for each image: give a folder with --out", arguments.format));
  if (arguments.out.empty() && arguments.json && !arguments.format.empty() && arguments.format != "json")
    throw Error(ErrorCode::kUsage,
                fmt::format("--json and --format {}: only one of them can be printed; leave one out, or give a folder "
                            "for the other with --out",
                            arguments.format));
  line.refuse_lost_file("--contact-sheet", arguments.contact_sheet);
  if (arguments.images.empty() && arguments.lists.empty())
    throw Error(ErrorCode::kUsage, "no images: give their names, folders, or --list FILE");
  const std::string sheet_kind = extension_of(arguments.contact_sheet);
  if (!arguments.contact_sheet.empty() && sheet_kind != ".jpg" && sheet_kind != ".jpeg" && sheet_kind != ".png")
    throw Error(ErrorCode::kUsage,
                fmt::format("--contact-sheet: {} is none of .jpg, .jpeg and .png", arguments.contact_sheet));
  if (is_video(arguments)) return detect_video(arguments);
  refuse_video_options(video_options);
  return detect_all(arguments);
}

}  // namespace effdet::cli
