#pragma once
// Destination: a domain that mail goes to: jobs wait here while it is looked up where. Core-local.
// Private to relay/.

#include <string>
#include <vector>

#include "kurir/base/intrusive_list.hh"
#include "kurir/relay/relay.hh"
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
  Task<void> look_up();
  void start_look_up();
  Task<void> fail_all();
  Task<void> hand_over();
  Path& next_path();
  void find_paths();
  void add_paths();

  // A path with its share of the pool (smooth weighted round robin).
  struct Way {
    Path* path;
    std::int64_t weight, current;
  };

  Relay& relay_;
  const std::string domain_;
  Routing routing_;
  bool looking_up_ = false;
  unsigned running_ = 0;  // look-ups, and what they do with the jobs
  std::vector<Way> ways_;
  IntrusiveList<queue::Job> jobs_;
};

}  // namespace kurir::relay
