// Sends requests over HTTP/1.1 and times the answers: the next when one has come, or at moments of a Poisson process.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kUsage = R"(usage: load_generator ADDRESS [options] REQUEST[=ANSWER]...

ADDRESS is a port of 127.0.0.1, or the path of a socket. A REQUEST is a file with the bytes of a whole request; they are sent
in turn. The body of each answer 200 must begin with the bytes of the file ANSWER. Where there is none, bodies are dropped in
the kernel, which costs next to nothing: so a generator on the server's own processors measures the server.

  --connections N  open at the same time, at most (default 1)
  --seconds S      how long requests are sent (default 5)
  --requests N     how many are sent, at most
  --rate R         requests a second, at moments of a Poisson process; times count from these moments, whether or not a
                   connection was free. Without it each connection sends the next request when it has its answer.
  --pause MS       a connection whose request was refused (503) waits so long before its next one
  --seed N         of the Poisson process (default 1)

Prints JSON: how many answers came by status, milliseconds of answers 200 and of others, processor seconds of its own.
)";

[[noreturn]] void fail(const std::string& text) {
  std::fprintf(stderr, "load_generator: %s\n", text.c_str());
  std::exit(1);
}

struct Options {
  std::string address;
  size_t connections = 1, requests = ~size_t{0};
  double seconds = 5, rate = 0, pause = 0;
  unsigned seed = 1;
  std::vector<std::string> files;
};

Options options_of(int argc, char** argv) {
  Options options;
  std::vector<std::string> words(argv + 1, argv + argc);
  for (size_t i = 0; i < words.size(); ++i) {
    const auto value = [&] {
      if (i + 1 == words.size()) fail(words[i] + " wants a value");
      return std::stod(words[++i]);
    };
    if (words[i] == "--help") {
      std::fputs(kUsage, stdout);
      std::exit(0);
    } else if (words[i] == "--connections") {
      options.connections = static_cast<size_t>(value());
    } else if (words[i] == "--seconds") {
      options.seconds = value();
    } else if (words[i] == "--requests") {
      options.requests = static_cast<size_t>(value());
    } else if (words[i] == "--rate") {
      options.rate = value();
    } else if (words[i] == "--pause") {
      options.pause = value();
    } else if (words[i] == "--seed") {
      options.seed = static_cast<unsigned>(value());
    } else if (words[i].starts_with("--")) {
      fail("unknown option " + words[i]);
    } else if (options.address.empty()) {
      options.address = words[i];
    } else {
      options.files.push_back(words[i]);
    }
  }
  if (options.files.empty() || options.connections == 0) fail("see --help");
  return options;
}

struct Exchange {
  std::string request;
  std::optional<std::string> answer;
};

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(path + ": cannot be read");
  return {std::istreambuf_iterator<char>(file), {}};
}

