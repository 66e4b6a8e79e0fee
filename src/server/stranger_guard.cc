#include "stranger_guard.hh"

#include <fmt/format.h>

#include <algorithm>

#include "kurir/base/hash.hh"
#include "kurir/dns/name.hh"
#include "kurir/io/clock.hh"
#include "kurir/io/mesh.hh"
#include "kurir/wire/ascii.hh"

namespace kurir::server {
namespace {

constexpr unsigned failures_max = 3;  // in a row; then a list rests
constexpr Nanoseconds rest = std::chrono::minutes(1);
constexpr std::size_t names_max = 5;  // of one address, that are confirmed (threats.md H4)

using smtp::GuardRefusal;
using Hello = Configuration::HelloCheck;
using ReverseDns = Configuration::ReverseDns;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  });
  return text;
}

bool has_address(const dns::AddressAnswer& answer, const io::SocketAddress& peer) {
  const auto is_peer = [&](const io::SocketAddress& address) {
    return address.family() == peer.family() && address.octets() == peer.octets();
  };
  return std::ranges::any_of(answer.ipv4, is_peer) || std::ranges::any_of(answer.ipv6, is_peer);
}

bool is_literal(std::string_view name) { return name.starts_with('[') && name.ends_with(']'); }

// What a list says goes into a reply: printable, and not much of it.
std::string tame(std::string_view text) {
  std::string safe(text.substr(0, 200));
  std::ranges::replace_if(safe, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return safe;
}

}  // namespace

struct StrangerGuard::Inquiry {
  io::SocketAddress peer;
  Deadline deadline;
  Scope scope;
  int weight = 0;
  const List* listed_by = nullptr;
  std::string list_says;
  std::string name;
  bool name_is_unsure = false;  // nobody could say
};

StrangerGuard::StrangerGuard(const Configuration& configuration, const ConnectionCounts& counts,
                             dns::Resolver& resolver, Greylist& greylist, std::uint64_t triplet_key,
                             observe::Counters& counters)
    : options_(configuration.strangers),
      hostname_(lower(configuration.hostname)),
      counts_(counts),
      resolver_(resolver),
      greylist_(greylist),
      triplet_key_(triplet_key),
      counters_(counters) {
  for (const std::string& text : options_.block_lists)
    if (auto list = BlockList::parse(text)) lists_.emplace_back(std::move(*list));
}

// All questions at a time, within one deadline. A refusal is put together when all have ended.
Task<smtp::Acquaintance> StrangerGuard::get_to_know(io::SocketAddress peer) {
  Inquiry inquiry{.peer = peer, .deadline = deadline_in(options_.timeout), .scope = {}};
  for (List& list : lists_)
    if (list.rests_until <= io::now()) inquiry.scope.start(ask_list(*this, list, inquiry));
  if (options_.reverse_dns != ReverseDns::off) inquiry.scope.start(ask_name(*this, inquiry));
  co_await inquiry.scope.join();
  smtp::Acquaintance known;
  known.name = inquiry.name;
  const bool is_listed =
      inquiry.listed_by != nullptr && inquiry.weight >= static_cast<int>(options_.block_threshold);
  if (is_listed) {
    counters_.add(observe::Counter::strangers_listed);
    co_await explain(inquiry);
    known.refusal = {
        550, "5.7.1",
        fmt::format("{} is listed by {}{}{}", peer.host(), inquiry.listed_by->list.zone(),
                    inquiry.list_says.empty() ? "" : ": ", inquiry.list_says)};
    co_return known;
  }
  if (options_.reverse_dns == ReverseDns::require && known.name.empty()) {
    const bool is_unsure = inquiry.name_is_unsure;
    known.refusal = {
        is_unsure ? 451U : 550U, is_unsure ? "4.7.25" : "5.7.25",
        fmt::format("The reverse DNS of {} names no host that has this address", peer.host())};
  }
  co_return known;
}

