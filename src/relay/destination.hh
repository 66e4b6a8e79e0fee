#pragma once
// Destination: a domain that mail goes to: jobs wait here while it is looked up where. Core-local.
// Private to relay/.

#include <array>
#include <string>
#include <vector>

#include "kurir/base/intrusive_list.hh"
#include "kurir/relay/relay.hh"
#include "path.hh"
#include "place.hh"
#include "routing.hh"

namespace kurir::relay {

class Destination final : public Place {
 public:
  Destination(Relay& relay, std::string domain) : relay_(relay), domain_(std::move(domain)) {}
  ~Destination() override;

  void offer(queue::Job& job);
  void withdraw(queue::Job& job) override { job.unlink(); }
  void hurry() override {}
  std::string explain() const override;
  std::string_view trouble() const override { return {}; }
  std::string_view site() const override { return {}; }
  bool is_idle(Instant now) const;
  // Looks again where mail goes, if what is known is too old.
  void refresh();

 private:
  // A path with its share of the pool (smooth weighted round robin), and those beside it for mail
  // with wishes of its own, once there is some.
  struct Way {
    std::string source, pool;
    std::int64_t weight, current = 0;
    std::array<Path*, 3> paths{};  // by TlsWish
  };

  Task<void> look_up();
  void start_look_up();
  Task<void> fail_all();
  Task<void> hand_over();
  Path& path_for(const queue::Job& job);
  Way& next_way();
  Path& add_path(const Way& way, TlsWish tls);
  void find_paths();
  void add_ways();

  Relay& relay_;
  const std::string domain_;
  Routing routing_;
  bool looking_up_ = false;
  unsigned running_ = 0;  // look-ups, and what they do with the jobs
  std::vector<Way> ways_;
  PathLimits limits_;  // of the ways
  IntrusiveList<queue::Job> jobs_;
};

}  // namespace kurir::relay
