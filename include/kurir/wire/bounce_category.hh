#pragma once
// Why mail was not accepted, in one word that people filter and count by: PowerMTA's seventeen
// categories of bounces, the vocabulary of the event field bounce_classification. Found in the
// server's words first, for enhanced codes are often vague (5.7.1 is anything), then in the
// enhanced code, then in the code. Pure, no allocation, linear in the text, of which a bounded part
// is read; any core.

#include <cstdint>
#include <string_view>

#include "kurir/wire/smtp_reply.hh"

namespace kurir::wire {

enum class BounceCategory : std::uint8_t {
  bad_configuration,
  bad_connection,
  bad_domain,
  bad_mailbox,
  content_related,
  inactive_mailbox,
  invalid_sender,
  message_expired,
  no_answer_from_host,
  other,
  policy_related,
  protocol_errors,
  quota_issues,
  relaying_issues,
  routing_errors,
  spam_related,
  virus_related,
};

std::string_view name_of(BounceCategory category);  // "bad-mailbox"

// `code` 0 and no status where there was no reply; `text` is a reply's lines as received
// (PeerReply::lines), or its text, or words of ours.
BounceCategory bounce_category(std::uint16_t code, EnhancedStatus status, std::string_view text);

// What the IANA's registry of enhanced status codes calls it, "Bad destination mailbox address" for
// x.1.1; empty for those not registered.
std::string_view registered_name(EnhancedStatus status);

}  // namespace kurir::wire