Task<void> StrangerGuard::ask_list(StrangerGuard& guard, List& list, Inquiry& inquiry) {
  const auto name = dns::Name::parse(list.list.question(inquiry.peer));
  if (!name) co_return;
  dns::Answer answer = co_await guard.resolver_.query(*name, dns::RecordType::a, inquiry.deadline);
  if (answer.status == dns::Status::try_later) {
    if (++list.failures >= failures_max) list.rests_until = io::now() + rest;
    co_return;
  }
  list.failures = 0;
  std::vector<io::SocketAddress> addresses;
  for (const dns::Record& record : answer.records)
    if (const auto* address = std::get_if<io::SocketAddress>(&record))
      addresses.push_back(*address);
  if (!list.list.lists(addresses)) co_return;
  inquiry.weight += list.list.weight();
  const bool is_first = inquiry.listed_by == nullptr;
  if (is_first && list.list.weight() > 0) inquiry.listed_by = &list;
}

// The list's own words (RFC 5782 2.1), where it has some in time.
Task<void> StrangerGuard::explain(Inquiry& inquiry) const {
  const std::string question = inquiry.listed_by->list.question(inquiry.peer);
  const dns::TxtAnswer answer = co_await resolver_.lookup_txt(question, inquiry.deadline);
  if (!answer.texts.empty()) inquiry.list_says = tame(answer.texts.front());
}

// A name counts only where it leads back to the address: anybody may claim any name.
Task<void> StrangerGuard::ask_name(StrangerGuard& guard, Inquiry& inquiry) {
  const dns::PtrAnswer names = co_await guard.resolver_.lookup_ptr(inquiry.peer, inquiry.deadline);
  inquiry.name_is_unsure = names.status == dns::Status::try_later;
  for (std::size_t at = 0; at < names.names.size() && at < names_max; ++at) {
    const std::string& name = names.names[at];
    if (!dns::is_host_name(name)) continue;
    const dns::AddressAnswer back =
        co_await guard.resolver_.lookup_addresses(name, inquiry.deadline);
    inquiry.name_is_unsure = inquiry.name_is_unsure || back.status == dns::Status::try_later;
    if (!has_address(back, inquiry.peer)) continue;
    inquiry.name = name;
    co_return;
  }
}

Task<std::optional<GuardRefusal>> StrangerGuard::check_hello(io::SocketAddress peer,
                                                             std::string name) {
  std::optional<GuardRefusal> refusal;
  if (options_.hello_check == Hello::off) co_return refusal;
  const bool literal = is_literal(name);
  if (literal && name != peer.host_literal())
    refusal = {550, "5.7.1", "The address in your EHLO is not yours"};
  if (!literal && !dns::is_host_name(name))
    refusal = {550, "5.5.2", "What you said in EHLO is no host name: EHLO mail.example.org"};
  if (lower(name) == hostname_) refusal = {550, "5.7.1", "You say in EHLO that you are this host"};
  if (refusal || literal || options_.hello_check == Hello::syntax) {
    if (refusal) counters_.add(observe::Counter::hellos_refused);
    co_return refusal;
  }
  if (!name.contains('.'))
    refusal = {550, "5.5.2", "Say your full name in EHLO, like mail.example.org"};
  if (!refusal && options_.hello_check == Hello::resolves) {
    const dns::AddressAnswer found =
        co_await resolver_.lookup_addresses(name, deadline_in(options_.timeout));
    const bool is_missing = found.ipv4.empty() && found.ipv6.empty();
    if (is_missing && found.status != dns::Status::try_later)
      refusal = {450, "4.7.1", "The DNS has no address of the host in your EHLO"};
  }
  if (refusal) counters_.add(observe::Counter::hellos_refused);
  co_return refusal;
}

Task<std::optional<GuardRefusal>> StrangerGuard::check_triplet(io::SocketAddress peer,
                                                               std::string sender,
                                                               std::string recipient) {
  std::optional<GuardRefusal> refusal;
  if (!options_.greylist) co_return refusal;
  std::string text(Network::around(peer).key());
  text += lower(std::move(sender)) + '\0' + lower(std::move(recipient));
  const std::uint64_t triplet = keyed_hash(text, triplet_key_);
  const std::int64_t now = io::wall_now().seconds();
  const Nanoseconds wait = co_await io::on_core(
      CoreIndex(0),
      [greylist = &greylist_, triplet, now] { return greylist->check(triplet, now); });
  if (wait <= Nanoseconds(0)) co_return refusal;
  counters_.add(observe::Counter::strangers_greylisted);
  refusal = {451, "4.7.1",
             fmt::format("Greylisted: this mail is taken when it comes again in {} s",
                         std::chrono::ceil<Seconds>(wait).count())};
  co_return refusal;
}

}  // namespace kurir::server
