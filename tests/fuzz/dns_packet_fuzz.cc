// Feeds packets to the reader of replies, and holds what it gives to what is promised. The first
// octet chooses the question; what follows stands behind a header and a question that match it.
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "kurir/base/assert.hh"
#include "kurir/dns/packet.hh"

namespace kurir::dns {
namespace {

constexpr std::size_t counts_octets = 6;

void check_record(const Record& record, RecordType type) {
  if (const auto* mx = std::get_if<Mx>(&record))
    KURIR_ASSERT(mx->exchange == "." || is_host_name(mx->exchange));
  if (const auto* name = std::get_if<Name>(&record))
    KURIR_ASSERT(Name::parse(name->text()) == *name);
  const bool is_address = std::holds_alternative<io::SocketAddress>(record);
  KURIR_ASSERT(is_address == (type == RecordType::a || type == RecordType::aaaa));
}

void check_reply(std::string_view packet, const std::string& query, const Key& key) {
  // Of its own size, so that one octet too far is seen.
  const std::unique_ptr<char[]> copy(new char[packet.size()]);
  if (!packet.empty()) std::memcpy(copy.get(), packet.data(), packet.size());
  const Reply reply = read_reply({copy.get(), packet.size()}, query, key);
  KURIR_ASSERT(reply.aliases <= limits::dns_aliases_max + 1);
  if (reply.verdict != Verdict::answer) return;
  const Answer& answer = reply.answer;
  KURIR_ASSERT(reply.ttl <= 0x7fffffffU);
  KURIR_ASSERT(answer.records.size() <= limits::dns_records_max);
  KURIR_ASSERT(reply.follow || answer.records.empty() == (answer.status != Status::found));
  for (const Record& record : answer.records) check_record(record, key.type);
}

}  // namespace
}  // namespace kurir::dns

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir::dns;
  constexpr RecordType types[] = {RecordType::a,    RecordType::ns,  RecordType::cname,
                                  RecordType::ptr,  RecordType::mx,  RecordType::txt,
                                  RecordType::aaaa, RecordType::tlsa};
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.size() < 1 + counts_octets) return 0;
  const unsigned choice = static_cast<unsigned char>(input[0]);
  const Key key{*Name::parse("mail.example.org"), types[choice % std::size(types)]};
  QueryOptions options;
  options.extended = false;
  const std::string query = encode_query(key, options);
  check_reply(input, query, key);
  const char flags[] = {static_cast<char>(0x81), static_cast<char>(0x80 | (choice / 8 % 4))};
  const std::string packet = query.substr(0, 2) + std::string(flags, 2) + query.substr(4, 2) +
                             std::string(input.substr(1, counts_octets)) + query.substr(12) +
                             std::string(input.substr(1 + counts_octets));
  check_reply(packet, query, key);
  return 0;
}
