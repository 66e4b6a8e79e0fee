#include "kurir/dns/packet.hh"

// The codec. Its headers bring OpenSSL's, whose macros nobody else here should see.
#include <ldns/ldns.h>

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "packet_walk.hh"

namespace kurir::dns {
namespace {

constexpr unsigned flag_response = 0x8000;
constexpr unsigned flags_opcode = 0x7800;
constexpr unsigned flag_truncated = 0x0200;
constexpr unsigned flag_authentic = 0x0020;
constexpr std::size_t question_fields_octets = 4;
constexpr std::size_t aliases_seen_max = 64;  // CNAMEs in one reply, whoever owns them

struct FreePacket {
  void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
};
struct FreeRecord {
  void operator()(ldns_rr* record) const { ldns_rr_free(record); }
};
struct FreeOctets {
  void operator()(std::uint8_t* octets) const { LDNS_FREE(octets); }
};

std::string mixed(std::string text, const std::array<std::uint64_t, 4>& upper_case) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool raise = (upper_case[i / 64 % 4] >> (i % 64) & 1) != 0;
    if (raise && text[i] >= 'a' && text[i] <= 'z') text[i] = static_cast<char>(text[i] - 32);
  }
  return text;
}

std::string_view octets_of(const ldns_rdf* field) {
  return {reinterpret_cast<const char*>(ldns_rdf_data(field)), ldns_rdf_size(field)};
}

// The codec's names have no pointers left. nullopt where a label holds what text would quote.
std::optional<Name> name_of(const ldns_rdf* field) {
  std::string_view wire = octets_of(field);
  std::string text;
  while (!wire.empty() && wire.front() != 0) {
    const auto length = static_cast<std::uint8_t>(wire.front());
    const std::string_view label = wire.substr(1, length);
    if (label.find('.') != std::string_view::npos) return std::nullopt;
    text.append(label).append(".");
    wire.remove_prefix(length + 1U);
  }
  return text.empty() ? Name::root() : Name::parse(text);
}

std::optional<Record> host_record(const ldns_rdf* field) {
  std::optional<Name> name = name_of(field);
  if (!name) return std::nullopt;
  return Record(std::move(*name));
}

std::optional<Record> mx_record(const ldns_rr* record) {
  const std::optional<Name> exchange = name_of(ldns_rr_rdf(record, 1));
  if (!exchange || (!exchange->is_root() && !is_host_name(exchange->text()))) return std::nullopt;
  return Record(Mx{ldns_rdf2native_int16(ldns_rr_rdf(record, 0)), exchange->text()});
}

std::optional<Record> txt_record(const ldns_rr* record) {
  Txt txt;
  for (std::size_t i = 0; i < ldns_rr_rd_count(record); ++i)
    txt.text.append(octets_of(ldns_rr_rdf(record, i)).substr(1));  // behind its length
  return Record(std::move(txt));
}

std::optional<Record> tlsa_record(const ldns_rr* record) {
  if (ldns_rr_rd_count(record) != 4) return std::nullopt;
  return Record(Tlsa{ldns_rdf2native_int8(ldns_rr_rdf(record, 0)),
                     ldns_rdf2native_int8(ldns_rr_rdf(record, 1)),
                     ldns_rdf2native_int8(ldns_rr_rdf(record, 2)),
                     std::string(octets_of(ldns_rr_rdf(record, 3)))});
}

template <std::size_t octets>
std::array<std::uint8_t, octets> address_of(const ldns_rdf* field) {
  std::array<std::uint8_t, octets> address{};
  std::ranges::copy(octets_of(field).substr(0, octets), address.begin());
  return address;
}

// One record, which the walk has checked, by the codec. nullopt where it is of no use.
std::optional<Record> decode(std::string_view packet, const RecordPlace& place) {
  ldns_rr* made = nullptr;
  std::size_t at = place.owner;
  const auto status = ldns_wire2rr(&made, reinterpret_cast<const std::uint8_t*>(packet.data()),
                                   packet.size(), &at, LDNS_SECTION_ANSWER);
  const std::unique_ptr<ldns_rr, FreeRecord> record(status == LDNS_STATUS_OK ? made : nullptr);
  if (!record || ldns_rr_rd_count(record.get()) == 0) return std::nullopt;
  const ldns_rdf* first = ldns_rr_rdf(record.get(), 0);
  switch (static_cast<RecordType>(place.type)) {
    case RecordType::a:
      return Record(io::SocketAddress::ipv4(address_of<4>(first), 0));
    case RecordType::aaaa:
      return Record(io::SocketAddress::ipv6(address_of<16>(first), 0));
    case RecordType::ns:
    case RecordType::cname:
    case RecordType::ptr:
      return host_record(first);
    case RecordType::mx:
      return mx_record(record.get());
    case RecordType::txt:
      return txt_record(record.get());
    case RecordType::tlsa:
      return tlsa_record(record.get());
  }
  return std::nullopt;
}

