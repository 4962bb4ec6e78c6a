// Tar files: of every kind that is written, cut anywhere, and hostile ones.
#include "dataset/tar_file.h"

#include "dataset/listed_image.h"
#include "dataset/test_support.h"

namespace effdet::dataset {
namespace {

constexpr size_t kBlock = 512;

std::string padded(std::string text) {
  text.resize((text.size() + kBlock - 1) / kBlock * kBlock);
  return text;
}

std::string with_checksum(std::string header) {
  header.replace(148, 8, "        ");
  unsigned sum = 0;
  for (const char byte : header) sum += static_cast<unsigned char>(byte);
  header.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return header;
}

std::string header_of(const std::string& name, char type, const std::string& size) {
  std::string header(kBlock, '\0');
  header.replace(0, name.size(), name);
  header.replace(124, size.size(), size);
  header[156] = type;
  header.replace(257, 8, std::string("ustar\00000", 8));
  return with_checksum(header);
}

std::string member(const std::string& name, const std::string& content, char type = '0') {
  return header_of(name, type, fmt::format("{:011o}", content.size())) + padded(content);
}

/// type: '1', a hard link, or '2', a symbolic one
std::string link(const std::string& name, char type, const std::string& target) {
  std::string header = header_of(name, type, "00000000000");
  header.replace(157, target.size(), target);
  return with_checksum(header);
}

/// LENGTH counts itself.
std::string record(const std::string& text) {
  size_t length = text.size() + 3;
  while (fmt::format("{} {}\n", length, text).size() != length) ++length;
  return fmt::format("{} {}\n", length, text);
}

const std::string kEnd(2 * kBlock, '\0');

class Tar : public testing::Test {
 protected:
  /// Names with their contents.
  std::vector<std::pair<std::string, std::string>> members(const std::string& tar) const {
    write_file(path_, tar, /*sync=*/false);
    std::vector<std::pair<std::string, std::string>> found;
    for_each_member(path_, [&](const TarMember& one) {
      found.emplace_back(one.name, one.kind == TarKind::kFile ? tar.substr(one.offset, one.bytes) : "-> " + one.target);
    });
    return found;
  }
  std::string refused(const std::string& tar, ErrorCode code = ErrorCode::kBadInput) const {
    const Error error = error_of([&] { members(tar); });
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }

  TestFolder folder_{"tar"};
  fs::path path_ = folder_ / "a.tar";
};

using Members = std::vector<std::pair<std::string, std::string>>;

TEST_F(Tar, ReadsUstarPaxAndGnu) {
  const std::string long_name = std::string(150, 'x') + "/1.jpg";
  std::string prefixed = header_of("2.jpg", '0', "00000000001");
  prefixed.replace(345, 3, "a/b");
  std::string large = header_of("3.jpg", '0', std::string("\x80\0\0\0\0\0\0\0\0\0\0\3", 12));
  const std::string tar = member("folder/", "", '5') + link("link", '2', "../a") + member("1.jpg", "one") +
                          with_checksum(prefixed) + padded("2") + large + padded("abc") +
                          member("././@LongLink", long_name + '\0', 'L') + member("cut", "4", '0') +
                          member("pax", record("mtime=1.5") + record("path=../ü\n.jpg") + record("size=3"), 'x') +
                          header_of("5", '0', "00000000000") + padded("555") + member("pax", record("comment=x"), 'g') +
                          member("6.jpg", "", '\0') + kEnd;
  EXPECT_EQ(members(tar), (Members{{"link", "-> ../a"},
                                   {"1.jpg", "one"},
                                   {"a/b/2.jpg", "2"},
                                   {"3.jpg", "abc"},
                                   {long_name, "4"},
                                   {"../ü\n.jpg", "555"},
                                   {"6.jpg", ""}}));
  EXPECT_EQ(members(kEnd), Members{});
  EXPECT_EQ(members(member("1", "x") + std::string(kBlock, '\0')).size(), 1u);  // one block of zeros, as some write it
}

/// Files of some programs: names by GNU's magic, where the prefix is something else, a contiguous file, blanks for 0,
/// bytes counted with their signs, and records that zeros fill up.
TEST_F(Tar, ReadsWhatOldAndOtherProgramsWrite) {
  std::string gnu = header_of("1.jpg", '0', "00000000001");
  gnu.replace(257, 8, "ustar  " + std::string(1, '\0'));
  gnu.replace(345, 3, "abc");
  std::string old = header_of("\xfc.jpg", '0', "00000000001");
  old.replace(148, 8, "        ");
  int sum = 0;
  for (const char byte : old) sum += static_cast<signed char>(byte);
  old.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  const std::string tar = with_checksum(gnu) + padded("1") + old + padded("2") + member("3.jpg", "3", '7') +
                          header_of("4.jpg", '0', std::string(12, ' ')) +
                          member("pax", record("path=5.jpg") + std::string(9, '\0'), 'x') + member("x", "5") +
                          member("pax", record("linkpath=target"), 'x') + link("6.jpg", '1', "x") + kEnd;
  EXPECT_EQ(
      members(tar),
      (Members{
          {"1.jpg", "1"}, {"\xfc.jpg", "2"}, {"3.jpg", "3"}, {"4.jpg", ""}, {"5.jpg", "5"}, {"6.jpg", "-> target"}}));
}

/// Pages that were looked at are given back on the way.
TEST_F(Tar, LargeOnesAreWalkedWhole) {
  constexpr size_t kMiB = size_t{1} << 20;
  const std::string header = header_of("large.bin", '0', fmt::format("{:011o}", 20 * kMiB));
  std::string tar = header;
  for (int i = 0; i < 2; ++i) {
    write_file(path_, tar, /*sync=*/false);
    fs::resize_file(path_, tar.size() + 20 * kMiB);
    tar = read_file(path_) + (i == 0 ? header : member("1.jpg", "one") + kEnd);
  }
  const auto found = members(tar);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[2], (std::pair<std::string, std::string>("1.jpg", "one")));
}

/// GNU tar's label has no size, not even 0.
TEST_F(Tar, ALabelIsPassedOver) {
  const auto found = members(header_of("label", 'V', "") + member("a.jpg", "12") + kEnd);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].second, "12");
}

