// Downloads from a server of the test's own.
#include "fetch/download.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "fetch/http_server.h"
#include "fetch/sha256.h"
#include "support/test_folder.h"

namespace effdet::fetch {
namespace {

namespace fs = std::filesystem;
using test::TestFolder;

class Download : public testing::Test {
 protected:
  void SetUp() override {
    for (size_t i = 0; i < 300'000; ++i) content_ += static_cast<char>(i * i >> 4);
    write_file(folder_ / "original", content_, false);
    name_ = "d0-" + sha256_of(folder_ / "original").substr(0, 8) + ".pth";
  }

  fs::path target() const { return folder_ / name_; }
  fs::path part() const { return folder_ / (name_ + ".part"); }

  HttpServer::Response rest_of_content(const HttpServer::Request& request) const {
    if (request.range_start < 0) return {.headers = {}, .body = content_};
    return {.status = "206 Partial Content",
            .headers = "Content-Range: bytes " + std::to_string(request.range_start) + "-" +
                       std::to_string(content_.size() - 1) + "/" + std::to_string(content_.size()) + "\r\n",
            .body = content_.substr(static_cast<size_t>(request.range_start))};
  }

  Error error_of(const std::string& url, DownloadOptions options = {}) const {
    try {
      options.folder = folder_.path();
      download(url, options);
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorCode::kInternal, "no error");
  }

  /// Files beside the original: nothing shall be left behind.
  size_t leftovers() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_.path()), {})) - 1;
  }

  const TestFolder folder_{"fetch"};
  std::string content_, name_;
};

