#pragma once
// Ledger: what the peers of the server saw, and nothing else; from it alone follows whether the
// server kept its promises. Core-local to the peers.

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/clock.hh"

namespace kurir::sim {

enum class Fate : std::uint8_t {
  unknown,       // no reply after the content: queued or not
  acknowledged,  // 250: exactly one of queued, delivered, bounced, for each recipient
  refused,       // another reply, or never sent: must not appear anywhere
};

struct SentMail {
  std::string id, sender, content;
  std::vector<std::string> recipients;  // accepted by RCPT
  Fate fate = Fate::refused;
  Instant acknowledged{};
};

// What a sink took.
struct TakenMail {
  std::string id;
  std::vector<std::string> recipients;
  Instant when{};
  bool is_certain = false;  // the server has heard of it: it went on after the 250
};

struct Ledger {
  std::deque<SentMail> sent;
  std::deque<TakenMail> taken;
  std::vector<Instant> crashes;  // kills and power cuts
  std::vector<std::string> violations;
  Nanoseconds in_flight = Seconds(2);  // before a crash: what the journal may not have had yet
  Nanoseconds max_age{};
  bool expects_expiry = false;
  std::size_t damages_max = 0;     // messages that bits flipped at rest may have cost
  bool tolerates_repeats = false;  // outcomes could not be journalled

  void violation(std::string text) { violations.push_back(std::move(text)); }

  // --- what sinks see. The content as it came, with the recipients that were accepted.
  TakenMail* take(std::string_view content, std::vector<std::string> recipients, Instant when);

  // --- what readers see
  struct Seen {
    std::uint64_t validity = 0;
    std::uint32_t uid = 0;
    std::string content;
  };
  void see_uid(const std::string& user, const std::string& folder, std::uint64_t validity,
               std::uint32_t uid, std::string_view id);
  // All that is in a user's mailboxes now; replaces what was seen there before.
  void see_all(const std::string& user, std::vector<Seen> messages);
  enum class Deletion : std::uint8_t { asked, done };
  void deleted(const std::string& user, const std::string& id, Deletion how);

  // --- judging
  // What of the acknowledged is not accounted for yet; empty: all of it is.
  std::vector<std::string> missing() const;
  // After everything has settled.
  void check();
  std::size_t acknowledged() const;
  std::size_t deliveries() const { return taken.size(); }

 private:
  using Key = std::pair<std::string, std::string>;  // id, recipient
  void read_report(std::string_view content);
  void lost(const SentMail& mail, const std::string& recipient);
  void check_content(std::string_view content, const SentMail& mail, std::string_view where);
  bool take_nameless_report(const std::string& recipient);
  void check_local(const SentMail& mail, const std::string& recipient);
  void check_remote(const SentMail& mail, const std::string& recipient);
  bool may_repeat(const Key& key) const;
  bool may_bounce(const SentMail& mail, const std::string& recipient) const;
  const SentMail* find(std::string_view id) const;

  std::map<std::string, const SentMail*, std::less<>> by_id_;
  std::map<std::string, std::vector<Seen>> mailboxes_;
  std::map<Key, unsigned> local_;     // copies in mailboxes, of the last look
  std::map<Key, unsigned> reported_;  // failures told, of the last look; at sinks: of all time
  std::map<Key, unsigned> reported_away_;
  std::map<Key, std::vector<const TakenMail*>> remote_;
  std::map<Key, Deletion> deleted_;
  struct Place {
    std::string user, folder;
    std::uint64_t validity;
    std::uint32_t uid;
    auto operator<=>(const Place&) const = default;
  };
  std::map<Place, std::string> uids_;
  std::set<std::string> damaged_;  // ids of what is gone where bits flipped

 public:
  void index() {
    by_id_.clear();
    for (const SentMail& mail : sent) by_id_[mail.id] = &mail;
  }
};

// The value of the first X-Sim-Id field; empty: none.
std::string_view id_in(std::string_view content);
bool is_report(std::string_view content);
bool is_local(std::string_view recipient);

}  // namespace kurir::sim
