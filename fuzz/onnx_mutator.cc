// Changes of ONNX models by fields: numbers, names, elements that are dropped, doubled or moved.
#include <array>
#include <climits>
#include <string>

#include "onnx/model_file.h"
#include "targets.h"

namespace effdet::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

/// A field of a message somewhere in the model.
struct Place {
  Message* message;
  const FieldDescriptor* field;
};

/// All fields that are set, of the message and those in it.
void collect(Message& message, std::vector<Place>& places) {
  std::vector<const FieldDescriptor*> fields;
  const Reflection& reflection = *message.GetReflection();
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    places.push_back({&message, field});
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      collect(*reflection.MutableMessage(&message, field), places);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i)
      collect(*reflection.MutableRepeatedMessage(&message, field, i), places);
  }
}

class Mutator {
 public:
  Mutator(std::vector<Place> places, std::mt19937& random) : places_(std::move(places)), random_(random) {}

 private:
  size_t number(size_t below) { return random_() % below; }
  template <typename List>
  auto any(const List& list) {
    return list[number(list.size())];
  }

  int64_t integer(int64_t old) {
    constexpr std::array<int64_t, 18> kNumbers = {0,  1,  -1,  2,   3,    4,     7,       8,         16,
                                                  17, 64, 255, 256, 1024, 65536, INT_MAX, LLONG_MAX, LLONG_MIN};
    switch (number(4)) {
      case 0:
        return static_cast<int64_t>(static_cast<uint64_t>(old) + 1);
      case 1:
        return static_cast<int64_t>(static_cast<uint64_t>(old) - 1);
      default:
        return any(kNumbers);
    }
  }

  /// One of a field of the same kind elsewhere, so that names meet.
  std::string text(const std::string& old, const FieldDescriptor& field) {
    for (int tries = 0; tries < 8; ++tries) {
      const Place other = any(places_);
      if (other.field->cpp_type() != field.cpp_type()) continue;
      const Reflection& reflection = *other.message->GetReflection();
      if (!other.field->is_repeated()) return reflection.GetString(*other.message, other.field);
      const int size = reflection.FieldSize(*other.message, other.field);
      if (size > 0)
        return reflection.GetRepeatedString(*other.message, other.field,
                                            static_cast<int>(number(static_cast<size_t>(size))));
    }
    std::string changed = old;
    if (!changed.empty()) changed[number(changed.size())] = static_cast<char>(random_());
    return changed;
  }

  void change_value(const Place& place, const Reflection& reflection) {
    Message* message = place.message;
    const FieldDescriptor* field = place.field;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        return reflection.SetInt32(message, field, static_cast<int32_t>(integer(reflection.GetInt32(*message, field))));
      case FieldDescriptor::CPPTYPE_INT64:
        return reflection.SetInt64(message, field, integer(reflection.GetInt64(*message, field)));
      case FieldDescriptor::CPPTYPE_FLOAT:
        return reflection.SetFloat(message, field, static_cast<float>(integer(0)) / 3);
      case FieldDescriptor::CPPTYPE_ENUM:
        return reflection.SetEnumValue(message, field, static_cast<int>(number(24)));
      case FieldDescriptor::CPPTYPE_STRING:
        return reflection.SetString(message, field, text(reflection.GetString(*message, field), *field));
      default:
        return;
    }
  }

  void change_list(const Place& place, const Reflection& reflection) {
    Message* message = place.message;
    const FieldDescriptor* field = place.field;
    const int size = reflection.FieldSize(*message, field);
    const int i = static_cast<int>(number(static_cast<size_t>(size))), last = size - 1;
    switch (number(4)) {
      case 0:
        reflection.SwapElements(message, field, i, last);
        return reflection.RemoveLast(message, field);
      case 1:
        return reflection.SwapElements(message, field, i, static_cast<int>(number(static_cast<size_t>(size))));
      case 2:
        if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
          const Message& copied = reflection.GetRepeatedMessage(*message, field, i);
          std::string bytes = copied.SerializeAsString();
          reflection.AddMessage(message, field)->ParseFromString(bytes);
          return;
        }
        [[fallthrough]];
      default:
        change_element(place, reflection, i);
    }
  }

  void change_element(const Place& place, const Reflection& reflection, int i) {
    Message* message = place.message;
    const FieldDescriptor* field = place.field;
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT64:
        return reflection.SetRepeatedInt64(message, field, i, integer(reflection.GetRepeatedInt64(*message, field, i)));
      case FieldDescriptor::CPPTYPE_INT32:
        return reflection.SetRepeatedInt32(
            message, field, i, static_cast<int32_t>(integer(reflection.GetRepeatedInt32(*message, field, i))));
      case FieldDescriptor::CPPTYPE_FLOAT:
        return reflection.SetRepeatedFloat(message, field, i, static_cast<float>(integer(0)) / 3);
      case FieldDescriptor::CPPTYPE_STRING:
        return reflection.SetRepeatedString(message, field, i,
                                            text(reflection.GetRepeatedString(*message, field, i), *field));
      default:
        return;
    }
  }

 public:
  void change() {
    const Place place = any(places_);
    const Reflection& reflection = *place.message->GetReflection();
    if (place.field->is_repeated()) return change_list(place, reflection);
    if (number(8) == 0) return reflection.ClearField(place.message, place.field);
    change_value(place, reflection);
  }

 private:
  std::vector<Place> places_;
  std::mt19937& random_;
};

}  // namespace

std::vector<std::byte> mutate_onnx(Bytes input, std::mt19937& random) {
  onnx::pb::ModelProto model;
  if (!model.ParseFromArray(input.data(), static_cast<int>(input.size()))) return {};
  std::vector<Place> places;
  collect(model, places);
  if (places.empty()) return {};
  Mutator(std::move(places), random).change();
  std::vector<std::byte> changed(model.ByteSizeLong());
  if (!model.SerializeToArray(changed.data(), static_cast<int>(changed.size()))) return {};
  return changed;
}

}  // namespace effdet::fuzz