TEST_F(Tar, CutAnywhereIsNamedWithTheOffset) {
  const std::string tar = member("1.jpg", std::string(600, 'x')) + member("2.jpg", "y");
  for (size_t bytes = 0; bytes < tar.size() + kBlock; ++bytes)
    EXPECT_TRUE(contains(refused((tar + kEnd).substr(0, bytes)), "a.tar: offset ")) << bytes;
  EXPECT_TRUE(contains(refused(tar), "offset 2560: the file ends here without the blocks of zeros"));
  EXPECT_TRUE(contains(refused(tar.substr(0, 1000)), "offset 0: 600 bytes of content, but the file ends after 488"));
}

TEST_F(Tar, HostileHeadersAreNamedWithTheOffset) {
  const std::string good = member("1.jpg", "x");
  std::string damaged = good + good + kEnd;
  damaged[kBlock * 2 + 3] ^= 1;
  EXPECT_TRUE(contains(refused(damaged), "offset 1024: the header's checksum is wrong"));
  const auto with_size = [&](const std::string& size) { return refused(good + header_of("2.jpg", '0', size) + kEnd); };
  EXPECT_TRUE(contains(with_size("77777777777"), "offset 1024: 8589934591 bytes of content, but the file ends after"));
  EXPECT_TRUE(contains(with_size("0000000000x"), "offset 1148: bad size"));
  EXPECT_TRUE(contains(with_size("-0000000001"), "offset 1148: bad size"));
  EXPECT_TRUE(contains(with_size(std::string(12, '\xff')), "offset 1148: bad size"));
  EXPECT_TRUE(contains(with_size(std::string("\x80\0\0\x7f\0\0\0\0\0\0\0\0", 12)), "offset 1148: bad size"));
  EXPECT_TRUE(
      contains(with_size(std::string("\x80\0\0\0\0\x7f\xff\xff\xff\xff\xff\xff", 12)), "bytes of content, but"));
  for (const std::string records : {"x", "5 a=b\n", "7 path\n", "99999999999999999999 a=b\n", "-6 a=b\n", "6 a=bc",
                                    "2 \n", "0 a=b\n", "6xa=b\n", "9 a=b\n"})
    EXPECT_TRUE(contains(refused(member("pax", records, 'x') + good + kEnd), "offset 512: bad pax record")) << records;
  EXPECT_TRUE(contains(refused(member("pax", record(std::string("path=a\0b", 8)), 'x') + good + kEnd), "a NUL byte"));
  EXPECT_TRUE(contains(refused(member("pax", record(std::string("linkpath=a\0b", 12)), 'x') + kEnd), "a NUL byte"));
  for (const char* size : {"1x", "", "-1", "18446744073709551616"})
    EXPECT_TRUE(contains(refused(member("pax", record(fmt::format("size={}", size)), 'x') + good + kEnd), "bad size"));
  EXPECT_TRUE(contains(refused(member("L", std::string((1 << 20) + 1, 'x'), 'L') + kEnd), "bytes of long names"));
  EXPECT_TRUE(contains(refused(good + kEnd + good), "offset 2048: there is something behind the archive's end"));
  EXPECT_TRUE(contains(refused("GIF89a" + std::string(2000, 'x')), "offset 148: bad checksum"));
}

TEST_F(Tar, WhatIsNotHandledIsNamed) {
  const auto unsupported = [&](const std::string& tar) { return refused(tar, ErrorCode::kUnsupported); };
  EXPECT_TRUE(contains(unsupported("\x1f\x8b" + std::string(1000, 'x')), "is compressed by gzip; decompress it"));
  EXPECT_TRUE(contains(unsupported("\x28\xb5\x2f\xfd"), "zstd"));
  EXPECT_TRUE(contains(unsupported("BZh9"), "bzip2"));
  EXPECT_TRUE(contains(unsupported("\xfd" + std::string("7zXZ\0", 5)), "xz"));
  EXPECT_TRUE(contains(unsupported("\x04\x22\x4d\x18"), "lz4"));
  EXPECT_TRUE(contains(unsupported(member("1", "", 'S') + kEnd), "offset 0: a sparse file"));
  EXPECT_TRUE(contains(unsupported(member("1", "", 'M') + kEnd), "another volume"));
  EXPECT_TRUE(
      contains(unsupported(member("p", record("GNU.sparse.major=1"), 'x') + kEnd), "offset 512: a sparse file"));
  for (const char* one : {"path=x", "linkpath=x", "size=1"})
    EXPECT_TRUE(contains(unsupported(member("p", record(one), 'g') + kEnd), "one name or size for all members"));
}

