// Detects in pictures without a server, at the moments at which load_generator would send them: what a server adds
// shows beside it.
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <exception>
#include <fstream>
#include <iterator>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "effdet/compiled_model.h"
#include "effdet/detector.h"
#include "effdet/encoded_image.h"
#include "effdet/image.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kUsage = R"(usage: bare_runner MODEL STREAMS RATE SECONDS SEED PICTURE...

Decodes the pictures in turn and detects in them, each as soon as one of the streams (of one thread) is free. RATE: pictures a
second at moments of a Poisson process, the same as load_generator's for that seed, from which times count; 0: one after the other.
Prints JSON: pictures a second, milliseconds.
)";

std::vector<std::byte> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

Clock::duration duration_of(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

struct Run {
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<Clock::time_point> due;
  bool over = false;
  size_t next = 0;
  std::vector<double> milliseconds;
};

void work(Run& run, effdet::Detector& detector, const std::vector<std::vector<std::byte>>& pictures) {
  std::unique_lock lock(run.mutex);
  while (true) {
    run.wake.wait(lock, [&] { return run.over || !run.due.empty(); });
    if (run.due.empty()) return;
    const Clock::time_point begin = run.due.front();
    run.due.pop_front();
    const std::vector<std::byte>& picture = pictures[run.next++ % pictures.size()];
    lock.unlock();
    const effdet::RgbImage image = effdet::decode_upright(picture);
    detector.detect(image);
    const double took = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    lock.lock();
    run.milliseconds.push_back(took);
  }
}

/// This thread, which says when pictures come, goes before those that detect, where the process runs in real time.
void hurry() {
  int policy = 0;
  sched_param parameters{};
  ::pthread_getschedparam(::pthread_self(), &policy, &parameters);
  if (policy != SCHED_FIFO) return;
  ++parameters.sched_priority;
  ::pthread_setschedparam(::pthread_self(), policy, &parameters);
}

void print(Run& run, double seconds) {
  std::ranges::sort(run.milliseconds);
  const auto at = [&](double q) {
    const size_t count = run.milliseconds.size();
    return count == 0 ? 0 : run.milliseconds[std::min(count - 1, static_cast<size_t>(q * static_cast<double>(count)))];
  };
  std::printf(R"({"count": %zu, "seconds": %.3f, "p50": %.3f, "p90": %.3f, "p99": %.3f, "max": %.3f})"
              "\n",
              run.milliseconds.size(), seconds, at(.5), at(.9), at(.99), at(1));
}

int run_all(const std::vector<std::string>& words) {
  const int streams = std::stoi(words[1]);
  const double rate = std::stod(words[2]), seconds = std::stod(words[3]);
  std::vector<std::vector<std::byte>> pictures;
  for (size_t i = 5; i < words.size(); ++i) pictures.push_back(read_file(words[i]));
  const effdet::CompiledModel model = effdet::CompiledModel::open(words[0]);
  std::vector<effdet::Detector> detectors;
  for (int i = 0; i < streams; ++i) {
    detectors.emplace_back(model, 1, effdet::DetectOptions{.score_threshold = 0.3f});
    detectors.back().detect(effdet::decode_upright(pictures[0]));  // warms up
  }
  Run run;
  std::vector<std::jthread> threads;
  for (effdet::Detector& detector : detectors) threads.emplace_back([&] { work(run, detector, pictures); });
  hurry();
  std::mt19937_64 random(std::stoul(words[4]));
  std::exponential_distribution<double> gap(rate > 0 ? rate : 1);
  const Clock::time_point begin = Clock::now(), end = begin + duration_of(seconds);
  for (Clock::time_point next = begin; next < end;) {
    if (rate > 0) {
      std::this_thread::sleep_until(next);
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      next = Clock::now();
    }
    const std::lock_guard lock(run.mutex);
    if (rate > 0 || run.due.size() < detectors.size()) run.due.push_back(next);
    if (rate > 0) next += duration_of(gap(random));
    run.wake.notify_one();
  }
  {
    const std::lock_guard lock(run.mutex);
    run.over = true;
  }
  run.wake.notify_all();
  threads.clear();
  print(run, std::chrono::duration<double>(Clock::now() - begin).count());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 6) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  try {
    return run_all(words);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bare_runner: %s\n", error.what());
    return 1;
  }
}
