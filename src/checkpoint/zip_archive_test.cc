// Stored and compressed records, records used in place, and archives written and read back.
#include "checkpoint/zip_archive.h"

#include <gtest/gtest.h>

#include "checkpoint/quoted.h"
#include "checkpoint/test_files.h"
#include "checkpoint/zip_writer.h"

namespace effdet::checkpoint {
namespace {

/// An archive and what must outlive it.
struct Opened {
  explicit Opened(const std::filesystem::path& path)
      : file(path), budget(path.string(), file.size()), archive(file, budget) {}
  MappedFile file;
  Budget budget;
  ZipArchive archive;
};

std::string_view text(const Opened& zip, std::string_view name) {
  const ZipEntry* entry = zip.archive.find(name);
  if (entry == nullptr) return "(missing)";
  const auto bytes = zip.archive.read(*entry);
  static std::string copy;
  copy.assign(reinterpret_cast<const char*>(bytes.get()), entry->size);
  return copy;
}

TEST(ZipArchive, StoredRecordsAreUsedInPlace) {
  const TempFile temp(make_zip({{"a/one", "first"}, {"a/two", std::string(1000, 'x'), true}, {"a/none", ""}}));
  const Opened zip(temp.path());
  ASSERT_EQ(zip.archive.entries().size(), 3u);
  EXPECT_EQ(text(zip, "a/one"), "first");
  EXPECT_EQ(text(zip, "a/two"), std::string(1000, 'x'));
  EXPECT_EQ(text(zip, "a/none"), "");
  EXPECT_EQ(text(zip, "a/three"), "(missing)");
  const ZipEntry& one = *zip.archive.find("a/one");
  EXPECT_EQ(zip.archive.read(one).get(), zip.file.bytes().data() + one.data_offset);
  EXPECT_LT(zip.archive.find("a/two")->compressed_size, 100u);
}

TEST(ZipWriter, AlignsAndRoundTrips) {
  const TempFile temp;
  AtomicFile file(temp.path());
  ZipWriter writer(file);
  for (int i = 0; i < 70; ++i)
    writer.add("top/" + std::string(static_cast<size_t>(i + 1), 'n'), std::string_view("data"));
  writer.add("top/empty", std::string_view());
  writer.finish();
  file.commit(false);
  const Opened zip(temp.path());
  EXPECT_EQ(zip.archive.entries().size(), 71u);
  for (const ZipEntry& entry : zip.archive.entries()) {
    EXPECT_EQ(entry.data_offset % 64, 0u) << entry.name;
    EXPECT_EQ(text(zip, entry.name), entry.size == 0 ? "" : "data");
  }
}

TEST(Quoted, IsOneSafeLine) {
  EXPECT_EQ(quote_text("archive/data.pkl"), "'archive/data.pkl'");
  EXPECT_EQ(quote_text("a\nb\x1b\xff"), "'a\\x0ab\\x1b\\xff'");
  EXPECT_EQ(quote_text(std::string(200, 'x')), "'" + std::string(100, 'x') + "...'");
  EXPECT_TRUE(is_clean_utf8("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"));
  EXPECT_FALSE(is_clean_utf8("\xe2\x82"));
}

}  // namespace
}  // namespace effdet::checkpoint
