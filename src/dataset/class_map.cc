// Matches a model's classes to categories by name, by order, or by a file that the user gives.
#include "dataset/class_map.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>

#include "base/ascii.h"
#include "base/error.h"
#include "dataset/category_map.h"
#include "dataset/name_list.h"
#include "eval/coco_categories.h"
#include "eval/coco_json.h"

namespace effdet::dataset {
namespace {

/// Of names in a message.
constexpr size_t kNamesShown = 3;
constexpr size_t kNoClass = static_cast<size_t>(-1);

/// Names that differ in case, or in '_' and '-' for a blank, are the same.
std::string comparable(std::string_view name) {
  std::string result;
  for (const char c : name) {
    const bool blank = c == ' ' || c == '_' || c == '-' || c == '\t';
    if (blank && (result.empty() || result.back() == ' ')) continue;
    result += blank ? ' ' : ascii_lower(c);
  }
  if (!result.empty() && result.back() == ' ') result.pop_back();
  return result;
}

/// The class of each name that only one class has.
std::map<std::string, size_t> classes_by_name(std::span<const std::string> names) {
  std::map<std::string, size_t> classes;
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string name = comparable(names[i]);
    const auto [known, is_new] = classes.emplace(name, i);
    if (!is_new) known->second = kNoClass;
  }
  classes.erase("");
  std::erase_if(classes, [](const auto& entry) { return entry.second == kNoClass; });
  return classes;
}

/// The categories of a data set in order of their ids, and what their ids and names say about a model's classes.
class Matcher {
 public:
  Matcher(const model::ModelInfo& info, std::span<const std::string> class_names, const eval::GroundTruth& dataset,
          const std::string& file)
      : file_(file),
        strings_(dataset.category_ids),
        num_classes_(static_cast<size_t>(info.num_classes)),
        offset_(info.label_offset),
        are_by_name_(dataset.are_categories_by_name),
        categories_(dataset.categories) {
    std::sort(categories_.begin(), categories_.end(),
              [](const eval::Category& a, const eval::Category& b) { return a.id < b.id; });
    for (const eval::Annotation& annotation : dataset.annotations) used_.insert(annotation.category_id);
    find_names(info, class_names);
  }

  /// The category of each class.
  std::vector<int64_t> map(ClassMapping mapping) {
    switch (mapping) {
      case ClassMapping::kIds:
        return by_id();
      case ClassMapping::kNames:
        if (classes_.empty())
          fail(ErrorCode::kUsage, "the names of the model's classes are not known: give --class-names FILE");
        if (named_ == 0) refuse("none of their names is that of a class");
        return by_name();
      case ClassMapping::kOrder:
        if (categories_.size() > num_classes_) refuse("there are more of them");
        return by_order();
      case ClassMapping::kAuto:
        break;
    }
    return choose();
  }

  /// The same as a file has it.
  std::vector<int64_t> map(const eval::GroundTruth& dataset, const std::filesystem::path& map_file) {
    std::vector<int64_t> categories(num_classes_, ClassMap::kNone);
    const std::vector<CategoryLine> lines = read_category_map(map_file);
    for (const CategoryLine& line : lines) {
      int64_t& category = categories[class_of_line(line)];
      if (category != ClassMap::kNone)
        bad_input("{}: class '{}' is mapped twice, by its name and its index", line.where, eval::printable(line.from));
      category = category_of_line(dataset, line);
    }
    notes_.push_back(fmt::format("{}: {} of {} classes are mapped to categories; detections of others are left out",
                                 map_file.string(), lines.size(), num_classes_));
    return categories;
  }

  const std::vector<std::string>& notes() const { return notes_; }