TEST(Sha256, OfAKnownText) {
  const TestFolder folder("fetch");
  const fs::path path = folder / "abc";
  write_file(path, "abc", false);
  EXPECT_EQ(sha256_of(path), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(ChecksumInName, IsWhatTorchHubPutsThere) {
  EXPECT_EQ(checksum_in_name("tf_efficientdet_d0_34-f153e0cf.pth"), "f153e0cf");
  EXPECT_EQ(checksum_in_name("d0-f153e0c.pth"), "");
  EXPECT_EQ(checksum_in_name("d0-best-one.pth"), "");
  EXPECT_EQ(checksum_in_name("d0"), "");
}

TEST(FileName, IsThatOfTheAddress) {
  EXPECT_EQ(file_name_of("https://example.org/a/b-1.pth?x=/y#z"), "b-1.pth");
  for (const char* url : {"", "b.pth", "ftp://host/b.pth", "https://host", "https://host/", "https://host/..",
                          "https://host/%2e%2e%2fb", "file:///etc/passwd", "https://host/.hidden"})
    EXPECT_THROW(file_name_of(url), Error) << url;
}

TEST(CacheFolder, FollowsXdg) {
  ::setenv("XDG_CACHE_HOME", "/some/cache", 1);
  EXPECT_EQ(cache_folder(), "/some/cache/effdet");
  ::setenv("XDG_CACHE_HOME", "relative", 1);  // to be ignored, the specification says
  ::setenv("HOME", "/home/somebody", 1);
  EXPECT_EQ(cache_folder(), "/home/somebody/.cache/effdet");
  ::unsetenv("HOME");
  EXPECT_THROW(cache_folder(), Error);
}

TEST_F(Download, OnceAndThenFromTheFolder) {
  HttpServer server([&](const auto& request) { return rest_of_content(request); });
  uint64_t last = 0, total = 0;
  const auto progress = [&](uint64_t done, uint64_t all) {
    last = done;
    total = std::max(total, all);
  };
  const auto path = download(server.url("/x/" + name_), {.folder = folder_.path(), .progress = progress});
  EXPECT_EQ(path, target());
  EXPECT_EQ(read_file(path), content_);
  EXPECT_EQ(last, content_.size());
  EXPECT_EQ(total, content_.size());
  EXPECT_FALSE(fs::exists(part()));
  download(server.url("/x/" + name_), {.folder = folder_.path()});
  EXPECT_EQ(server.requests(), 1);
  write_file(target(), "damaged", false);
  EXPECT_EQ(read_file(download(server.url("/x/" + name_), {.folder = folder_.path()})), content_);
}

TEST_F(Download, GoesOnWhereItWasBrokenOff) {
  write_file(part(), std::string_view(content_).substr(0, 100'000), false);
  long asked = -1;
  HttpServer server([&](const auto& request) {
    asked = request.range_start;
    return rest_of_content(request);
  });
  EXPECT_EQ(read_file(download(server.url("/" + name_), {.folder = folder_.path()})), content_);
  EXPECT_EQ(asked, 100'000);
}

TEST_F(Download, ABrokenConnectionIsTakenUpAgain) {
  int answers = 0;
  HttpServer server([&](const auto& request) {
    HttpServer::Response response = rest_of_content(request);
    if (++answers < 3) response.cut = response.body.size() / 2;
    return response;
  });
  EXPECT_EQ(read_file(download(server.url("/" + name_), {.folder = folder_.path()})), content_);
  EXPECT_EQ(answers, 3);
}

TEST_F(Download, AServerThatDoesNotResumeSendsAll) {
  write_file(part(), std::string_view(content_).substr(0, 100'000), false);
  HttpServer server([&](const auto&) { return HttpServer::Response{.headers = {}, .body = content_}; });
  EXPECT_EQ(read_file(download(server.url("/" + name_), {.folder = folder_.path()})), content_);
}

TEST_F(Download, ACutDownloadLeavesItsPart) {
  HttpServer server([&](const auto& request) {
    HttpServer::Response response = rest_of_content(request);
    response.cut = response.body.size() - 1000;
    return response;
  });
  const Error error = error_of(server.url("/" + name_));
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_NE(std::string(error.what()).find("broke off after 3000 bytes"), std::string::npos) << error.what();
  EXPECT_FALSE(fs::exists(target()));
  EXPECT_EQ(fs::file_size(part()), 3000u);
}

TEST_F(Download, AWrongChecksumIsRefused) {
  HttpServer server([&](const auto&) { return HttpServer::Response{.headers = {}, .body = "something else"}; });
  const Error error = error_of(server.url("/" + name_));
  EXPECT_EQ(error.code(), ErrorCode::kBadInput);
  EXPECT_NE(std::string(error.what()).find("SHA-256"), std::string::npos) << error.what();
  EXPECT_FALSE(fs::exists(target()));
  EXPECT_FALSE(fs::exists(part()));
}

TEST_F(Download, RedirectsAreFollowedWithinTheWeb) {
  HttpServer server([&](const HttpServer::Request& request) {
    if (request.path == "/old/" + name_)
      return HttpServer::Response{.status = "302 Found", .headers = "Location: /new/" + name_ + "\r\n", .body = {}};
    if (request.path == "/local/" + name_)
      return HttpServer::Response{.status = "302 Found", .headers = "Location: file:///etc/passwd\r\n", .body = {}};
    return rest_of_content(request);
  });
  EXPECT_EQ(error_of(server.url("/local/" + name_)).code(), ErrorCode::kIo);
  EXPECT_EQ(read_file(download(server.url("/old/" + name_), {.folder = folder_.path()})), content_);
}

TEST_F(Download, ErrorsOfServerAndNetworkAreNamed) {
  std::string gone;
  {
    HttpServer server(
        [](const auto&) { return HttpServer::Response{.status = "404 Not Found", .headers = {}, .body = "no"}; });
    gone = server.url("/" + name_);
    const std::string message = error_of(gone).what();
    EXPECT_NE(message.find("status 404"), std::string::npos) << message;
  }
  const Error error = error_of(gone);
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_NE(std::string(error.what()).find("cannot be reached"), std::string::npos) << error.what();
  EXPECT_NE(std::string(error.what()).find("--mirror"), std::string::npos) << error.what();
}

TEST_F(Download, NamesWithoutChecksumAreFetchedAnew) {
  write_file(folder_ / "d0.pth.part", "of an earlier version", false);
  HttpServer server([&](const auto& request) { return rest_of_content(request); });
  EXPECT_EQ(read_file(download(server.url("/d0.pth"), {.folder = folder_.path()})), content_);
}

TEST_F(Download, LargerFilesThanAllowedAreRefusedWhenAnnounced) {
  HttpServer server([&](const auto& request) { return rest_of_content(request); });
  for (const std::string& name : {name_, std::string("d0.pth")}) {
    const Error error = error_of(server.url("/" + name), {.max_bytes = content_.size() - 1});
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    EXPECT_NE(std::string(error.what()).find("larger than 299999 bytes"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("--max-size"), std::string::npos) << error.what();
    EXPECT_EQ(leftovers(), 0u) << name;
  }
  EXPECT_EQ(server.requests(), 2);
  EXPECT_EQ(read_file(download(server.url("/" + name_), {.folder = folder_.path(), .max_bytes = content_.size()})),
            content_);
}

TEST_F(Download, AnEndlessAnswerEndsAtTheLimit) {
  HttpServer server([&](const auto&) {
    return HttpServer::Response{.headers = {}, .body = content_, .announced = false, .endless = true};
  });
  for (const std::string& name : {name_, std::string("d0.pth")}) {
    const Error error = error_of(server.url("/" + name), {.max_bytes = 5'000'000});
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    EXPECT_NE(std::string(error.what()).find("larger than 5000000 bytes"), std::string::npos) << error.what();
    EXPECT_EQ(leftovers(), 0u) << name;
  }
}

TEST_F(Download, ALargePartOfAnEarlierRunIsRefusedToo) {
  write_file(part(), std::string_view(content_).substr(0, 200'000), false);
  HttpServer server([&](const auto& request) { return rest_of_content(request); });
  EXPECT_EQ(error_of(server.url("/" + name_), {.max_bytes = 250'000}).code(), ErrorCode::kBadInput);
  EXPECT_EQ(leftovers(), 0u);
}

TEST_F(Download, AServerThatFallsSilentIsGivenUp) {
  int answers = 0;
  HttpServer server([&](const HttpServer::Request& request) {
    HttpServer::Response response = rest_of_content(request);
    if (++answers == 1) response.cut = content_.size() - 500;
    if (answers == 2) response.cut = response.body.size();
    response.stalls = true;
    return response;
  });
  const Error error = error_of(server.url("/" + name_), {.stall_seconds = 1});
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_NE(std::string(error.what()).find("broke off after 500 bytes"), std::string::npos) << error.what();
  EXPECT_EQ(answers, 2) << "once more, as something had come; then it is enough";
  EXPECT_EQ(fs::file_size(part()), 500u);
}

TEST_F(Download, APartOfAnotherFileIsNotThePartOfThisOne) {
  write_file(part(), std::string(100'000, 'x'), false);
  HttpServer server([&](const auto& request) { return rest_of_content(request); });
  EXPECT_EQ(read_file(download(server.url("/" + name_), {.folder = folder_.path()})), content_);
  EXPECT_EQ(server.requests(), 2);
}

TEST_F(Download, EmptyFilesAreRefused) {
  HttpServer server([&](const auto&) { return HttpServer::Response{.headers = {}, .body = {}}; });
  for (const std::string& name : {name_, std::string("d0.pth")}) {
    const Error error = error_of(server.url("/" + name));
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    EXPECT_NE(std::string(error.what()).find("empty file"), std::string::npos) << error.what();
    EXPECT_EQ(leftovers(), 0u);
  }
}

TEST_F(Download, LoopsOfRedirectsEnd) {
  HttpServer server([&](const auto&) {
    return HttpServer::Response{.status = "302 Found", .headers = "Location: /again/" + name_ + "\r\n", .body = {}};
  });
  EXPECT_EQ(error_of(server.url("/" + name_)).code(), ErrorCode::kIo);
  EXPECT_LE(server.requests(), 6);
  EXPECT_EQ(leftovers(), 0u);
}

TEST_F(Download, LinksInTheFolderAreFollowed) {
  fs::create_directory(folder_ / "blobs");
  fs::create_symlink("blobs/1", target());
  HttpServer server([&](const auto& request) { return rest_of_content(request); });
  EXPECT_EQ(download(server.url("/" + name_), {.folder = folder_.path()}), target());
  EXPECT_TRUE(fs::is_symlink(target()));
  EXPECT_EQ(read_file(folder_ / "blobs/1"), content_);
  write_file(folder_ / "blobs/1", "damaged", false);
  fs::permissions(folder_ / "blobs/1", fs::perms(0600));
  EXPECT_EQ(read_file(download(server.url("/" + name_), {.folder = folder_.path()})), content_);
  EXPECT_TRUE(fs::is_symlink(target()));
  EXPECT_EQ(fs::status(target()).permissions(), fs::perms(0600));
  EXPECT_EQ(leftovers(), 2u);
}

}  // namespace
}  // namespace effdet::fetch
