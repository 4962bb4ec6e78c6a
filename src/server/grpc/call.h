// A client's call: reads its messages, hands them to the server, writes the answers in their order.
#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/generic/async_generic_service.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "server/grpc/infer_reply.h"
#include "server/grpc/methods.h"
#include "server/grpc/schema.h"
#include "server/grpc_module.h"

namespace effdet::server::grpc_module {

class Call;

/// What all calls share.
struct CallsShared {
  GrpcHost& host;
  Schema schema = {};
  size_t most_calls = 0;
  double message_seconds = 0;  ///< for the only message of a call, and for sending an answer

  std::mutex mutex = {};
  std::condition_variable is_empty = {};
  std::unordered_set<Call*> calls = {};  // under mutex
  bool draining = false;                 // under mutex
};

/// Deletes itself when it is over.
class Call final : public grpc::ServerGenericBidiReactor {
 public:
  Call(CallsShared& shared, grpc::GenericCallbackServerContext& context);
  /// No more messages are read; it ends when those that were are answered.
  void drain();

  void OnReadDone(bool is_good) override;
  void OnWriteDone(bool is_good) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  /// Keeps the call from those who are late: work may be done after the call is over.
  struct Gate {
    std::mutex mutex;
    Call* call;  // nullptr: it is over
  };

  /// A message and its answer.
  struct Exchange {
    GrpcCallRecord record;
    InferNames names;
    std::shared_ptr<PendingAnswer> pending;
    grpc::Alarm alarm, write_alarm;  // of its timeout; of its answer
    grpc::ByteBuffer reply;
    grpc::Status status;
    bool is_done = false;
  };

  void begin();
  void refuse(int status, const std::string& error);
  void handle(const std::shared_ptr<Exchange>& exchange, const grpc::ByteBuffer& message);
  std::shared_ptr<Request> request_of(Exchange& exchange, const grpc::ByteBuffer& message);
  void limit_time(Request& request) const;
  void expect(const std::shared_ptr<Exchange>& exchange);
  void deliver(Exchange& exchange, Answer answer);
  void fail(Exchange& exchange, int status, const std::string& error);
  void complete(Exchange& exchange);
  std::chrono::system_clock::time_point message_limit() const;
  void limit_writing(Exchange& exchange);
  void proceed();
  void end(const grpc::Status& status);
  std::string metadata(const char* name) const;

  CallsShared& shared_;
  grpc::GenericCallbackServerContext& context_;
  const std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  const Method* method_;
  std::string id_, traceparent_;
  Clock::time_point begin_ = Clock::now();
  grpc::Alarm alarm_;
  grpc::ByteBuffer incoming_;
  // Under the gate's mutex:
  std::deque<std::shared_ptr<Exchange>> exchanges_;  // in the order of messages
  bool reading_ = false, has_read_all_ = false, writing_ = false, ended_ = false, draining_ = false;
};

}  // namespace effdet::server::grpc_module
