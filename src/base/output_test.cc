// Outputs onto what is there already, and files that are not finished.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_file.h"
#include "support/child.h"
#include "support/test_folder.h"

namespace effdet::inline base {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kSomebody = 1234, kNobody = 65534;

class Outputs : public testing::Test {
 protected:
  size_t entries() const { return static_cast<size_t>(std::distance(fs::directory_iterator(folder_.path()), {})); }
  fs::path old_file(mode_t mode = 0644) const {
    std::ofstream(folder_ / "a") << "old and longer than what comes";
    ::chmod((folder_ / "a").c_str(), mode);
    return folder_ / "a";
  }
  /// The message of the error; "" where there is none.
  static std::string refusal(const fs::path& path) {
    try {
      check_output_path(path);
      write_file(path, std::string_view("new"));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kIo);
      return error.what();
    }
    return "";
  }
  static struct stat status(const fs::path& path) {
    struct stat info {};
    EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
    return info;
  }
  /// Runs a task in a child process; true where it returns true.
  static bool in_child(const std::function<bool()>& task) {
    return test::state_of_child([&] { return task() ? 0 : 1; }) == 0;
  }

  const test::TestFolder folder_{"output"};
};

TEST_F(Outputs, LinksAreFollowed) {
  fs::create_directories(folder_ / "deep/er");
  old_file();
  fs::create_symlink("../a", folder_ / "deep/to_a");
  fs::create_symlink(folder_ / "deep/to_a", folder_ / "link");
  const auto before = status(folder_ / "a").st_ino;
  EXPECT_EQ(refusal(folder_ / "link"), "");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link") && fs::is_symlink(folder_ / "deep/to_a"));
  EXPECT_EQ(read_file(folder_ / "a"), "new");
  EXPECT_NE(status(folder_ / "a").st_ino, before) << "not replaced as a whole";
  fs::create_symlink("deep/er/not_yet", folder_ / "dangling");
  EXPECT_EQ(refusal(folder_ / "dangling"), "");
  EXPECT_EQ(read_file(folder_ / "deep/er/not_yet"), "new");
  EXPECT_TRUE(fs::is_symlink(folder_ / "dangling"));
}

TEST_F(Outputs, LinksThatLeadNowhereAreRefused) {
  fs::create_symlink("loop", folder_ / "loop");
  EXPECT_NE(refusal(folder_ / "loop").find("Too many levels of symbolic links"), std::string::npos);
  fs::create_symlink("no_folder/a", folder_ / "link");
  const std::string message = refusal(folder_ / "link");
  EXPECT_NE(message.find("no_folder/a: cannot write: No such file"), std::string::npos) << message;
  try {
    make_folder(folder_ / "link");
    ADD_FAILURE() << "made a folder";
  } catch (const Error& error) {
    EXPECT_TRUE(std::string(error.what()).ends_with("a symbolic link of that name leads nowhere")) << error.what();
  }
  fs::create_symlink(".", folder_ / "folder");
  EXPECT_NE(refusal(folder_ / "folder").find("it is a folder"), std::string::npos);
}

TEST_F(Outputs, OtherHardLinksKeepTheOldContent) {
  fs::create_hard_link(old_file(), folder_ / "b");
  EXPECT_EQ(refusal(folder_ / "a"), "");
  EXPECT_EQ(read_file(folder_ / "a"), "new");
  EXPECT_EQ(read_file(folder_ / "b"), "old and longer than what comes");
}

TEST_F(Outputs, ModeAndOwnerStay) {
  for (const mode_t mode : {0600, 0640, 0666, 02640, 0755}) {
    old_file(mode);
    EXPECT_EQ(refusal(folder_ / "a"), "");
    EXPECT_EQ(status(folder_ / "a").st_mode & 07777, mode);
  }
  if (::geteuid() != 0) return;
  ASSERT_EQ(::chown(old_file(0640).c_str(), kSomebody, kSomebody + 1), 0);
  EXPECT_EQ(refusal(folder_ / "a"), "");
  EXPECT_EQ(status(folder_ / "a").st_uid, kSomebody);
  EXPECT_EQ(status(folder_ / "a").st_gid, kSomebody + 1);
  EXPECT_EQ(status(folder_ / "a").st_mode & 07777, 0640u);
}

TEST_F(Outputs, UnfinishedFilesAreAsPrivateAsTheOldOne) {
  const AtomicFile file(old_file(0600));
  for (const auto& entry : fs::directory_iterator(folder_.path()))
    EXPECT_EQ(status(entry.path()).st_mode & 0777, 0600u) << entry.path();
  EXPECT_EQ(entries(), 2u);
}

