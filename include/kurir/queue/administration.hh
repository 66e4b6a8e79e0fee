#pragma once
// What an administrator may do to messages in the queue, and what came of it. Plain values; any
// core. Queue::administrate() carries it out.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kurir::queue {

struct AdministratorCommand {
  enum class Kind : std::uint8_t {
    retry,  // what waits for its next attempt, or a deliverer's back-off, is due now; not the held
    hold,   // the whole message is offered to nobody until it is released or expires
    release,  // the whole message
    bounce,   // the recipient failed; the sender is told
    remove,   // the recipient is taken out; nobody is told
  };
  Kind kind = Kind::retry;
  std::string reason;  // of a bounce: one line
  bool is_dry_run = false;
};

std::optional<AdministratorCommand::Kind> parse_administrator_kind(std::string_view name);

// Recipients that a command was carried out for, or would be, and their messages. A message that a
// command has nothing to do for, because it is so already, does not count.
struct Administered {
  std::uint64_t messages = 0, recipients = 0;
  std::uint64_t busy = 0;  // recipients left alone: in flight, or their sender is being told

  Administered& operator+=(const Administered& other) {
    messages += other.messages;
    recipients += other.recipients;
    busy += other.busy;
    return *this;
  }
};

}  // namespace kurir::queue
