#pragma once
// Which recipients of the queue a command means. Every condition that is given must hold. Pure; any
// core.

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/base/ids.hh"
#include "kurir/queue/message.hh"

namespace kurir::queue {

// What a command line gives; an empty text is a condition that is not made.
struct FilterText {
  std::string domain;     // of the recipient
  std::string site;       // of its domain: name_of_site()
  std::string sender;     // "<>" is the null reverse-path
  std::string recipient;  // after aliases, or as the client gave it
  std::string state;      // name_of(MessageState); "in_flight" and "in-flight" will do as well
  std::optional<Nanoseconds> older_than;
  std::vector<std::string> ids;
  bool everything = false;  // said by whoever makes no condition and means it
};

class Filter {
 public:
  // The error is a sentence for whoever wrote the text.
  static std::expected<Filter, std::string> parse(const FilterText& text);

  // Those that are still open only: waiting, or failed and their sender not told yet.
  bool matches(const Message& message, const Recipient& recipient, WallTime now) const;
  bool matches(const Message& message, WallTime now) const;  // some recipient does

  // Sorted, each once. Not empty: only these messages are meant.
  const std::vector<QueueId>& ids() const { return ids_; }
  // Whether anything was asked for: an empty filter matches all, which only `everything` may mean.
  bool is_empty() const;
  bool means_everything() const { return everything_; }

 private:
  bool matches_message(const Message& message, WallTime now) const;
  bool matches_recipient(const Message& message, const Recipient& recipient) const;

  std::string domain_, site_, sender_, recipient_;
  std::optional<MessageState> state_;
  std::optional<Nanoseconds> older_than_;
  std::vector<QueueId> ids_;
  bool everything_ = false;
};

// '*' stands for any octets, none included; ASCII letters are equal in either case.
bool matches_pattern(std::string_view pattern, std::string_view text);

}  // namespace kurir::queue