TEST_F(Outputs, AttributesStay) {
  const std::string path = old_file();
  if (::setxattr(path.c_str(), "user.effdet", "kept", 4, 0) != 0) GTEST_SKIP() << "no extended attributes here";
  EXPECT_EQ(refusal(path), "");
  char value[8];
  EXPECT_EQ(::getxattr(path.c_str(), "user.effdet", value, sizeof value), 4);
}

/// An access control list in the kernel's form: version 2, then tag, permissions and id of each entry.
std::string access_list(std::initializer_list<std::array<uint32_t, 3>> entries) {
  std::string text("\2\0\0\0", 4);
  for (const auto& [tag, permissions, id] : entries) {
    const uint16_t half[2] = {static_cast<uint16_t>(tag), static_cast<uint16_t>(permissions)};
    text.append(reinterpret_cast<const char*>(half), sizeof half).append(reinterpret_cast<const char*>(&id), sizeof id);
  }
  return text;
}

TEST_F(Outputs, AccessControlListsAreNotWidened) {
  constexpr uint32_t kUserObject = 1, kUser = 2, kGroupObject = 4, kMask = 0x10, kOther = 0x20, kNoId = UINT32_MAX;
  const std::string list = access_list({{kUserObject, 6, kNoId},
                                        {kUser, 6, kSomebody},
                                        {kGroupObject, 0, kNoId},
                                        {kMask, 6, kNoId},
                                        {kOther, 0, kNoId}});
  const auto set = [&](const fs::path& path, const char* name) {
    return ::setxattr(path.c_str(), name, list.data(), list.size(), 0) == 0;
  };
  const auto size_of_list = [](const fs::path& path) {
    return ::getxattr(path.c_str(), "system.posix_acl_access", nullptr, 0);
  };
  if (!set(old_file(), "system.posix_acl_access")) GTEST_SKIP() << "no access control lists here";
  EXPECT_EQ(refusal(folder_ / "a"), "");
  EXPECT_EQ(size_of_list(folder_ / "a"), static_cast<ssize_t>(list.size()));
  // The folder gives new files a list; the old file had none.
  std::ofstream(folder_ / "private") << "old";
  ::chmod((folder_ / "private").c_str(), 0600);
  ASSERT_TRUE(set(folder_.path(), "system.posix_acl_default"));
  EXPECT_EQ(refusal(folder_ / "private"), "");
  EXPECT_LT(size_of_list(folder_ / "private"), 0);
  EXPECT_EQ(status(folder_ / "private").st_mode & 0777, 0600u);
}

TEST_F(Outputs, DevicesAndPipesAreWrittenTo) {
  const fs::path fifo = folder_ / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::string received;
  std::thread reader([&] {
    std::ifstream file(fifo);
    std::getline(file, received, '\0');
  });
  EXPECT_EQ(refusal(fifo), "");
  reader.join();
  EXPECT_EQ(received, "new");
  EXPECT_TRUE(fs::is_fifo(fifo));
  EXPECT_EQ(refusal("/dev/null"), "");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  if (!fs::exists("/dev/full")) return;
  EXPECT_NE(refusal("/dev/full").find("/dev/full: cannot write: No space"), std::string::npos);
}

TEST_F(Outputs, DescriptorsGoOnWhereTheyAre) {
  const fs::path path = folder_ / "a";
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT, 0600);
  ASSERT_EQ(::write(file, "before ", 7), 7);
  const std::string number = std::to_string(file);
  fs::create_symlink("/proc/self/fd/" + number, folder_ / "link");
  for (const fs::path& name : {fs::path("/dev/fd/" + number), fs::path("/proc/self/fd/" + number), folder_ / "link"})
    EXPECT_EQ(refusal(name), "") << name;
  ::close(file);
  EXPECT_EQ(read_file(path), "before newnewnew");
  EXPECT_NE(refusal("/dev/fd/" + number).find("Bad file descriptor"), std::string::npos);
  const int reading = ::open(path.c_str(), O_RDONLY);
  EXPECT_NE(refusal("/dev/fd/" + std::to_string(reading)).find("open for reading"), std::string::npos);
  ::close(reading);
}

TEST_F(Outputs, SocketsAreRefusedAndDescriptorsOfThemWrittenTo) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  const std::string path = folder_ / "socket";
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_NE(refusal(path).find("it is a socket"), std::string::npos);
  EXPECT_TRUE(fs::is_socket(path));
  ::close(listener);
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  EXPECT_EQ(refusal("/dev/fd/" + std::to_string(pair[0])), "");
  char text[4] = "";
  EXPECT_EQ(::read(pair[1], text, 3), 3);
  EXPECT_STREQ(text, "new");
  ::close(pair[0]);
  ::close(pair[1]);
}

