#pragma once
// TicketKeys: what session tickets (RFC 8446 4.6.1, RFC 5077) are sealed with. A new key each
// `ticket_key_period`; tickets of the one before are still taken. Each key follows from the one
// before by a hash, and that one is forgotten: who takes the memory of the process learns no key of
// before. So the cores agree without a word, from one secret drawn at the start. Core-local.

#include <array>
#include <optional>
#include <span>

#include "kurir/base/clock.hh"

namespace kurir::tls {

inline constexpr Seconds ticket_key_period = std::chrono::hours(2);

class TicketKeys {
 public:
  using Octets = std::array<unsigned char, 32>;
  using Name = std::array<unsigned char, 16>;
  struct Key {
    Name name{};
    Octets octets{};
  };

  // The same secret and beginning on each core.
  TicketKeys(const Octets& secret, Instant begin);
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;
  ~TicketKeys();

  // For new tickets.
  const Key& current(Instant now);
  // Null: too old, or none of ours.
  const Key* find(std::span<const unsigned char> name, Instant now);

 private:
  void turn_to(Instant now);
  void derive();

  Octets secret_;
  Instant next_turn_;
  Key current_;
  std::optional<Key> previous_;
};

}  // namespace kurir::tls
