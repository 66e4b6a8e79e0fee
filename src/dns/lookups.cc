// The typed look-ups: a question each, and its records as what the caller wants.

#include <algorithm>
#include <utility>

#include "kurir/dns/resolver.hh"

namespace kurir::dns {
namespace {

constexpr std::string_view digits = "0123456789abcdef";

// What cannot be a name in the DNS is none.
template <class Typed>
Typed no_name(Instant now) {
  Typed typed;
  typed.status = Status::no_such_name;
  typed.trouble = Trouble::malformed;
  typed.valid_until = now;
  return typed;
}

template <class Typed>
Typed head_of(const Answer& answer) {
  Typed typed;
  typed.status = answer.status;
  typed.trouble = answer.trouble;
  typed.authentic = answer.authentic;
  typed.valid_until = answer.valid_until;
  return typed;
}

// RFC 1035 3.5, RFC 3596 2.5.
std::string reverse_name(const io::SocketAddress& address) {
  std::string text;
  if (address.family() == io::Family::ipv4) {
    for (std::size_t i = 4; i-- > 0;) text += std::to_string(address.octets()[i]) + ".";
    return text + "in-addr.arpa";
  }
  for (std::size_t i = 16; i-- > 0;) {
    const std::uint8_t octet = address.octets()[i];
    text += {digits[octet & 15], '.', digits[octet >> 4], '.'};
  }
  return text + "ip6.arpa";
}

void take_addresses(Answer& answer, std::vector<io::SocketAddress>& into) {
  for (Record& record : answer.records)
    if (auto* address = std::get_if<io::SocketAddress>(&record)) into.push_back(*address);
}

// Of too many, some of both families.
void bound(std::vector<io::SocketAddress>& ipv6, std::vector<io::SocketAddress>& ipv4) {
  constexpr std::size_t half = limits::dns_addresses_max / 2;
  const std::size_t kept = limits::dns_addresses_max - std::min(ipv4.size(), half);
  ipv6.resize(std::min(ipv6.size(), kept));
  ipv4.resize(std::min(ipv4.size(), limits::dns_addresses_max - ipv6.size()));
}

AddressAnswer combined(Answer ipv6, Answer ipv4) {
  AddressAnswer both;
  take_addresses(ipv6, both.ipv6);
  take_addresses(ipv4, both.ipv4);
  bound(both.ipv6, both.ipv4);
  both.authentic = ipv6.authentic && ipv4.authentic;
  both.valid_until = std::min(ipv6.valid_until, ipv4.valid_until);
  both.trouble = ipv4.trouble != Trouble::none ? ipv4.trouble : ipv6.trouble;
  const auto either = [&](Status status) { return ipv6.status == status || ipv4.status == status; };
  if (either(Status::found)) {
    both.status = Status::found;
  } else if (either(Status::try_later)) {
    both.status = Status::try_later;
  } else {
    both.status = either(Status::no_data) ? Status::no_data : Status::no_such_name;
  }
  return both;
}

}  // namespace

Task<MxAnswer> Resolver::lookup_mx(std::string_view domain, Deadline deadline) {
  std::optional<Name> name = Name::parse(domain);
  if (!name) co_return no_name<MxAnswer>(Executor::current().now());
  Answer answer = co_await query(std::move(*name), RecordType::mx, deadline);
  MxAnswer typed = head_of<MxAnswer>(answer);
  for (Record& record : answer.records)
    if (auto* mx = std::get_if<Mx>(&record)) typed.exchanges.push_back(std::move(*mx));
  co_return typed;
}

Task<AddressAnswer> Resolver::lookup_addresses(std::string_view host, Deadline deadline) {
  const std::optional<Name> name = Name::parse(host);
  if (!name || !is_host_name(name->text()))
    co_return no_name<AddressAnswer>(Executor::current().now());
  Begun ipv6 = begin(Key{*name, RecordType::aaaa});
  Begun ipv4 = begin(Key{*name, RecordType::a});
  Answer ipv6_answer = co_await await_answer(std::move(ipv6), deadline);
  Answer ipv4_answer = co_await await_answer(std::move(ipv4), deadline);
  co_return combined(std::move(ipv6_answer), std::move(ipv4_answer));
}

Task<TxtAnswer> Resolver::lookup_txt(std::string_view text, Deadline deadline) {
  std::optional<Name> name = Name::parse(text);
  if (!name) co_return no_name<TxtAnswer>(Executor::current().now());
  Answer answer = co_await query(std::move(*name), RecordType::txt, deadline);
  TxtAnswer typed = head_of<TxtAnswer>(answer);
  for (Record& record : answer.records)
    if (auto* txt = std::get_if<Txt>(&record)) typed.texts.push_back(std::move(txt->text));
  co_return typed;
}

Task<PtrAnswer> Resolver::lookup_ptr(const io::SocketAddress& address, Deadline deadline) {
  KURIR_ASSERT(address.family() == io::Family::ipv4 || address.family() == io::Family::ipv6);
  std::optional<Name> name = Name::parse(reverse_name(address));
  KURIR_ASSERT(name.has_value());
  Answer answer = co_await query(std::move(*name), RecordType::ptr, deadline);
  PtrAnswer typed = head_of<PtrAnswer>(answer);
  for (const Record& record : answer.records) {
    const auto* host = std::get_if<Name>(&record);
    if (host != nullptr && is_host_name(host->text())) typed.names.push_back(host->text());
  }
  if (typed.status == Status::found && typed.names.empty()) typed.status = Status::no_data;
  co_return typed;
}

Task<TlsaAnswer> Resolver::lookup_tlsa(std::string_view host, std::uint16_t port,
                                       Deadline deadline) {
  std::optional<Name> name = Name::parse("_" + std::to_string(port) + "._tcp." + std::string(host));
  if (!name) co_return no_name<TlsaAnswer>(Executor::current().now());
  Answer answer = co_await query(std::move(*name), RecordType::tlsa, deadline);
  TlsaAnswer typed = head_of<TlsaAnswer>(answer);
  for (Record& record : answer.records)
    if (auto* tlsa = std::get_if<Tlsa>(&record)) typed.associations.push_back(std::move(*tlsa));
  co_return typed;
}

}  // namespace kurir::dns
