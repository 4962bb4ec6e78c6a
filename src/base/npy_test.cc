// .npy files as numpy writes them, and hostile ones.
#include "base/npy.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "support/test_folder.h"

namespace effdet::inline base {
namespace {

class Npy : public testing::Test {
 protected:
  /// A version 1 file of that header and data.
  void save(std::string header, std::string_view data, char version = 1) const {
    std::string file = "\x93NUMPY";
    file += version;
    file += '\0';
    file += static_cast<char>(header.size() & 0xFF);
    file += static_cast<char>(header.size() >> 8);
    if (version > 1) file += std::string(2, '\0');
    write_file(path_, file + header + std::string(data));
  }

  std::string refusal(ErrorCode code = ErrorCode::kBadInput) const {
    try {
      read_npy(path_);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_NE(std::string(error.what()).find(path_.filename()), std::string::npos) << error.what();
      return error.what();
    }
    ADD_FAILURE() << "the file was accepted";
    return "";
  }

  const test::TestFolder folder_{"npy"};
  const std::filesystem::path path_ = folder_ / "array.npy";
};

TEST_F(Npy, WhatIsWrittenIsRead) {
  const std::vector<int32_t> values{1, -2, 3, 4, 5, 6};
  for (const Shape& shape : {Shape{6}, Shape{2, 3}, Shape{1, 3, 2, 1}}) {
    write_npy(Tensor::from<int32_t>(shape, values), path_);
    const Tensor read = read_npy(path_);
    EXPECT_EQ(read.shape(), shape);
    EXPECT_EQ(std::vector<int32_t>(read.data<int32_t>().begin(), read.data<int32_t>().end()), values);
  }
}

TEST_F(Npy, EveryTypeScalarsAndEmptyTensors) {
  for (int i = 0; i <= static_cast<int>(DType::kBool); ++i) {
    const auto dtype = static_cast<DType>(i);
    for (const Shape& shape : {Shape{}, Shape{3, 0, 2}}) {
      write_npy(Tensor(dtype, shape), path_);
      EXPECT_EQ(read_npy(path_).dtype(), dtype == DType::kBF16 ? DType::kF32 : dtype);
      EXPECT_EQ(read_npy(path_).shape(), shape);
    }
  }
}

TEST_F(Npy, TheHeaderIsNumpys) {
  write_npy(Tensor::scalar<float>(1), path_);
  const std::string file = read_file(path_);
  EXPECT_NE(file.find("{'descr': '<f4', 'fortran_order': False, 'shape': (), }"), std::string::npos);
  EXPECT_EQ(file.size() % 64, 4u);
}

TEST_F(Npy, ColumnMajorAndOtherVersions) {
  save("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3)}\n", std::string("\1\2\3\4\5\6"), 2);
  const Tensor read = read_npy(path_);
  const std::vector<uint8_t> rows{1, 3, 5, 2, 4, 6};
  EXPECT_EQ(std::vector<uint8_t>(read.data<uint8_t>().begin(), read.data<uint8_t>().end()), rows);
}

TEST_F(Npy, HeadersAsOthersMayWriteThem) {
  for (const char* header : {"{\"descr\": '|i1',\t\"fortran_order\":False, \"shape\": ( 3 )}",
                             "{'shape':(3,),'fortran_order':True,'descr':'=i1'}\n\n",
                             "{'descr': '>i1', 'fortran_order': False, 'shape': (3,),}"}) {
    save(header, std::string("\1\2\xfd"));
    const Tensor read = read_npy(path_);
    EXPECT_EQ(std::vector<int8_t>(read.data<int8_t>().begin(), read.data<int8_t>().end()),
              (std::vector<int8_t>{1, 2, -3}))
        << header;
  }
}

TEST_F(Npy, WhatIsWrongWithAHeader) {
  const auto wrong = [&](const std::string& header) {
    save(header, "abc");
    const std::string message = refusal();
    return message.substr(path_.string().size());
  };
  EXPECT_EQ(wrong("{'descr: 3"), ": .npy header, offset 20: a string has no end");
  EXPECT_EQ(wrong("{'descr': '|u1', 'fortran_order': False, 'fortran_order': False, 'shape': (3,)}"),
            ": .npy header, offset 67: a key is unknown or repeated");
  EXPECT_EQ(wrong("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), 'shape': (3,)}"),
            ": .npy header, offset 74: a key is unknown or repeated");
  EXPECT_EQ(wrong("{'fortran_order': False, 'shape': (3,)}"),
            ": .npy header, offset 49: a key of descr, fortran_order, shape is missing");
  EXPECT_EQ(wrong("{'descr': '|u1', 'shape': (3,)}"),
            ": .npy header, offset 41: a key of descr, fortran_order, shape is missing");
  std::string dims = "(";
  for (int i = 0; i < 100; ++i) dims += "1,";
  EXPECT_TRUE(
      wrong("{'descr': '|u1', 'fortran_order': False, 'shape': " + dims + ")}").ends_with(": too many dimensions"));
}

TEST_F(Npy, HostileHeaders) {
  const std::string good = "{'descr': '|u1', 'fortran_order': False, 'shape': (3,)}";
  save(good, "abc");
  EXPECT_EQ(read_npy(path_).numel(), 3);
  for (const std::string& header : {
           std::string(""),
           std::string("{"),
           std::string("{}"),
           std::string("{'descr':"),
           good + "x",
           std::string(good.size(), '('),
           std::string("{'descr': '|u1', 'fortran_order': False}"),
           std::string("{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (3,)}"),
           std::string("{'descr': '|u1', 'fortran_order': 1, 'shape': (3,)}"),
           std::string("{'descr': '|u1', 'fortran_order': False, 'shape': (-3,)}"),
           std::string("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,)}"),
           std::string("{'descr': '|u1', 'fortran_order': False, 'shape': (4294967296, 4294967296, 3)}"),
           std::string("{'descr': '|u1', 'fortran_order': False, 'shape': (4,)}"),
           std::string("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), 'x': __import__('os')}"),
       }) {
    save(header, "abc");
    refusal();
  }
  save(good, "ab");
  refusal();
  save("{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}", "abc");
  refusal();
  for (const char* type : {"'>f4'", "'|O'", "'<c8'", "'<U3'", "''", "[('a', '<f4')]"}) {
    save(std::string("{'descr': ") + type + ", 'fortran_order': False, 'shape': (3,)}", "abc");
    refusal(ErrorCode::kUnsupported);
  }
  save(good, "abc", 9);
  refusal(ErrorCode::kUnsupported);
  write_file(path_, std::string("\x93NUMPY\x02\x00\x10\x00", 10), false);  // version 2 has two bytes more of a length
  EXPECT_TRUE(refusal().ends_with(": the .npy header is cut off"));
}

TEST_F(Npy, CutAnywhereIsRefused) {
  write_npy(Tensor::scalar<float>(1), path_);
  const std::string whole = read_file(path_);
  for (size_t size = 0; size < whole.size(); ++size) {
    write_file(path_, whole.substr(0, size), false);
    refusal();
  }
}

}  // namespace
}  // namespace effdet::inline base