std::size_t records_max(RecordType type) {
  if (type == RecordType::a || type == RecordType::aaaa) return limits::dns_addresses_max;
  return type == RecordType::mx ? limits::dns_exchanges_of_domain_max : limits::dns_records_max;
}

// RFC 2181 8: what has the sign bit is none.
std::uint32_t seconds_of(std::uint32_t ttl) { return ttl > 0x7fffffffU ? 0 : ttl; }

// An answer out of the records of a reply that is one.
class Reading {
 public:
  Reading(std::string_view packet, const Key& key, PacketWalk& walk)
      : packet_(packet), key_(key), walk_(walk) {}

  Verdict read(std::size_t question_end, bool no_such_name, Reply& reply) {
    const std::optional<Layout> layout = walk_.records(question_end, key_.type);
    if (!layout) return Verdict::malformed;
    if (layout->extended_code != 0)
      return layout->extended_code == 1 ? Verdict::format_error : Verdict::refused;  // 1: BADVERS
    reply.answer.name = key_.name;
    reply.ttl = 0x7fffffff;
    const Verdict followed = follow_aliases(*layout, reply);
    if (followed != Verdict::answer) return followed;
    if (no_such_name) return deny(*layout, Status::no_such_name, reply);
    std::vector<RecordPlace> places = places_of(*layout, reply.answer.name);
    if (!places.empty()) return take(places, reply);
    if (!layout->soa && reply.aliases > 0) {
      reply.follow = reply.answer.name;
      return Verdict::answer;
    }
    if (!layout->soa && layout->has_authority_ns) return Verdict::refused;  // a referral
    return deny(*layout, Status::no_data, reply);
  }

 private:
  Verdict follow_aliases(const Layout& layout, Reply& reply) {
    if (key_.type == RecordType::cname) return Verdict::answer;
    std::vector<RecordPlace> aliases;
    for (const RecordPlace& place : layout.answers)
      if (place.type == std::uint16_t(RecordType::cname)) aliases.push_back(place);
    if (aliases.size() > aliases_seen_max) return Verdict::malformed;
    for (;;) {
      const auto alias = std::ranges::find_if(aliases, [&](const RecordPlace& place) {
        return walk_.is_name(place.owner, reply.answer.name);
      });
      if (alias == aliases.end()) return Verdict::answer;
      if (++reply.aliases > limits::dns_aliases_max) return Verdict::alias_loop;
      const std::optional<Record> target = decode(packet_, *alias);
      if (!target) return Verdict::malformed;
      reply.answer.name = std::get<Name>(*target);
      reply.ttl = std::min(reply.ttl, seconds_of(alias->ttl));
    }
  }

  std::vector<RecordPlace> places_of(const Layout& layout, const Name& owner) {
    std::vector<RecordPlace> places;
    for (const RecordPlace& place : layout.answers)
      if (place.type == std::uint16_t(key_.type) && walk_.is_name(place.owner, owner))
        places.push_back(place);
    // Of too many exchanges the best are kept.
    if (key_.type == RecordType::mx)
      std::ranges::sort(places, {}, [&](const RecordPlace& place) {
        return std::pair(walk_.u16(place.data), place.owner);
      });
    return places;
  }

  Verdict take(std::span<const RecordPlace> places, Reply& reply) {
    for (const RecordPlace& place : places.first(std::min(places.size(), records_max(key_.type)))) {
      std::optional<Record> record = decode(packet_, place);
      if (!record) continue;
      reply.answer.records.push_back(std::move(*record));
      reply.ttl = std::min(reply.ttl, seconds_of(place.ttl));
    }
    if (reply.answer.records.empty()) return Verdict::malformed;
    reply.answer.status = Status::found;
    return Verdict::answer;
  }