 private:
  size_t class_of_line(const CategoryLine& line) const {
    if (const auto named = classes_.find(comparable(line.from)); named != classes_.end()) return named->second;
    size_t index = 0;
    const char* end = line.from.data() + line.from.size();
    const auto [read, code] = std::from_chars(line.from.data(), end, index);
    if (code != std::errc() || read != end || index >= num_classes_)
      bad_input("{}: class '{}' is neither a name nor an index (0 to {}) of the model's {} classes", line.where,
                eval::printable(line.from), num_classes_ - 1, num_classes_);
    return index;
  }

  void find_names(const model::ModelInfo& info, std::span<const std::string> class_names) {
    if (!class_names.empty() && class_names.size() != num_classes_)
      fail(ErrorCode::kUsage, "{} class names for {} classes", class_names.size(), num_classes_);
    std::vector<std::string> names(class_names.begin(), class_names.end());
    if (names.empty()) names = info.class_names;
    assumed_ = names.empty();
    if (assumed_) names = eval::coco_class_names(info.num_classes);
    classes_ = classes_by_name(names);
    for (const eval::Category& category : categories_) {
      const auto found = classes_.find(comparable(category.name));
      class_of_.push_back(found == classes_.end() ? kNoClass : found->second);
    }
    drop_repeated();
    named_ = static_cast<size_t>(
        std::count_if(class_of_.begin(), class_of_.end(), [](size_t of) { return of != kNoClass; }));
  }

  /// Of several categories of one name the annotated one has it: Roboflow names a category for the whole set after the
  /// only class.
  void drop_repeated() {
    std::map<size_t, size_t> owners;  // category by class
    for (size_t i = 0; i < class_of_.size(); ++i) {
      if (class_of_[i] == kNoClass) continue;
      const auto [owner, is_new] = owners.emplace(class_of_[i], i);
      if (is_new) continue;
      const bool takes = is_used(i) && !is_used(owner->second);
      class_of_[takes ? std::exchange(owner->second, i) : i] = kNoClass;
    }
  }

  bool is_used(size_t category) const { return used_.contains(categories_[category].id); }

  /// The class that effdet's convention gives a category.
  size_t class_by_id(size_t category) const {
    const int64_t of = categories_[category].id - offset_;
    return categories_[category].id >= eval::StringIds::kLowestNumber && of >= 0 &&
                   of < static_cast<int64_t>(num_classes_)
               ? static_cast<size_t>(of)
               : kNoClass;
  }

  bool all_ids_fit(bool used_alone = false) const {
    for (size_t i = 0; i < categories_.size(); ++i)
      if ((!used_alone || is_used(i)) && class_by_id(i) == kNoClass) return false;
    return true;
  }

  bool names_say_what_ids_say() const {
    for (size_t i = 0; i < categories_.size(); ++i)
      if (class_of_[i] != kNoClass && class_of_[i] != class_by_id(i)) return false;
    return true;
  }

  std::vector<int64_t> by_id() const {
    std::vector<int64_t> categories;
    for (size_t of = 0; of < num_classes_; ++of) categories.push_back(static_cast<int64_t>(of) + offset_);
    return categories;
  }

  std::vector<int64_t> by_name() {
    std::vector<int64_t> categories(num_classes_, ClassMap::kNone);
    std::vector<std::string> others;
    for (size_t i = 0; i < categories_.size(); ++i) {
      if (class_of_[i] != kNoClass) categories[class_of_[i]] = categories_[i].id;
      if (class_of_[i] == kNoClass && is_used(i)) others.push_back(categories_[i].name);
    }
    notes_.push_back(fmt::format("{}: categories are mapped to the model's classes by name: {} of {}", file_, named_,
                                 categories_.size()));
    if (!others.empty()) notes_.back() += fmt::format("; no class is called {}", list_of(others, kNamesShown));
    return categories;
  }

  std::vector<int64_t> by_order() {
    std::vector<int64_t> categories(num_classes_, ClassMap::kNone);
    for (size_t i = 0; i < categories_.size(); ++i) categories[i] = categories_[i].id;
    notes_.push_back(
        fmt::format("{}: category ids {} are not class + {}, as effdet has them; they are taken for the model's {} "
                    "classes in their "
                    "order. Where that is wrong, give the classes' names (--class-names FILE)",
                    file_, ids_text(), offset_, num_classes_));
    return categories;
  }

