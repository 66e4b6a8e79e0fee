#include "connection.hh"

#include <algorithm>

#include "kurir/io/clock.hh"
#include "kurir/io/core.hh"

namespace kurir::relay {
namespace {

constexpr unsigned addresses_tried_max = 5;  // of all hosts together (threats.md H4)
constexpr Nanoseconds lookup_timeout = Seconds(30);
// A connection that keeps others from theirs gives way after this.
constexpr Nanoseconds turn_max = Seconds(1);

std::int64_t microseconds(Nanoseconds duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

// Equal preferences in a random order (RFC 5321 5.1).
std::vector<NextHost> in_order(std::vector<NextHost> hosts) {
  for (std::size_t begin = 0; begin < hosts.size();) {
    std::size_t end = begin + 1;
    while (end < hosts.size() && hosts[end].preference == hosts[begin].preference) ++end;
    for (std::size_t at = end - 1; at > begin; --at)
      std::swap(hosts[at], hosts[begin + io::random_u64() % (at - begin + 1)]);
    begin = end;
  }
  return hosts;
}

// The families take turns, so that one that does not work costs one attempt (RFC 8305 4).
std::vector<io::SocketAddress> interleaved(const dns::AddressAnswer& answer) {
  std::vector<io::SocketAddress> addresses;
  for (std::size_t at = 0; at < std::max(answer.ipv6.size(), answer.ipv4.size()); ++at) {
    if (at < answer.ipv6.size()) addresses.push_back(answer.ipv6[at]);
    if (at < answer.ipv4.size()) addresses.push_back(answer.ipv4[at]);
  }
  return addresses;
}

smtp::ClientTimeouts timeouts_of(const PathLimits& limits) {
  smtp::ClientTimeouts timeouts;
  timeouts.greeting = limits.banner_timeout.value;
  timeouts.hello = limits.ehlo_timeout.value;
  timeouts.mail = limits.mail_from_timeout.value;
  timeouts.recipient = limits.rcpt_to_timeout.value;
  timeouts.data_initiation = limits.data_timeout.value;
  timeouts.data_termination = limits.data_dot_timeout.value;
  timeouts.starttls = limits.starttls_timeout.value;
  return timeouts;
}

// What is left of the time, and what then.
std::optional<wire::DeliverBy> deliver_by_of(const queue::Extras& extras) {
  if (!extras.has_deliver_by()) return std::nullopt;
  constexpr std::int64_t most = 999'999'999;  // nine digits
  const std::int64_t seconds = extras.deliver_by.seconds() - io::wall_now().seconds();
  return wire::DeliverBy{.seconds = std::clamp(seconds, -most, most),
                         .notifies = extras.notifies_when_late(),
                         .traces = extras.traces()};
}

std::string text_of(const Error& error) {
  switch (error.code) {
    case Errc::refused:
      return "Connection refused";
    case Errc::timed_out:
      return "Connection timed out";
    case Errc::unreachable:
      return "Network is unreachable";
    case Errc::unavailable:
      return "The source address is not of this host";
    case Errc::exhausted:
      return "No descriptors are left";
    default:
      return "Connection failed";
  }
}

}  // namespace

Task<void> Connection::run() {
  const Instant due = SharedSite::reserve(path_.shared_->next_connection,
                                          path_.limits_.max_connection_rate.value, io::now());
  const bool go_on = co_await wait_until(due);
  if (!go_on) {
    no_longer_unassigned();
    co_return;
  }
  const Instant begun = io::now();
  const Reached reached = co_await reach_a_host();
  if (reached != Reached::ready) {
    no_longer_unassigned();
    if (reached == Reached::ourselves) {
      co_await path_.fail_all_for_good("554 5.4.6 Mail for " + path_.site_ +
                                       " loops back to this host");
    } else if (path_.tls_ == TlsWish::required && without_tls_ > 0 &&
               without_tls_ == tried_.size()) {
      co_await path_.fail_all_for_good("550 5.7.30 No host of " + path_.site_ +
                                       " has TLS that can be trusted (REQUIRETLS): " +
                                       trouble_.substr(std::min<std::size_t>(4, trouble_.size())));
    } else if (!path_.relay_.stopping_) {
      path_.back_off(trouble_);
      path_.put_off_one(trouble_, hop());
    }
    co_return;
  }
  connect_us_ = microseconds(io::now() - begun);
  bool going_on = true;
  while (going_on) {
    queue::Job* job = co_await next_job();
    no_longer_unassigned();
    if (job == nullptr) break;
    co_await deliver(*job);
    connect_us_ = -1;
    const bool is_enough = deliveries_ >= path_.limits_.max_deliveries_per_connection.value ||
                           (path_.others_wait() && io::now() - started_ > turn_max);
    const std::uint64_t most = session_->transactions_max();
    const bool was_last = most > 0 && deliveries_ >= most;
    going_on = !was_last && session_->is_usable() && !is_enough && !path_.relay_.stopping_;
  }
  co_await session_->close();
}

void Connection::no_longer_unassigned() {
  if (std::exchange(is_unassigned_, false)) --path_.unassigned_;
}

void Connection::wake() {
  hurry_.notify_all();
  if (is_idle_) session_->wake();
}

void Connection::abort() {
  aborted_ = true;
  connector_.abort();
  if (session_) session_->abort();
  hurry_.notify_all();
}

Task<bool> Connection::wait_until(Instant when) {
  while (when > io::now() && !path_.relay_.stopping_) co_await hurry_.wait(when);
  co_return !path_.relay_.stopping_;
}

// --- reaching a host

// Addresses that failed lately are tried when all others have.
Task<Connection::Reached> Connection::reach_a_host() {
  const std::vector<NextHost> hosts = in_order(path_.hosts_);
  std::optional<std::uint16_t> ours;  // what is not preferred to us would loop
  for (const bool bad_ones : {false, true}) {
    for (const NextHost& next : hosts) {
      if (aborted_ || tried_.size() >= addresses_tried_max) co_return Reached::failed;
      if (ours && next.preference >= *ours) continue;
      const Reached reached = co_await reach(next, bad_ones);
      if (reached == Reached::ready) co_return reached;
      if (reached == Reached::ourselves)
        ours = std::min(ours.value_or(next.preference), next.preference);
    }
  }
  // Only where nobody is preferred to us: a better host that cannot be reached now may be later.
  const bool is_best = ours && hosts.front().preference >= *ours;
  co_return is_best ? Reached::ourselves : Reached::failed;
}

Task<Connection::Reached> Connection::reach(const NextHost& next, bool bad_ones) {
  const std::vector<io::SocketAddress> addresses = co_await addresses_of(next);
  for (const io::SocketAddress& address : addresses) {
    if (is_ourselves(address)) co_return Reached::ourselves;
    if (path_.is_bad(address) != bad_ones) continue;
    if (std::ranges::find(tried_, address) != tried_.end()) continue;
    if (aborted_ || tried_.size() >= addresses_tried_max) co_return Reached::failed;
    tried_.push_back(address);
    const Reached reached = co_await reach_address(next.host, address);
    if (reached != Reached::failed) co_return reached;
    path_.mark(address, true);
  }
  co_return Reached::failed;
}

Task<std::vector<io::SocketAddress>> Connection::addresses_of(const NextHost& next) {
  if (next.host.name.starts_with('/'))
    co_return std::vector<io::SocketAddress>{io::SocketAddress::unix_path(next.host.name)};
  const std::uint16_t port = next.host.port != 0 ? next.host.port : path_.relay_.options_.port;
  const bool is_ipv6 = next.host.name.find(':') != std::string::npos;
  const Result<io::SocketAddress> literal = io::SocketAddress::parse(
      (is_ipv6 ? '[' + next.host.name + ']' : next.host.name) + ':' + std::to_string(port));
  if (literal && literal->family() != io::Family::unix)
    co_return std::vector<io::SocketAddress>{*literal};
  const dns::AddressAnswer answer =
      co_await path_.relay_.resolver_.lookup_addresses(next.host.name, deadline_in(lookup_timeout));
  std::vector<io::SocketAddress> addresses = interleaved(answer);
  if (addresses.empty())
    trouble_ = answer.status == dns::Status::try_later
                   ? "451 4.4.3 Address of " + next.host.name + ": " + dns::text_of(answer.trouble)
                   : "451 4.4.4 " + next.host.name + " has no address";
  for (io::SocketAddress& address : addresses) address.set_port(port);
  co_return addresses;
}

// A host whose TLS does not work is asked again without, where that is allowed (RFC 7435).
Task<Connection::Reached> Connection::reach_address(const Host& host, io::SocketAddress address) {
  const Reached reached = co_await open_session(host, address, Security::as_configured);
  const bool may_go_without =
      is_tls_broken_ && !aborted_ && !is_tls_required(path_.limits_.enable_tls.value);
  if (reached != Reached::failed || !may_go_without) co_return reached;
  co_return co_await open_session(host, address, Security::none);
}

smtp::ClientTls Connection::tls_for(const std::string& host, Security security) const {
  const std::string& use = path_.limits_.enable_tls.value;
  smtp::ClientTls tls{
      .verify = is_tls_verified(use), .host = host, .context = path_.relay_.options_.tls};
  using Use = smtp::ClientTls::Use;
  if (security == Security::none || use == "Disabled" || !tls.context) return tls;
  tls.use = is_tls_required(use) ? Use::always : Use::where_offered;
  return tls;
}

Task<Connection::Reached> Connection::open_session(const Host& next, io::SocketAddress address,
                                                   Security security) {
  const std::string& host = next.name;
  const bool is_path = address.family() == io::Family::unix;
  is_tls_broken_ = false;
  const auto failed_with = [&](const std::string& what) {
    trouble_ = "451 4.4.1 " + host + " [" + address.host() + "]: " + what;
    return Reached::failed;
  };
  const std::optional<io::SocketAddress> source = source_for(address);
  const bool has_sources = !is_path && (path_.source_.ipv4 || path_.source_.ipv6);
  if (has_sources && !source) co_return failed_with("the source has no address of its family");
  Result<std::unique_ptr<io::Stream>> stream = co_await connector_.connect(
      address, source, deadline_in(path_.limits_.connect_timeout.value));
  if (!stream) co_return failed_with(text_of(stream.error()));
  // A listener on every address is met only this way.
  const bool is_own_host = (*stream)->local().host() == (*stream)->peer().host();
  const bool listens =
      std::ranges::any_of(path_.relay_.options_.own_addresses, [&](const io::SocketAddress& own) {
        return own.port() == address.port() && (own.host() == "0.0.0.0" || own.host() == "::");
      });
  const RelayOptions& options = path_.relay_.options_;
  const std::string& ehlo = path_.source_.ehlo_domain;
  session_ = std::make_unique<smtp::ClientSession>(
      std::move(*stream),
      smtp::ClientOptions{ehlo.empty() ? options.hostname : ehlo, timeouts_of(path_.limits_),
                          tls_for(host, is_path ? Security::none : security), next.is_lmtp});
  if (is_own_host && listens) {
    co_await session_->close();
    co_return Reached::ourselves;
  }
  if (aborted_) session_->abort();
  host_ = host;
  address_ = address.host();
  const std::optional<smtp::Answer> refused = co_await session_->open();
  if (!refused) {
    path_.mark(address, false);
    co_return Reached::ready;
  }
  // Also 5yz: it is this host that will not talk, now.
  trouble_ = refused->reply;
  is_tls_broken_ = session_->tls_failed();
  if (session_->lacks_tls()) ++without_tls_;
  co_await session_->close();
  session_.reset();
  co_return Reached::failed;
}

std::optional<io::SocketAddress> Connection::source_for(const io::SocketAddress& address) const {
  if (address.family() == io::Family::unix) return std::nullopt;
  return address.family() == io::Family::ipv6 ? path_.source_.ipv6 : path_.source_.ipv4;
}

bool Connection::is_ourselves(const io::SocketAddress& address) const {
  return std::ranges::any_of(path_.relay_.options_.own_addresses,
                             [&](const io::SocketAddress& own) { return own == address; });
}

// --- one message after the other

Task<queue::Job*> Connection::next_job() {
  const Nanoseconds idle_max = path_.limits_.idle_timeout.value;
  const Deadline deadline = deadline_in(idle_max);
  while (!path_.relay_.stopping_) {
    if (path_.has_ready()) {
      const bool go = co_await pace();
      if (!go) co_return nullptr;
      if (queue::Job* job = path_.pop()) co_return job;
    }
    if (io::now() >= deadline || path_.others_wait()) co_return nullptr;
    no_longer_unassigned();
    is_idle_ = true;
    const bool is_alive = co_await session_->idle(deadline);
    is_idle_ = false;
    if (!is_alive) co_return nullptr;
  }
  co_return nullptr;
}

// False where the next message may go only so late that the connection is better closed.
Task<bool> Connection::pace() {
  const Rate& rate = path_.limits_.max_message_rate.value;
  if (!rate.is_limited()) co_return true;
  std::atomic<std::int64_t>& next = path_.shared_->next_message;
  const Instant soonest = SharedSite::peek(next, rate, io::now());
  if (soonest > io::now() + path_.limits_.idle_timeout.value) {
    path_.pump_at(soonest);
    co_return false;
  }
  const Instant due = SharedSite::reserve(next, rate, io::now());
  co_return co_await wait_until(due);
}

Task<void> Connection::deliver(queue::Job& job) {
  queue::Queue& queue = path_.relay_.queue_;
  queue.take_up(job);
  sending_since_ = io::now();
  Result<store::MessageContent> content =
      co_await store::MessageContent::open(path_.relay_.reader_, job.message.record);
  if (!content) {
    path_.settle_all(job, queue::RecipientState::waiting,
                     "451 4.3.0 The stored message cannot be read", hop());
    queue.finish(job);
    co_return;
  }
  bool goes_on = true;
  const std::size_t at_once = session_->recipients_max();
  for (std::size_t first = 0; goes_on && first < job.ordinals.size(); first += at_once)
    goes_on = co_await send_some(job, first, *content);
  queue.finish(job);  // what was not settled is offered again
}

// One transaction. False where the connection is of no use for the rest.
Task<bool> Connection::send_some(queue::Job& job, std::size_t first,
                                 store::MessageContent& content) {
  const queue::Envelope& envelope = job.message.envelope;
  const std::size_t end = std::min(job.ordinals.size(), first + session_->recipients_max());
  smtp::OutgoingMessage message;
  message.reverse_path = envelope.reverse_path;
  message.has_8bit = envelope.is_8bit;
  message.has_dot_line = envelope.has_dot_line;
  message.is_binary = envelope.is_binary;
  message.is_utf8 = envelope.is_utf8;
  message.priority = envelope.priority;
  message.requires_tls = envelope.requires_tls;
  message.returned = envelope.returned;
  if (envelope.extras) {
    message.envid = envelope.extras->envid;
    message.deliver_by = deliver_by_of(*envelope.extras);
  }
  for (std::size_t at = first; at < end; ++at) {
    const std::uint16_t ordinal = job.ordinals[at];
    const queue::Recipient& recipient = envelope.recipients[ordinal];
    message.recipients.push_back({.address = recipient.address,
                                  .notify = recipient.notify,
                                  .orcpt = envelope.orcpt_of(ordinal),
                                  .original = recipient.original});
  }
  const std::vector<smtp::Answer> answers = co_await session_->send(message, content);
  const bool is_lost = !session_->is_usable();
  // A connection that has worked may end between messages: they go by the next one, at once.
  const bool was_sent = std::ranges::any_of(
      answers, [](const smtp::Answer& answer) { return answer.command == "."; });
  const bool try_another = is_lost && deliveries_ > 0 && !was_sent;
  if (!try_another)
    for (std::size_t at = first; at < end; ++at) settle(job, job.ordinals[at], answers[at - first]);
  if (!is_lost) {
    ++deliveries_;
    path_.succeeded();
  } else if (deliveries_ == 0) {
    path_.back_off(answers.front().reply);
  }
  co_return !is_lost;
}

// RFC 2852 4.2: a message that is traced, and one that nobody looks at the time of any more.
bool Connection::is_to_be_told(const queue::Envelope& envelope) const {
  if (!envelope.extras) return false;
  const bool keeps_time = session_ && session_->keeps_time();
  return envelope.extras->traces() || (envelope.extras->notifies_when_late() && !keeps_time);
}

void Connection::settle(queue::Job& job, std::uint16_t ordinal, const smtp::Answer& answer) {
  using queue::RecipientState;
  using Verdict = smtp::Answer::Verdict;
  if (answer.verdict == Verdict::not_tried) return;
  queue::Hop at = hop();
  at.data_us = microseconds(io::now() - sending_since_);
  const RecipientState state = answer.verdict == Verdict::accepted ? RecipientState::delivered
                               : answer.verdict == Verdict::refused_for_good
                                   ? RecipientState::bounced
                                   : RecipientState::waiting;
  path_.relay_.queue_.settle(job.message, ordinal,
                             {.state = state,
                              .reply = answer.reply,
                              .command = answer.command,
                              .hop = &at,
                              .next_host_reports = session_ && session_->reports(),
                              .is_to_be_told = is_to_be_told(job.message.envelope)});
  if (state != RecipientState::delivered) return;
  path_.relay_.counters_.add(observe::Counter::messages_delivered);
  path_.relay_.counters_.add(observe::Counter::octets_delivered,
                             static_cast<std::int64_t>(job.message.content_octets));
}

queue::Hop Connection::hop() const {
  const io::Encryption encryption = session_ ? session_->encryption() : io::Encryption();
  return {.site = path_.name_,
          .name = host_,
          .address = address_,
          .source = path_.source_.name,
          .pool = path_.pool_,
          .tls_protocol = encryption.protocol,
          .tls_cipher = encryption.cipher,
          .connect_us = connect_us_};
}

}  // namespace kurir::relay
