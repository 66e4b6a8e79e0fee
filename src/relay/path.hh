#pragma once
// Path: one core's part of an egress path, from a source to a site: the jobs that wait for it and
// the connections that this core has. Core-local. Private to relay/.

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kurir/base/intrusive_list.hh"
#include "kurir/coro/timer_wheel.hh"
#include "kurir/relay/relay.hh"
#include "place.hh"
#include "routing.hh"

namespace kurir::relay {

// A list may have a million jobs: so many are moved or ended before others have their turn.
inline constexpr std::size_t jobs_at_once = 256;

class Connection;

// Jobs in the order in which they are taken up: by priority (RFC 6710 4.1; above, at and below 0),
// then as they came. Core-local.
class ReadyJobs {
 public:
  bool empty() const {
    return std::ranges::all_of(bands_, [](const auto& band) { return band.empty(); });
  }
  void push_back(queue::Job& job) {
    const int priority = job.message.envelope.priority;
    bands_[priority > 0 ? 0 : priority == 0 ? 1 : 2].push_back(job);
  }
  queue::Job& front() { return band().front(); }
  queue::Job& pop_front() { return band().pop_front(); }
  template <class F>
  void for_each(F&& f) {
    for (IntrusiveList<queue::Job>& band : bands_) band.for_each(f);
  }

 private:
  IntrusiveList<queue::Job>& band() {
    return *std::ranges::find_if(bands_, [](const auto& band) { return !band.empty(); });
  }
  std::array<IntrusiveList<queue::Job>, 3> bands_;
};

// What its messages want of TLS (RFC 8689): as the configuration says; verified, or they come back;
// or plaintext rather than waiting.
enum class TlsWish : std::uint8_t { as_configured, required, optional };
TlsWish tls_wish_of(const queue::Job& job);

class Path final : public Place, public ListLink {
 public:
  Path(Relay& relay, std::string name, std::string site, Source source, std::string pool,
       PathLimits limits, TlsWish tls);
  ~Path() override;

  // Destinations that use it keep it.
  void hold() { ++holders_; }
  void let_go() { --holders_; }
  bool is_idle() const;
  void give_back_share();

  void set_hosts(std::vector<NextHost> hosts, Instant valid_until);
  void take(queue::Job& job);
  // Moves those of the domain that wait here to the list: their mail goes elsewhere now.
  void give_back(std::string_view domain, Place& place, IntrusiveList<queue::Job>& to);
  // Puts connections to work, as many as there are jobs for and limits allow.
  void pump();
  // An idle connection ends, where another core waits for its slot.
  void give_way();
  void stop();
  void abort();

  void withdraw(queue::Job& job) override;
  void hurry() override;
  std::string explain() const override;
  std::string_view trouble() const override;
  std::string_view site() const override { return name_; }

 private:
  friend class Connection;
  struct PumpTimer : Timer {
    explicit PumpTimer(Path* path_of) : Timer(&fired), path(path_of) {}
    static void fired(Timer& timer) { static_cast<PumpTimer&>(timer).path->resume(); }
    Path* path;
  };

  Task<void> acquire_share();
  Task<void> run_connection();
  void resume();
  Connection* find_idle();
  bool wake_idle();
  bool may_connect();
  bool take_slot();
  void pump_at(Instant when);

  // From connections.
  queue::Job* pop();
  bool has_ready() const { return !ready_.empty(); }
  bool others_wait() const;
  bool is_bad(const io::SocketAddress& address) const;
  void mark(const io::SocketAddress& address, bool is_bad);
  void succeeded();
  void back_off(const std::string& reply);
  void put_off_one(const std::string& reply, const queue::Hop& hop);
  Task<void> fail_all_for_good(std::string reply);
  void settle_all(queue::Job& job, queue::RecipientState state, const std::string& reply,
                  const queue::Hop& hop);

  Relay& relay_;
  const std::string name_, site_;
  const Source source_;
  const std::string pool_;
  const PathLimits limits_;
  const TlsWish tls_;
  SharedSite* shared_ = nullptr;
  bool acquiring_ = false, failing_ = false;
  std::vector<NextHost> hosts_;
  Instant hosts_valid_until_{};
  std::map<std::string, Instant> bad_addresses_;  // tried last until then
  ReadyJobs ready_;
  std::size_t ready_count_ = 0;
  IntrusiveList<Connection> connections_;
  std::size_t connection_count_ = 0;
  std::size_t unassigned_ = 0;  // connections that will ask for a job
  std::size_t holders_ = 0;
  mutable std::string trouble_;  // as the core that had it told all
  PumpTimer timer_;
};

}  // namespace kurir::relay