TEST_F(Outputs, BlockDevicesAreRefused) {
  const std::string path = folder_ / "disk";
  if (::mknod(path.c_str(), S_IFBLK | 0600, makedev(7, 250)) != 0) GTEST_SKIP() << "needs root to make one";
  EXPECT_NE(refusal(path).find("block device"), std::string::npos);
}

TEST_F(Outputs, ProtectedFilesAreRefused) {
  if (::geteuid() != 0) {
    EXPECT_NE(refusal(old_file(0444)).find("Permission denied"), std::string::npos);
    return;
  }
  fs::permissions(folder_.path(), fs::perms(0777));
  const fs::path path = old_file(0444);
  ASSERT_EQ(::chown(path.c_str(), kNobody, kNobody), 0);
  EXPECT_TRUE(in_child([&] {
    return ::setgid(kNobody) == 0 && ::setuid(kNobody) == 0 &&
           refusal(path).find("Permission denied") != std::string::npos;
  }));
  EXPECT_EQ(read_file(path), "old and longer than what comes");
}

TEST_F(Outputs, AFileInAFolderWhereNothingMayBeMadeIsFilled) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  const fs::path path = old_file(0666);
  fs::permissions(folder_.path(), fs::perms(0755));
  const auto before = status(path).st_ino;
  EXPECT_TRUE(in_child([&] { return ::setgid(kNobody) == 0 && ::setuid(kNobody) == 0 && refusal(path).empty(); }));
  EXPECT_EQ(read_file(path), "new");
  EXPECT_EQ(status(path).st_ino, before);
  EXPECT_EQ(status(path).st_uid, 0u);
}

TEST_F(Outputs, AFileWhoseOwnerCannotBeKeptIsFilled) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  const fs::path path = old_file(0666);
  for (const mode_t folder_mode : {0777, 01777}) {  // the second: only owners may replace their files, as in /tmp
    ::chmod(folder_.path().c_str(), folder_mode);
    EXPECT_TRUE(in_child([&] { return ::setgid(kNobody) == 0 && ::setuid(kNobody) == 0 && refusal(path).empty(); }));
    EXPECT_EQ(read_file(path), "new");
    EXPECT_EQ(status(path).st_uid, 0u);
    EXPECT_EQ(entries(), 1u);
  }
}

TEST_F(Outputs, AMountedFileIsFilled) {
  const fs::path path = old_file();
  std::ofstream(folder_ / "behind") << "old";
  const auto mount_and_write = [&](unsigned long flags) {
    return ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount((folder_ / "behind").c_str(), path.c_str(), nullptr, MS_BIND, nullptr) == 0 &&
           (flags == 0 || ::mount(nullptr, path.c_str(), nullptr, MS_BIND | MS_REMOUNT | flags, nullptr) == 0);
  };
  if (!in_child([&] { return mount_and_write(0); })) GTEST_SKIP() << "may not mount here";
  EXPECT_TRUE(in_child([&] { return mount_and_write(0) && refusal(path).empty() && read_file(path) == "new"; }));
  EXPECT_EQ(read_file(folder_ / "behind"), "new");
  EXPECT_TRUE(in_child(
      [&] { return mount_and_write(MS_RDONLY) && refusal(path).find("Read-only file system") != std::string::npos; }));
  EXPECT_EQ(read_file(path), "old and longer than what comes");
  EXPECT_EQ(entries(), 2u);
}

TEST_F(Outputs, WithoutCommitWhatIsFilledStays) {
  const fs::path path = folder_ / "fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
  { AtomicFile(path).write(std::string(100000, 'x')); }
  char byte = 0;
  EXPECT_EQ(::read(reader, &byte, 1), 0) << "nothing shall come";
  ::close(reader);
}

TEST_F(Outputs, AFolderWhereNothingMayBeMadeIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  fs::permissions(folder_.path(), fs::perms(0755));
  EXPECT_TRUE(in_child([&] {
    if (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) return false;
    try {
      make_folder(folder_.path());
    } catch (const Error& error) {
      return error.code() == ErrorCode::kIo;
    }
    return false;
  }));
}

TEST_F(Outputs, NamesThatAreNone) {
  EXPECT_THROW(check_output_path(""), Error);
  fs::create_directory(folder_ / "folder");
  EXPECT_EQ(refusal(folder_ / "folder"), (folder_ / "folder").string() + ": cannot write: it is a folder");
  EXPECT_NE(refusal("/dev/fd/99999").find("cannot write"), std::string::npos);
  EXPECT_NE(refusal("/dev/fd/-1"), "");
  EXPECT_NE(refusal("/dev/fd/1x"), "");
  EXPECT_NE(refusal(folder_ / std::string(300, 'n')), "");
}

