#pragma once
// Delivery status notifications, "bounces": a multipart/report (RFC 6522) of a text for people, a
// message/delivery-status (RFC 3464) and what is returned of the message, as RFC 3461 6 asks.
// Everything from elsewhere (replies, addresses, the message's header) is made harmless: no line of
// it can end a part or add a field, and every line is at most 998 octets. Pure; any core.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "kurir/base/clock.hh"
#include "kurir/wire/smtp_reply.hh"

namespace kurir::wire {

// RFC 3464 2.3.3. The names of Action in this order.
enum class ReportAction : std::uint8_t { failed, delayed, delivered, relayed, expanded };

struct ReportedRecipient {
  std::string_view address{};   // as it was to be delivered: local-part@domain
  std::string_view original{};  // ORCPT decoded: "rfc822;a@b" (no type: rfc822); empty: not given
  ReportAction action = ReportAction::failed;
  EnhancedStatus status{};         // none: the action's X.0.0
  std::string_view remote_name{};  // of the server that answered; empty: none did
  std::string_view remote_ip{};
  std::string_view remote_reply{};  // as received, codes included: PeerReply::lines
  std::string_view explanation{};   // ours, where no server's words tell the reason; ASCII
  std::optional<WallTime> last_attempt{};
  std::optional<WallTime> tried_until{};  // delayed only
};

struct DeliveryReport {
  std::string_view hostname{};   // ours
  std::string_view report_id{};  // unique in this host: the local part of the Message-ID
  std::string_view sender{};     // whom it goes to; never empty: nothing reports to the null path
  WallTime now{};                // its Date
  std::optional<WallTime> arrived{};
  std::string_view received_from{};                 // the name the client gave; empty: not known
  std::string_view envelope_id{};                   // ENVID decoded; empty: not given
  std::span<const ReportedRecipient> recipients{};  // not empty
  std::string_view original{};  // the message from its first octet: at least its header section
  // RET=FULL, and `original` is all of the message. It is returned so where it is small
  // (limits::report_original_octets_max) and may be sent as it is; else its header is.
  bool return_full = false;
};

// The whole message, ready to be queued with the null reverse-path: CRLF line ends, 7-bit unless
// `sender` is not ASCII or a returned message has 8-bit lines.
[[nodiscard]] std::string compose_delivery_report(const DeliveryReport& report);

}  // namespace kurir::wire
