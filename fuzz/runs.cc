// What runs keep and take: journals, lists, archives of images, measured choices.
#include "dataset/category_map.h"
#include "dataset/journal_file.h"
#include "dataset/journal_record.h"
#include "dataset/tar_file.h"
#include "effdet/dataset.h"
#include "eval/coco_dataset.h"
#include "input_file.h"
#include "targets.h"
#include "tuning/tuning_bank.h"

namespace effdet::fuzz {

/// As a whole file, and as the content of a record, whose hash need not be guessed then.
void journal(Bytes input) {
  const std::filesystem::path file = write_input("input", text_of(input));
  read([&] { dataset::read_journal(file); });
  read([&] { dataset::parse_header(input, "input"); });
  read([&] { dataset::parse_entry(input, "input", 8); });
}

void info_list(Bytes input) { read_file_of(input, read_info); }

void tar(Bytes input) {
  const std::filesystem::path file = write_input("input", text_of(input));
  read([&] {
    dataset::for_each_member(file, [&](const dataset::TarMember& member) {
      if (member.offset > input.size() || member.bytes > input.size() - member.offset)
        finding("a member outside of the file: " + member.name);
    });
  });
}

void category_map(Bytes input) {
  static const eval::GroundTruth dataset = eval::parse_coco_dataset(
      R"({"images": [], "annotations": [], "categories": [{"id": 3, "name": "a"}, {"id": 7, "name": "b"}]})",
      "small.json");
  read_file_of(input, [](const std::filesystem::path& file) { dataset::read_result_map(file, dataset); });
}

void tuning_bank(Bytes input) {
  static const std::filesystem::path path = tuning::TuningBank(work_folder(), "processor", 2).path();
  write_input(path.filename(), text_of(input));
  read([&] { tuning::TuningBank(work_folder(), "processor", 2); });
}

}  // namespace effdet::fuzz