TEST_F(Tar, HardLinksAreFollowedAndOthersCounted) {
  const std::string long_name = std::string(120, 'x') + ".jpg";
  const std::string tar = member("blob", "data") + link("1.jpg", '1', "blob") +
                          member("./@LongLink", long_name + '\0', 'K') + link("2.jpg", '1', "cut") +
                          member("p", record("path=" + long_name), 'x') + member("cut", "more") +
                          link("3.jpg", '1', "none") + link("4.jpg", '2', "1.jpg") + link("notes", '2', "1.jpg") +
                          link("5.jpg", '1', "1.jpg") + member("other.txt", "x") + kEnd;
  write_file(path_, tar);
  std::vector<std::string> notes;
  const auto images = images_of_tar(path_, [&](const std::string& note) { notes.push_back(note); });
  ASSERT_EQ(images.size(), 3u);
  EXPECT_EQ(tar.substr(images[0].offset, images[0].bytes), "data");
  EXPECT_EQ(tar.substr(images[1].offset, images[1].bytes), "more");
  EXPECT_EQ(images[2].member, long_name);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_TRUE(
      contains(notes[0], "a.tar: 3 links to images left out, which lead to no file in it (the first is '4.jpg')"))
      << notes[0];
  write_file(path_, link("1.jpg", '2', "x") + kEnd);
  EXPECT_EQ(error_of([&] { images_of_tar(path_); }).code(), ErrorCode::kUsage);
  write_file(path_, link("1.jpg", '2', "x") + member("2.jpg", "two") + kEnd);
  notes.clear();
  EXPECT_EQ(images_of_tar(path_, [&](const std::string& note) { notes.push_back(note); }).size(), 1u);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_TRUE(contains(notes[0], "1 link to images left out")) << notes[0];
  write_file(path_, member("2.jpg", "two") + kEnd);
  images_of_tar(path_, [](const std::string& note) { ADD_FAILURE() << note; });
}

TEST_F(Tar, ItsImagesAreThoseOfFiles) {
  const fs::path root = small_data_set(folder_, 3);
  std::string tar;
  std::vector<ListedImage> files;
  for (int i = 1; i <= 3; ++i) {
    files.push_back({(root / fmt::format("val2017/{:012d}.jpg", i)).string(), fmt::format("{}.jpg", i)});
    tar += member(fmt::format("a.b/{}.left.JPG", i), read_file(files.back().file)) +
           member(fmt::format("a.b/{}.cls", i), "7");
  }
  write_file(path_, tar + member("a.b/._1.jpg", "x") + kEnd);
  std::vector<ListedImage> images = images_of_tar(path_);
  ASSERT_EQ(images.size(), 3u);
  EXPECT_EQ(images[1].name(), path_.string() + "/a.b/2.left.JPG");
  EXPECT_EQ(key_of(images[1]), "a.b/2");
  const auto found = [&](const std::vector<ListedImage>& list, const DetectImagesOptions& options = {}) {
    return detect_images(list, tiny_model(), options, 1).images;
  };
  const auto in_files = found(files), in_tar = found(images);
  for (size_t i = 0; i < 3; ++i) {
    ASSERT_EQ(in_tar[i].detections.size(), in_files[i].detections.size());
    for (size_t k = 0; k < in_tar[i].detections.size(); ++k)
      EXPECT_EQ(in_tar[i].detections[k].score, in_files[i].detections[k].score);
    EXPECT_EQ(in_tar[i].key, fmt::format("a.b/{}", i + 1));
  }
  const auto shard = [&](size_t index) {
    found(images, {.shard = {index, 2}, .journal = folder_ / std::to_string(index)});
    return folder_ / std::to_string(index);
  };
  EXPECT_EQ(merge_detections({shard(0), shard(1)}, folder_ / "merged.json").images[2].key, "a.b/3");
  EXPECT_EQ(load_json(folder_ / "merged.json")[0]["key"], "a.b/1");

  fs::resize_file(path_, images[2].offset + 10);
  std::vector<std::string> told;
  DetectImagesOptions options;
  options.on_failure = [&](const ImageFailure& failure) { told.push_back(failure.message); };
  EXPECT_EQ(found(images, options).size(), 2u);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(contains(told[0], "a.tar/a.b/3.left.JPG: the tar file has become shorter")) << told[0];
  write_file(path_, member("1.txt", "x") + kEnd);
  EXPECT_EQ(error_of([&] { images_of_tar(path_); }).code(), ErrorCode::kUsage);
}

}  // namespace
}  // namespace effdet::dataset
