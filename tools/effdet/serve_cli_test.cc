// effdet serve from the command line: settings that it refuses, and its beginning and end.
#include <gtest/gtest.h>

#include <string>

#include "support/shell.h"
#include "support/test_folder.h"

namespace effdet::cli {
namespace {

class ServeCli : public testing::Test {
 protected:
  test::Result sh(const std::string& line) const { return test::run_in(folder_.path(), line); }

  const test::TestFolder folder_{"serve_cli"};
  const std::string serve_ = "timeout --foreground 60 effdet serve a=" EFFDET_SOURCE_DIR
                             "/models/tf_efficientdet_d0_shapes.pth --img-size 128 --port 0 ";
};

TEST_F(ServeCli, RefusesSettingsThatAreNone) {
  for (const char* setting : {"a", "b:streams=1", "a:streams=0", "a:streams", "a:", "a:speed=1", "a:queue=-1",
                              "a:threads=1,,queue=2", "a:streams=99999999999"}) {
    const test::Result refused = sh(serve_ + "--schedule '" + setting + "'");
    EXPECT_EQ(refused.code, 2) << setting << refused.error;
    EXPECT_NE(refused.error.find(std::string("--schedule ") + setting), std::string::npos) << refused.error;
  }
  for (const char* flags : {"--priority-levels -1",
                            "--queue-timeout x",
                            "--queue -1",
                            "--preferred-batch-size 0",
                            "--max-queue-delay -1",
                            "--queue-bytes 1x",
                            "--queue-bytes ''",
                            "--queue-bytes M",
                            "--queue-bytes 1Bx",
                            "--max-body 1000000000000000",
                            "--max-memory 1KX",
                            "--max-header 1",
                            "--max-pixels 0",
                            "--max-connections 0",
                            "--idle-timeout x",
                            "--header-timeout -1",
                            "--body-timeout 1e9",
                            "--cors a.example",
                            "--cors https://a.example/",
                            "--cors https://",
                            "--cert c.pem",
                            "--key k.pem",
                            "--grpc-port 70000"})
    EXPECT_EQ(sh(serve_ + flags).code, 2) << flags;
}

TEST_F(ServeCli, EndsWithCode0AtSigterm) {
  const test::Result served = sh(serve_ + R"(--schedule a:streams=2,threads=1,queue=3 --priority-levels 3 >out &
    for i in $(seq 600); do grep -q 'ready on' out && break; sleep 0.1; done
    kill -TERM $!; wait $!)");
  EXPECT_EQ(served.code, 0) << served.error;
  EXPECT_NE(test::content(folder_ / "out").find("ready on http://127.0.0.1:"), std::string::npos);
}

}  // namespace
}  // namespace effdet::cli
