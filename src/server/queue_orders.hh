#pragma once
// Orders about messages, wherever they are queued: from any core to all of them. Private to
// server/.

#include <string>

#include "kurir/queue/administration.hh"
#include "kurir/queue/filter.hh"
#include "kurir/smtp/server_session.hh"
#include "shared_state.hh"

namespace kurir::server {

struct Ordered {
  queue::Administered done;
  bool failed = false;  // some journal cannot be written now; more may be done than is told
};
Task<Ordered> order_everywhere(SharedState& shared, const queue::Filter& filter,
                               const queue::AdministratorCommand& command);

// ETRN's.
class EveryQueueStarter final : public smtp::QueueStarter {
 public:
  explicit EveryQueueStarter(SharedState& shared) : shared_(shared) {}
  Task<Result<std::uint64_t>> start_for(std::string domain) override;

 private:
  SharedState& shared_;
};

}  // namespace kurir::server