Clock::duration duration_of(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

double milliseconds(Clock::duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

/// One request at a time.
struct Connection {
  int socket = -1;
  const Exchange* exchange = nullptr;
  Clock::time_point begin;  // from which its time counts
  Clock::time_point wake;   // after a refusal
  size_t sent = 0;
  std::string received;             // the head, and the body where it is compared
  std::optional<size_t> body_left;  // once the head is there
  size_t body = 0;                  // where it begins in received
  int status = 0;
  int wakes_at = 1;  // bytes
  bool busy = false, writes = false;
};

class Load {
 public:
  explicit Load(const Options& options) : options_(options), random_(options.seed), gap_(options.rate) {
    for (const std::string& file : options.files) {
      const size_t equals = file.find('=');
      exchanges_.push_back({read_file(file.substr(0, equals)), std::nullopt});
      if (equals != std::string::npos) exchanges_.back().answer = read_file(file.substr(equals + 1));
    }
    const bool is_port = options.address.find_first_not_of("0123456789") == std::string::npos;
    if (is_port) {
      tcp_ = {.sin_family = AF_INET,
              .sin_port = htons(static_cast<uint16_t>(std::stoi(options.address))),
              .sin_addr = {htonl(INADDR_LOOPBACK)},
              .sin_zero = {}};
    } else {
      local_.sun_family = AF_UNIX;
      options.address.copy(local_.sun_path, sizeof local_.sun_path - 1);
    }
    is_tcp_ = is_port;
    watch(timer_, EPOLLIN, nullptr);
  }

  void run() {
    const Clock::time_point begin = Clock::now(), end = begin + duration_of(options_.seconds);
    Clock::time_point next = begin;
    while (true) {
      const Clock::time_point now = Clock::now();
      const bool over = now >= end || started_ >= options_.requests;
      if (!over && options_.rate > 0) {
        for (; next <= now && next < end && scheduled_ < options_.requests; next += duration_of(gap_(random_))) {
          due_.push_back(next);
          ++scheduled_;
        }
        start_due();
      } else if (!over) {
        start_free(now);
      }
      if (over && due_.empty() && busy_ == 0) break;
      if (over && !due_.empty()) start_due();
      wait(over ? now + std::chrono::seconds(1) : options_.rate > 0 ? std::min(next, end) : soonest(end));
    }
    seconds_ = milliseconds(Clock::now() - begin) / 1e3;
  }

  void print() {
    const auto times = [](const char* name, std::vector<double>& values) {
      std::ranges::sort(values);
      const auto at = [&](double q) {
        return values.empty()
                   ? 0
                   : values[std::min(values.size() - 1, static_cast<size_t>(q * static_cast<double>(values.size())))];
      };
      std::printf(R"("%s": {"count": %zu, "p50": %.3f, "p90": %.3f, "p99": %.3f, "max": %.3f}, )", name, values.size(),
                  at(.5), at(.9), at(.99), at(1));
    };
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    std::printf("{\"statuses\": {");
    const char* comma = "";
    for (const auto& [status, count] : statuses_)
      std::printf("%s\"%d\": %zu", std::exchange(comma, ", "), status, count);
    std::printf("}, \"wrong\": %zu, \"lost\": %zu, \"seconds\": %.3f, ", wrong_, lost_, seconds_);
    times("answered_ms", answered_);
    times("others_ms", others_);
    std::printf("\"processor_seconds\": %.3f}\n", seconds(usage.ru_utime) + seconds(usage.ru_stime));
  }

 private:
  void watch(int descriptor, uint32_t events, Connection* connection, int operation = EPOLL_CTL_ADD) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = connection;
    if (::epoll_ctl(epoll_, operation, descriptor, &event) != 0) fail("epoll_ctl failed");
  }

  void connect(Connection& connection) {
    connection.socket = ::socket(is_tcp_ ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto* address =
        is_tcp_ ? reinterpret_cast<const sockaddr*>(&tcp_) : reinterpret_cast<const sockaddr*>(&local_);
    if (::connect(connection.socket, address, is_tcp_ ? sizeof tcp_ : sizeof local_) != 0)
      fail(std::string("cannot connect: ") + std::strerror(errno));
    const int one = 1;
    if (is_tcp_) ::setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    watch(connection.socket, EPOLLIN, &connection);
  }

  /// A connection without a request, or nothing where all have one.
  Connection* free_connection() {
    if (!free_.empty()) {
      Connection* connection = free_.back();
      free_.pop_back();
      return connection;
    }
    if (connections_.size() >= options_.connections) return nullptr;
    return connections_.emplace_back(std::make_unique<Connection>()).get();
  }

  void start_due() {
    while (!due_.empty()) {
      Connection* connection = free_connection();
      if (connection == nullptr) return;
      start(*connection, due_.front());
      due_.pop_front();
    }
  }

  void start_free(Clock::time_point now) {
    while (started_ < options_.requests) {
      if (!paused_.empty() && paused_.front()->wake <= now) {
        free_.push_back(paused_.front());
        paused_.pop_front();
      }
      Connection* connection = free_connection();
      if (connection == nullptr) return;
      start(*connection, Clock::now());
    }
  }

  Clock::time_point soonest(Clock::time_point end) const {
    return paused_.empty() ? end : std::min(end, paused_.front()->wake);
  }

  void start(Connection& connection, Clock::time_point begin) {
    if (connection.socket < 0) connect(connection);
    connection.exchange = &exchanges_[started_++ % exchanges_.size()];
    connection.begin = begin;
    connection.sent = 0;
    connection.received.clear();
    connection.body_left.reset();
    connection.busy = true;
    ++busy_;
    send(connection);
  }

  void send(Connection& connection) {
    const std::string& request = connection.exchange->request;
    while (connection.sent < request.size()) {
      const ssize_t sent = ::send(connection.socket, request.data() + connection.sent, request.size() - connection.sent,
                                  MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno == EAGAIN) break;
      if (sent < 0) return;  // an answer may stand in the socket
      connection.sent += static_cast<size_t>(sent);
    }
    const bool writes = connection.sent < request.size();
    if (writes != std::exchange(connection.writes, writes))
      watch(connection.socket, writes ? EPOLLIN | EPOLLOUT : EPOLLIN, &connection, EPOLL_CTL_MOD);
  }

  void receive(Connection& connection) {
    while (true) {
      const bool drops = is_tcp_ && connection.body_left && !connection.exchange->answer;
      const size_t most = connection.body_left ? *connection.body_left : buffer_.size();
      const ssize_t count =
          drops ? ::recv(connection.socket, nullptr, most, MSG_DONTWAIT | MSG_TRUNC)
                : ::recv(connection.socket, buffer_.data(), std::min(most, buffer_.size()), MSG_DONTWAIT);
      if (count < 0 && errno == EAGAIN) return;
      if (count <= 0) return close(connection);
      if (connection.body_left) {
        *connection.body_left -= static_cast<size_t>(count);
        if (connection.exchange->answer) connection.received.append(buffer_.data(), static_cast<size_t>(count));
      } else {
        connection.received.append(buffer_.data(), static_cast<size_t>(count));
        read_head(connection);
      }
      if (connection.body_left == size_t{0}) return finish(connection);
      if (connection.body_left) wake_at(connection, *connection.body_left);
    }
  }

  /// Much of a large answer at once: each time that a socket is ready wakes this program, at the sender's cost.
  void wake_at(Connection& connection, size_t left) const {
    constexpr size_t kMost = 2 << 20;
    const int bytes = static_cast<int>(std::min(left, kMost));
    if (is_tcp_ && std::exchange(connection.wakes_at, bytes) != bytes)
      ::setsockopt(connection.socket, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
  }

  static void read_head(Connection& connection) {
    const std::string& text = connection.received;
    const size_t end = text.find("\r\n\r\n");
    if (end == std::string::npos) return;
    constexpr std::string_view kField = "content-length:";
    std::string head = text.substr(0, end);
    std::ranges::transform(head, head.begin(), [](unsigned char c) { return std::tolower(c); });
    const size_t field = head.find(kField);
    if (field == std::string::npos) fail("an answer without Content-Length");
    connection.status = std::atoi(text.c_str() + 9);
    connection.body = end + 4;
    const size_t length = std::strtoull(head.c_str() + field + kField.size(), nullptr, 10);
    connection.body_left = length - std::min(length, text.size() - connection.body);
  }

  void finish(Connection& connection) {
    const Clock::time_point now = Clock::now();
    const auto& answer = connection.exchange->answer;
    ++statuses_[connection.status];
    (connection.status == 200 ? answered_ : others_).push_back(milliseconds(now - connection.begin));
    if (connection.status == 200 && answer)
      wrong_ += !std::string_view(connection.received).substr(connection.body).starts_with(*answer);
    wake_at(connection, 1);
    connection.busy = false;
    --busy_;
    if (connection.status == 503 && options_.pause > 0) {
      connection.wake = now + duration_of(options_.pause / 1e3);
      paused_.push_back(&connection);
    } else {
      free_.push_back(&connection);
    }
  }

  void close(Connection& connection) {
    ::close(connection.socket);
    connection.socket = -1;
    connection.writes = false;
    if (!std::exchange(connection.busy, false)) {  // the server gave an idle one up
      return;
    }
    ++lost_;
    --busy_;
    free_.push_back(&connection);
  }

  void wait(Clock::time_point until) {
    itimerspec time{};
    const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(until - Clock::now()).count();
    const auto nanoseconds = std::max<int64_t>(left, 1);
    time.it_value = {.tv_sec = nanoseconds / 1'000'000'000, .tv_nsec = nanoseconds % 1'000'000'000};
    ::timerfd_settime(timer_, 0, &time, nullptr);
    epoll_event events[64];
    const int count = ::epoll_wait(epoll_, events, 64, -1);
    for (int i = 0; i < count; ++i) {
      auto* connection = static_cast<Connection*>(events[i].data.ptr);
      if (connection == nullptr) {
        uint64_t expirations;
        static_cast<void>(!::read(timer_, &expirations, sizeof expirations));
        continue;
      }
      if ((events[i].events & EPOLLOUT) != 0) send(*connection);
      if ((events[i].events & ~EPOLLOUT) != 0) receive(*connection);
    }
  }

  const Options& options_;
  std::mt19937_64 random_;
  std::exponential_distribution<double> gap_;
  std::vector<Exchange> exchanges_;
  bool is_tcp_ = true;
  sockaddr_in tcp_{};
  sockaddr_un local_{};
  int epoll_ = ::epoll_create1(EPOLL_CLOEXEC), timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> free_;
  std::deque<Connection*> paused_;
  std::deque<Clock::time_point> due_;
  std::vector<char> buffer_ = std::vector<char>(256 << 10);
  size_t scheduled_ = 0, started_ = 0, busy_ = 0, wrong_ = 0, lost_ = 0;
  std::map<int, size_t> statuses_;
  std::vector<double> answered_, others_;
  double seconds_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const Options options = options_of(argc, argv);
  Load load(options);
  load.run();
  load.print();
}
