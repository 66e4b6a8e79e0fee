#pragma once
// Tally: how many recipients wait, by domain, site, state and age, kept with every change, so that
// a million need not be walked to be counted. Core-local.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/queue/message.hh"

namespace kurir::queue {

// How many arrived in each minute of wall-clock time. Arrivals come mostly in order.
class MinuteCounts {
 public:
  void add(WallTime when);
  void remove(WallTime when);
  // The oldest minute's begin, in seconds since 1970; nullopt: there is none.
  std::optional<std::int64_t> oldest_seconds() const;
  struct Minute {
    std::uint32_t number = 0;  // since 1970
    std::uint32_t count = 0;
  };
  const std::vector<Minute>& minutes() const { return minutes_; }

 private:
  static std::uint32_t number_of(WallTime when);
  std::vector<Minute>::iterator find(std::uint32_t number);
  std::vector<Minute> minutes_;  // ascending; none of them is 0
};

// The recipients of one domain that are open.
struct DomainCount {
  std::string_view name;  // of the key that it is kept under
  std::string site;       // where mail went last, or waits to go; empty: not known yet
  std::array<std::uint32_t, message_states.size()> by_state{};
  MinuteCounts arrivals;
  std::uint32_t total() const;
};

inline constexpr std::string_view site_of_local = "local";  // of our own mailboxes

class Tally {
 public:
  // Counts the recipient as what it is now: in another state than before, or not at all any more.
  void update(const Message& message, Recipient& recipient);
  // Of the message itself.
  void add(const Message& message);
  void remove(const Message& message);  // not its recipients
  // The site that mail for the recipient's domain went to last.
  static void set_site(Recipient& recipient, std::string_view site);

  std::uint64_t messages() const { return messages_; }
  std::uint64_t octets() const { return octets_; }
  const std::map<std::string, DomainCount, std::less<>>& domains() const { return domains_; }

 private:
  DomainCount& domain_for(const Recipient& recipient);
  void forget_if_empty(DomainCount& domain);

  std::uint64_t messages_ = 0, octets_ = 0;
  // By name; the map's nodes stay where they are, which Recipient::counted_in relies on.
  std::map<std::string, DomainCount, std::less<>> domains_;
  DomainCount* newest_ = nullptr;  // looked up last: mail comes in bursts for one domain
};

std::string_view domain_of(std::string_view address);
// Where mail for its domain went last, or was to go; empty: not known yet. Of a recipient that
// waits deliverer.hh knows better.
std::string_view site_of(const Recipient& recipient);

}  // namespace kurir::queue
