#include "received_header.hh"

#include "kurir/io/address.hh"
#include "kurir/queue/queue_id.hh"
#include "kurir/wire/date.hh"

namespace kurir::smtp {
namespace {

constexpr std::size_t usual_octets = 320;

}  // namespace

std::string received_header(const queue::Envelope& envelope, std::string_view hostname, QueueId id,
                            const io::Encryption& encryption, std::string_view peer_name) {
  std::string header;
  header.reserve(usual_octets);
  header += "Received: ";
  if (envelope.reception.protocol() == "local") {  // from no host: RFC 5321 4.4 has no form for it
    header += "by ";
    header += hostname;
    header += " (Kurir, from user ";
    header += envelope.reception.user();
    header += ") with ";
  } else {
    const auto peer = io::SocketAddress::parse(envelope.reception.peer_address());
    header += "from ";
    header += envelope.reception.helo();
    header += " (";
    header += peer_name;
    if (!peer_name.empty()) header += ' ';
    header += peer ? peer->host_literal() : "[unknown]";
    header += ")\r\n\tby ";
    header += hostname;
    header += " (Kurir) with ";
  }
  header += envelope.reception.protocol();
  header += " id ";
  header += queue::text_of(id);
  if (envelope.recipients.size() == 1) {
    const queue::Recipient& recipient = envelope.recipients.front();
    header += "\r\n\tfor <";
    header += recipient.original.empty() ? std::string_view(recipient.address)
                                         : recipient.original.view();
    header += '>';
  }
  if (!encryption.cipher.empty()) {
    header += "\r\n\ttls ";
    header += encryption.cipher;
  }
  header += ";\r\n\t";
  wire::append_mail_date(header, {.utc_seconds = envelope.received.seconds()});
  header += "\r\n";
  return header;
}

}  // namespace kurir::smtp