TEST_F(Outputs, ANameWithoutAFolderIsOfTheCurrentOne) {
  EXPECT_TRUE(in_child([&] {
    if (::chdir(folder_.path().c_str()) != 0) return false;
    write_file("plain", std::string_view("new"));
    ::symlink("plain", "link");
    write_file("link", std::string_view("newer"));
    return read_file("plain") == "newer" && entries() == 2;
  }));
}

TEST(TemporaryName, IsToldFromOthers) {
  EXPECT_TRUE(is_temporary_name("a/b.onnx.effdet-0123abcd-0123456789abcdef.tmp"));
  for (const char* name : {"", ".tmp", "a.onnx", "a.123.0.tmp", ".effdet-0123abcd-0123456789abcde.tmp",
                           "a.effdet-0123abcd-0123456789abcdeg.tmp", "a.effdet-0123abcd_0123456789abcdef.tmp",
                           "a.effdet-0123ABCD-0123456789abcdef.tmp", "a.effdet-0123abcd-0123456789abcdef.tmp.om"})
    EXPECT_FALSE(is_temporary_name(name)) << name;
}

/// Temporary files of other runs, in a folder that this process has not written to yet.
class StaleFiles : public Outputs {
 protected:
  /// A file as a run of this boot leaves it, or one of another machine.
  fs::path leave(bool of_this_boot = true) const {
    const test::TestFolder elsewhere("stale");
    TemporaryFile file = make_temporary_file(elsewhere / "left", 0600);
    std::string name = fs::path(file.path).filename();
    char& digit = name[name.find("effdet-") + 7];
    if (!of_this_boot) digit = digit == '0' ? '1' : '0';
    fs::rename(file.path, folder_ / name);
    ::close(file.descriptor);
    return folder_ / name;
  }
  void write() const { write_file(folder_ / "b", std::string_view("new")); }
};

TEST_F(StaleFiles, OfDeadRunsAreRemoved) {
  const fs::path stale = leave();
  write();
  EXPECT_FALSE(fs::exists(stale));
}

TEST_F(StaleFiles, OfLiveRunsStay) {
  const fs::path live = leave();
  const int descriptor = ::open(live.c_str(), O_RDWR);
  ASSERT_EQ(::flock(descriptor, LOCK_EX), 0);  // as one that lives, in whichever container
  write();
  EXPECT_TRUE(fs::exists(live));
  ::close(descriptor);
}

TEST_F(StaleFiles, OfOtherMachinesStayForADay) {
  const fs::path foreign = leave(false);
  fs::copy_file(foreign, folder_ / "copy");
  write();
  EXPECT_TRUE(fs::exists(foreign));
  const test::TestFolder other("output");
  const fs::path old = other / foreign.filename();
  fs::copy_file(foreign, old);
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours(25));
  write_file(other / "b", std::string_view("new"));
  EXPECT_FALSE(fs::exists(old));
}

TEST_F(StaleFiles, OthersAndWhatIsNoFileStay) {
  const fs::path stale = leave();
  const std::string name = stale.filename();
  fs::remove(stale);
  fs::create_directory(folder_ / name);
  std::ofstream(folder_ / "target") << "kept";
  fs::create_symlink("target", folder_ / ("link" + name));
  std::ofstream(folder_ / (name + ".txt")) << "kept";
  if (::geteuid() == 0) {
    std::ofstream(folder_ / ("others" + name)) << "kept";
    ASSERT_EQ(::chown((folder_ / ("others" + name)).c_str(), kSomebody, kSomebody), 0);
  }
  const size_t before = entries();
  write();
  EXPECT_EQ(entries(), before + 1);
}

TEST_F(StaleFiles, ManyWritersAtOnceLoseNothing) {
  constexpr int kWriters = 8, kFiles = 40;
  std::vector<pid_t> children;
  for (int i = 0; i < kWriters; ++i) {
    children.push_back(::fork());
    if (children.back() == 0) {
      for (int k = 0; k < kFiles; ++k) write_file(folder_ / "same", std::to_string(i), /*sync=*/false);
      std::_Exit(0);
    }
  }
  for (const pid_t child : children) {
    int state = 0;
    ::waitpid(child, &state, 0);
    EXPECT_EQ(state, 0);
  }
  EXPECT_EQ(entries(), 1u);
}

}  // namespace
}  // namespace effdet::inline base
