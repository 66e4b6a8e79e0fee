// The part for people: what happened to whom, in what the servers said and in plain words.

#include <algorithm>

#include "delivery_report_parts.hh"
#include "kurir/base/limits.hh"
#include "kurir/wire/ascii.hh"
#include "kurir/wire/encoded_word.hh"
#include "kurir/wire/header.hh"

namespace kurir::wire::delivery_report {
namespace {

constexpr std::size_t field_octets_max = 200;
constexpr std::string_view indent = "\r\n    ";

// In the order of ReportAction: what stands above the recipients of whom it is true.
constexpr std::string_view introductions[] = {
    "Your message could not be delivered to the addresses below, and will not be\r\n"
    "tried again for them:\r\n",
    "Your message has not been delivered yet to the addresses below. You need not\r\n"
    "send it again: delivery is still being tried.\r\n",
    "Your message was delivered to:\r\n",
    "Your message was passed on to a mail system that may not confirm its delivery,\r\n"
    "for:\r\n",
    "Your message was delivered to an alias or a list, which passed it on:\r\n",
};

struct Reason {
  std::uint16_t subject, detail;
  std::string_view text;
};
constexpr Reason reasons[] = {
    {1, 1, "The mail server does not know this address."},
    {1, 2, "The domain does not exist or accepts no mail."},
    {1, 3, "The address is not written as an address must be."},
    {1, 6, "The mailbox has moved, and nobody knows where to."},
    {1, 10, "The domain says that it accepts no mail."},
    {2, 1, "The mailbox is switched off."},
    {2, 2, "The mailbox is full."},
    {2, 3, "The message is larger than the mailbox accepts."},
    {3, 4, "The message is larger than the mail server accepts."},
    {4, 1, "The mail server does not answer."},
    {4, 2, "The connection to the mail server broke."},
    {4, 3, "The domain's mail servers could not be looked up."},
    {4, 4, "No mail server of the domain could be found."},
    {4, 6, "The message went round in a loop."},
    {4, 7, "It could not be delivered in the time there was."},
    {6, 7, "The mail server accepts only ASCII addresses."},
    {7, 1, "The mail server refuses the message by its policy."},
};

std::string_view reason_of(EnhancedStatus status) {
  const auto* const row = std::ranges::find_if(reasons, [status](const Reason& reason) {
    return reason.subject == status.subject && reason.detail == status.detail;
  });
  return row == std::end(reasons) ? std::string_view{} : row->text;
}

// The server's name and address, as far as they are known.
void append_server(std::string& out, const ReportedRecipient& recipient) {
  if (recipient.remote_name.empty() && recipient.remote_ip.empty()) {
    out.append("The mail server");
    return;
  }
  append_printable(out, recipient.remote_name, limits::domain_octets_max);
  if (!recipient.remote_name.empty() && !recipient.remote_ip.empty()) out.push_back(' ');
  if (recipient.remote_ip.empty()) return;
  out.push_back('[');
  append_printable(out, recipient.remote_ip, field_octets_max);
  out.push_back(']');
}

bool tells_a_reason(ReportAction action) {
  return action == ReportAction::failed || action == ReportAction::delayed;
}

void append_recipient(std::string& out, const ReportedRecipient& recipient) {
  out.append("\r\n  ");
  append_name(out, recipient.address);
  const std::string_view reason =
      recipient.explanation.empty() ? reason_of(recipient.status) : recipient.explanation;
  if (tells_a_reason(recipient.action) && !reason.empty()) {
    out.append(indent);
    append_folded(out, reason, indent, indent.size() - 2);
  }
  if (!recipient.remote_reply.empty()) {
    out.append(indent);
    append_server(out, recipient);
    out.append(" said:\r\n      ");
    append_reply_lines(out, recipient.remote_reply, "\r\n      ", 6);
  }
  if (recipient.tried_until && recipient.action == ReportAction::delayed) {
    out.append(indent).append("Tried until ");
    append_date(out, *recipient.tried_until);
    out.append(", if need be.");
  }
  out.append("\r\n");
}

void append_recipients(std::string& out, const DeliveryReport& report, ReportAction action) {
  const auto concerns = [action](const ReportedRecipient& r) { return r.action == action; };
  if (std::ranges::none_of(report.recipients, concerns)) return;
  out.append("\r\n").append(introductions[static_cast<std::size_t>(action)]);
  for (const ReportedRecipient& recipient : report.recipients) {
    if (concerns(recipient)) append_recipient(out, recipient);
  }
}

// Which message it is: what its sender will know it by.
void append_message(std::string& out, const DeliveryReport& report) {
  out.append("\r\nThe message");
  const auto subject = find_field(report.original, "Subject");
  std::string text = subject ? decode_header_text(subject->value.substr(0, 1000)) : std::string();
  // A cut through a character would make all of the text "?".
  std::size_t octets = std::min(text.size(), field_octets_max);
  while (octets < text.size() && octets > 0 && (text[octets] & 0xC0) == 0x80) --octets;
  text.resize(octets);
  if (!text.empty()) {
    out.append(" \"");
    append_name(out, text);
    out.push_back('"');
  }
  if (report.arrived) {
    out.append("\r\nwas accepted here on ");
    append_date(out, *report.arrived);
  }
  out.append(".\r\n");
}

}  // namespace

std::string text_for_people(const DeliveryReport& report) {
  std::string out = "This is the mail system at ";
  append_name(out, report.hostname);
  out.append(".\r\n");
  for (std::size_t action = 0; action < std::size(introductions); ++action)
    append_recipients(out, report, static_cast<ReportAction>(action));
  append_message(out, report);
  out.append(
      "\r\nWhat follows is the same for mail programs, and the header of your message,\r\n"
      "or all of it.\r\n");
  return out;
}

}  // namespace kurir::wire::delivery_report