  Verdict deny(const Layout& layout, Status status, Reply& reply) {
    reply.answer.status = status;
    reply.may_keep = layout.soa.has_value();
    if (!layout.soa) return Verdict::answer;
    const std::uint32_t minimum = walk_.u32(layout.soa->data + layout.soa->data_octets - 4);
    reply.ttl = std::min({reply.ttl, seconds_of(layout.soa->ttl), seconds_of(minimum)});
    return Verdict::answer;
  }

  std::string_view packet_;
  const Key& key_;
  PacketWalk& walk_;
};

enum class Echo : std::uint8_t { none, other_case, exact };

Echo compare_questions(std::string_view asked, std::string_view echoed) {
  if (asked == echoed) return Echo::exact;
  if (asked.size() != echoed.size()) return Echo::none;
  const std::size_t name_octets = asked.size() - question_fields_octets;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto difference = static_cast<unsigned char>(asked[i] ^ echoed[i]);
    const char lower = static_cast<char>(asked[i] | 0x20);
    const bool is_case = difference == 0x20 && lower >= 'a' && lower <= 'z' && i < name_octets;
    if (difference != 0 && !is_case) return Echo::none;
  }
  return Echo::other_case;
}

// What the response code makes of it; Verdict::answer: NOERROR or NXDOMAIN.
Verdict verdict_of(unsigned code) {
  switch (code) {
    case LDNS_RCODE_NOERROR:
    case LDNS_RCODE_NXDOMAIN:
      return Verdict::answer;
    case LDNS_RCODE_FORMERR:
    case LDNS_RCODE_NOTIMPL:
      return Verdict::format_error;
    case LDNS_RCODE_SERVFAIL:
      return Verdict::server_failed;
    default:
      return Verdict::refused;
  }
}

}  // namespace

std::string encode_query(const Key& key, const QueryOptions& options) {
  ldns_rdf* name = ldns_dname_new_frm_str(mixed(key.name.text(), options.upper_case).c_str());
  if (name == nullptr) return {};
  const std::unique_ptr<ldns_pkt, FreePacket> packet(
      ldns_pkt_query_new(name, static_cast<ldns_rr_type>(key.type), LDNS_RR_CLASS_IN, LDNS_RD));
  if (!packet) return {};
  ldns_pkt_set_id(packet.get(), options.id);
  ldns_pkt_set_ad(packet.get(), true);  // RFC 6840 5.7: we want to know
  if (options.extended) ldns_pkt_set_edns_udp_size(packet.get(), limits::dns_udp_octets);
  std::uint8_t* made = nullptr;
  std::size_t octets = 0;
  if (ldns_pkt2wire(&made, packet.get(), &octets) != LDNS_STATUS_OK) return {};
  const std::unique_ptr<std::uint8_t, FreeOctets> wire(made);
  return {reinterpret_cast<const char*>(made), octets};
}

Reply read_reply(std::string_view packet, std::string_view query, const Key& key) {
  Reply reply;
  if (packet.size() < header_octets || packet.substr(0, 2) != query.substr(0, 2)) return reply;
  PacketWalk walk(packet);
  const unsigned flags = walk.u16(2);
  if ((flags & flag_response) == 0 || (flags & flags_opcode) != 0) return reply;
  const unsigned code = flags & 0xf;
  const Verdict verdict = verdict_of(code);
  if (walk.u16(4) == 0 &&
      verdict == Verdict::format_error) {  // it could not even read the question
    reply.verdict = verdict;
    return reply;
  }
  PacketWalk query_walk(query);
  const std::size_t question_end = *query_walk.skip_name(header_octets) + question_fields_octets;
  if (walk.u16(4) != 1 || packet.size() < question_end) return reply;
  const std::size_t question_octets = question_end - header_octets;
  const Echo echo = compare_questions(query.substr(header_octets, question_octets),
                                      packet.substr(header_octets, question_octets));
  if (echo == Echo::none) return reply;
  reply.keeps_case = echo == Echo::exact;
  reply.verdict = verdict;
  if ((flags & flag_truncated) != 0) reply.verdict = Verdict::truncated;
  if (reply.verdict != Verdict::answer) return reply;
  Reading reading(packet, key, walk);
  reply.answer.authentic = (flags & flag_authentic) != 0;
  reply.verdict = reading.read(question_end, code == LDNS_RCODE_NXDOMAIN, reply);
  return reply;
}

}  // namespace kurir::dns