  std::vector<int64_t> choose() {
    // Names that are only assumed, since the number of classes is COCO's, must agree for the larger part.
    const bool names_agree = named_ > 0 && (!assumed_ || 2 * named_ >= categories_.size());
    const bool confirmed = names_agree && names_say_what_ids_say();
    if (all_ids_fit(/*used_alone=*/confirmed) && (confirmed || !names_agree)) {
      note_other_names();
      if (!confirmed) note_order_of_names();
      return by_id();
    }
    if (names_agree) return by_name();
    note_order_of_names();
    if (categories_.size() == num_classes_) return by_order();
    if (all_ids_fit(/*used_alone=*/true) && !used_.empty()) {
      notes_.push_back(
          fmt::format("{}: category ids {} are class + {}, as effdet has them, but for categories without annotations",
                      file_, ids_text(), offset_));
      return by_id();
    }
    refuse("they do not fit");
  }

  /// Where ids are looked at that the format does not have.
  void note_order_of_names() {
    if (are_by_name_)
      notes_.push_back(
          fmt::format("{}: categories are numbered in the order of their names, since the format has no numbers; where "
                      "the model's classes have another order, give their names (--class-names FILE)",
                      file_));
  }

  /// Where ids fit and names do not.
  void note_other_names() {
    std::vector<std::string> others;
    for (size_t i = 0; i < categories_.size(); ++i)
      if (class_of_[i] == kNoClass && is_used(i) && !categories_[i].name.empty()) others.push_back(categories_[i].name);
    if (others.empty() || classes_.empty()) return;
    notes_.push_back(fmt::format("{}: {} of {} categories have other names than the model's classes{}: {}; taken by id",
                                 file_, others.size(), categories_.size(), assumed_ ? " would have for COCO" : "",
                                 list_of(others, kNamesShown)));
  }

  [[noreturn]] void refuse(std::string_view why) const {
    bad_input(
        "{}: {} categories, ids {}, for a model of {} classes, which stand for the ids {} to {}: {}. Check that model "
        "and "
        "data belong together; else give the classes' names (--class-names FILE), or how to map them (--category-map)",
        file_, categories_.size(), ids_text(), num_classes_, offset_, static_cast<int64_t>(num_classes_) + offset_ - 1,
        why);
  }

  std::string ids_text() const {
    if (categories_.empty()) return "none";
    const std::string first = strings_.json_of(categories_.front().id), last = strings_.json_of(categories_.back().id);
    return categories_.size() == 1 ? first : fmt::format("{} to {}", first, last);
  }

  const std::string& file_;
  const eval::StringIds& strings_;
  size_t num_classes_;
  int offset_;
  bool are_by_name_;
  std::vector<eval::Category> categories_;  ///< by id
  std::set<int64_t> used_;                  ///< ids that annotations have
  bool assumed_ = false;                    ///< whether the classes' names follow from their number alone
  std::map<std::string, size_t> classes_;
  std::vector<size_t> class_of_;  ///< by name, for each category; kNoClass where no class has it
  size_t named_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace

ClassMap::ClassMap(const model::ModelInfo& info, const ClassOptions& options, const eval::GroundTruth& dataset,
                   const std::string& file)
    : offset_(info.label_offset) {
  Matcher matcher(info, options.names, dataset, file);
  categories_ = options.map.empty() ? matcher.map(options.mapping) : matcher.map(dataset, options.map);
  notes_ = matcher.notes();
}

int64_t ClassMap::category_of(int64_t category) const {
  const int64_t of = category - offset_;
  return of >= 0 && of < static_cast<int64_t>(categories_.size()) ? categories_[static_cast<size_t>(of)] : kNone;
}

}  // namespace effdet::dataset
