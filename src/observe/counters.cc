#include "kurir/observe/counters.hh"

namespace kurir::observe {

std::string_view name_of(Counter counter) {
  static constexpr std::array<std::string_view, counters_count> names = {"smtp_connections",
                                                                         "smtp_open",
                                                                         "imap_connections",
                                                                         "imap_open",
                                                                         "pop3_connections",
                                                                         "pop3_open",
                                                                         "connections_refused",
                                                                         "connections_shed",
                                                                         "early_talkers",
                                                                         "strangers_listed",
                                                                         "strangers_greylisted",
                                                                         "hellos_refused",
                                                                         "tls_handshakes",
                                                                         "tls_handshakes_failed",
                                                                         "logins",
                                                                         "logins_failed",
                                                                         "commands_refused",
                                                                         "messages_received",
                                                                         "messages_rejected",
                                                                         "messages_delivered",
                                                                         "messages_queued",
                                                                         "messages_deferred",
                                                                         "messages_bounced",
                                                                         "octets_received",
                                                                         "octets_delivered",
                                                                         "commits",
                                                                         "log_lines_lost"};
  static_assert(!names.back().empty(), "a counter has no name");
  return names[static_cast<std::size_t>(counter)];
}

Totals::Totals(std::span<const Counters> cores) {
  for (const Counters& core : cores)
    for (std::size_t place = 0; place < counters_count; ++place)
      values_[place] += core.get(static_cast<Counter>(place));
}

}  // namespace kurir::observe
