// Memory of bodies: as much as has come, or a block that lies about.
#include "server/body.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace effdet::server {
namespace {

void fill(Body& body, size_t bytes) {
  for (size_t left = bytes; left > 0;) {
    const std::span<std::byte> room = body.room(left);
    std::ranges::fill(room, std::byte{7});
    body.add(room.size());
    left -= room.size();
  }
}

TEST(Body, TensorsBehindAHeaderOfAnyLengthAreAligned) {
  const auto pool = std::make_shared<BodyPool>();
  for (const size_t header : {0, 1, 15, 16, 17, 333}) {
    Body body(pool);
    body.expect(1 << 20, header);
    fill(body, 1 << 20);
    EXPECT_EQ(body.size(), size_t{1} << 20);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(body.bytes().data() + header) % 16, 0u);
    EXPECT_EQ(body.text()[0], 7);
  }
}

TEST(Body, ALengthThatIsAnnouncedTakesNoMemory) {
  const auto pool = std::make_shared<BodyPool>();
  Body body(pool);
  body.expect(size_t{1} << 40, 0);
  EXPECT_LE(body.room(1 << 20).size(), size_t{1} << 16);
  fill(body, 100'000);
  EXPECT_LE(body.room(1 << 30).size(), size_t{100'000});
}

TEST(Body, BlocksAreUsedAgain) {
  const auto pool = std::make_shared<BodyPool>();
  const std::byte* first = nullptr;
  {
    Body body(pool);
    body.expect(1 << 20, 0);
    fill(body, 1 << 20);
    first = body.bytes().data();
  }
  Body larger(pool), same(pool), other(pool);
  larger.expect(2 << 20, 0);
  same.expect(1 << 20, 0);
  other.expect(1 << 20, 0);
  EXPECT_EQ(same.room(1).data(), first);
  EXPECT_NE(larger.room(1).data(), first);
  EXPECT_NE(other.room(1).data(), first);
}

TEST(Body, FewBlocksAreKept) {
  const auto pool = std::make_shared<BodyPool>();
  for (int i = 0; i < 3; ++i) {
    Body one(pool), two(pool);
    for (Body* body : {&one, &two}) {
      body->expect(20 << 20, 0);
      fill(*body, 20 << 20);
    }
  }
  EXPECT_NE(pool->take(20 << 20).data, nullptr);
  EXPECT_EQ(pool->take(20 << 20).data, nullptr);
}

}  // namespace
}  // namespace effdet::server
