#include "kurir/dns/resolver.hh"

#include <algorithm>
#include <utility>

#include "exchange.hh"
#include "kurir/base/assert.hh"
#include "kurir/io/clock.hh"

namespace kurir::dns {
namespace {

constexpr Nanoseconds probe_patience = Seconds(1);

Trouble trouble_of(Exchange::Outcome outcome) {
  switch (outcome) {
    case Exchange::Outcome::replied:
      return Trouble::none;
    case Exchange::Outcome::timed_out:
      return Trouble::timed_out;
    case Exchange::Outcome::unreachable:
      return Trouble::unreachable;
    case Exchange::Outcome::exhausted:
      return Trouble::exhausted;
    case Exchange::Outcome::stopped:
      return Trouble::stopped;
  }
  return Trouble::none;
}

Trouble trouble_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::answer:
      return Trouble::none;
    case Verdict::alias_loop:
      return Trouble::alias_loop;
    case Verdict::server_failed:
      return Trouble::server_failed;
    case Verdict::refused:
    case Verdict::format_error:
      return Trouble::refused;
    case Verdict::mismatch:
    case Verdict::malformed:
    case Verdict::truncated:
      return Trouble::malformed;
  }
  return Trouble::none;
}

// Ours, not the servers': nothing to remember, and no other server would help.
bool is_ours(Trouble trouble) {
  return trouble == Trouble::exhausted || trouble == Trouble::stopped;
}

}  // namespace

const char* text_of(Trouble trouble) {
  switch (trouble) {
    case Trouble::none:
      return "no trouble";
    case Trouble::timed_out:
      return "name servers did not answer in time";
    case Trouble::unreachable:
      return "no name server could be reached";
    case Trouble::server_failed:
      return "name servers failed to find an answer";
    case Trouble::refused:
      return "name servers refused to answer";
    case Trouble::malformed:
      return "malformed answer";
    case Trouble::alias_loop:
      return "too many aliases";
    case Trouble::exhausted:
      return "too many questions at a time";
    case Trouble::stopped:
      return "stopping";
  }
  return "";
}

// A question under way.
struct Resolver::Flight {
  Flight(Key question, Deadline end) : key(std::move(question)), deadline(end) {}
  const Key key;
  const Deadline deadline;
  Event done;
  Answer answer;
};

Resolver::Resolver(ResolverOptions options)
    : options_(std::move(options)),
      servers_(options_.servers),
      cache_(options_.cache, io::random_u64()),
      flights_(16, KeyHash{io::random_u64()}) {}

Resolver::~Resolver() { KURIR_ASSERT(stopped_); }

Task<void> Resolver::stop() {
  KURIR_ASSERT(!stopped_);
  stopping_ = true;
  for (Exchange* exchange : exchanges_) exchange->abort();
  slot_free_.notify_all();
  co_await scope_.join();
  stopped_ = true;
}

Answer Resolver::failure(Trouble trouble) const {
  Answer answer;
  answer.trouble = trouble;
  answer.valid_until = Executor::current().now();
  return answer;
}

Resolver::FlightPtr Resolver::launch(const Key& key) {
  const Deadline deadline = deadline_in(options_.timeout);
  FlightPtr flight = std::make_shared<Flight>(key, deadline);
  flights_.emplace(key, flight);
  scope_.start(fly(flight));
  return flight;
}

Resolver::Begun Resolver::begin(const Key& key) {
  ++figures_.questions;
  if (stopping_) return {nullptr, failure(Trouble::stopped)};
  const auto under_way = flights_.find(key);
  const bool room = flights_.size() < limits::dns_questions_max;
  if (const auto hit = cache_.find(key, Executor::current().now())) {
    ++figures_.from_cache;
    if (hit->wants_refresh && room && under_way == flights_.end()) {
      ++figures_.refreshed;
      launch(key);
    }
    return {nullptr, *hit->answer};
  }
  if (under_way != flights_.end()) {
    ++figures_.joined;
    return {under_way->second, {}};
  }
  if (!room) return {nullptr, failure(Trouble::exhausted)};
  return {launch(key), {}};
}

Task<Answer> Resolver::await_answer(Begun begun, Deadline deadline) {
  if (!begun.flight) co_return begun.known;
  const Woken woken = co_await begun.flight->done.wait(deadline);
  if (woken == Woken::by_deadline) co_return failure(Trouble::timed_out);
  co_return begun.flight->answer;
}

Task<Answer> Resolver::query(Name name, RecordType type, Deadline deadline) {
  co_return co_await await_answer(begin(Key{std::move(name), type}), deadline);
}

Task<void> Resolver::fly(FlightPtr flight) {
  Reply reply = co_await resolve(flight->key, flight->deadline);
  Answer& answer = flight->answer;
  answer = std::move(reply.answer);
  const Instant now = Executor::current().now();
  if (answer.status == Status::try_later) ++figures_.failures;
  if (is_ours(answer.trouble)) {
    answer.valid_until = now;
  } else if (answer.status == Status::try_later || reply.may_keep) {
    cache_.put(flight->key, answer, reply.ttl, now);
  } else {
    answer.valid_until = now + options_.cache.ttl_min;
  }
  flights_.erase(flight->key);
  flight->done.set();
}

// Follows aliases whose end the server did not add.
Task<Reply> Resolver::resolve(Key key, Deadline deadline) {
  unsigned aliases = 0;
  bool authentic = true;
  std::uint32_t ttl = 0x7fffffff;
  for (;;) {
    Heard heard = co_await ask_all(key, deadline);
    aliases += heard.reply.aliases;
    if (aliases > limits::dns_aliases_max) heard.trouble = Trouble::alias_loop;
    if (heard.trouble != Trouble::none) {
      Reply failed;
      failed.answer = failure(heard.trouble);
      co_return failed;
    }
    ttl = std::min(ttl, heard.reply.ttl);
    authentic = authentic && heard.reply.answer.authentic;
    if (!heard.reply.follow) {
      heard.reply.ttl = ttl;
      heard.reply.answer.authentic = authentic;
      co_return std::move(heard.reply);
    }
    key.name = *heard.reply.follow;
  }
}

Task<Trouble> Resolver::take_slot(Deadline deadline) {
  while (!stopping_ && slots_taken_ >= options_.exchanges_max) {
    const Woken woken = co_await slot_free_.wait(deadline);
    if (woken == Woken::by_deadline) co_return Trouble::exhausted;
  }
  if (stopping_) co_return Trouble::stopped;
  ++slots_taken_;
  co_return Trouble::none;
}

// In rounds, with growing patience, those servers that have said nothing yet.
Task<Resolver::Heard> Resolver::ask_all(Key key, Deadline deadline) {
  Heard heard;
  heard.trouble = co_await take_slot(deadline);
  if (heard.trouble != Trouble::none) co_return heard;
  probe_failed_servers();
  std::vector<bool> settled(servers_.count(), false);
  for (Nanoseconds patience = options_.first_timeout;; patience *= 2) {
    heard = co_await ask_round(key, patience, deadline, settled);
    const bool all_settled = std::ranges::find(settled, false) == settled.end();
    const bool late = Executor::current().now() >= deadline;
    if (heard.trouble == Trouble::none || is_ours(heard.trouble) || all_settled || late) break;
  }
  --slots_taken_;
  slot_free_.notify_one();
  co_return heard;
}

Task<Resolver::Heard> Resolver::ask_round(Key key, Nanoseconds patience, Deadline deadline,
                                          std::vector<bool>& settled) {
  Heard heard;
  heard.trouble = Trouble::timed_out;
  for (const std::size_t server : servers_.order()) {
    if (settled[server]) continue;
    if (Executor::current().now() >= deadline) break;
    heard = co_await ask_one(server, key, patience, deadline);
    if (heard.trouble == Trouble::none || is_ours(heard.trouble)) break;
    settled[server] = heard.trouble != Trouble::timed_out;
  }
  co_return heard;
}

// A server that does not know EDNS, or folds case, is asked again as it likes it.
Task<Resolver::Heard> Resolver::ask_one(std::size_t server, Key key, Nanoseconds patience,
                                        Deadline deadline) {
  Heard heard;
  Servers::Manner manner = servers_.manner(server);
  for (;;) {
    if (stopping_) co_return Heard{.reply = {}, .trouble = Trouble::stopped};
    ++figures_.exchanges;
    Exchange exchange(servers_.address(server), key, manner);
    exchanges_.push_back(&exchange);
    const Instant until = std::min(deadline, deadline_in(patience));
    Exchange::Told told = co_await exchange.run(until);
    std::erase(exchanges_, &exchange);
    figures_.disbelieved += told.disbelieved;
    figures_.over_tcp += told.over_tcp ? 1 : 0;
    const bool replied = told.outcome == Exchange::Outcome::replied;
    const bool plainer = replied && told.reply.verdict == Verdict::format_error && manner.extended;
    const bool folded = told.folds_case && manner.keeps_case;
    if (plainer) manner.extended = false;
    if (folded) manner.keeps_case = false;
    if (plainer || (folded && told.outcome == Exchange::Outcome::unreachable)) continue;
    heard.trouble = replied ? trouble_of(told.reply.verdict) : trouble_of(told.outcome);
    heard.reply = std::move(told.reply);
    if (told.alive && heard.trouble != Trouble::refused) {
      servers_.answered(server);
      if (heard.trouble == Trouble::none) servers_.learn(server, manner);
    } else if (!is_ours(heard.trouble)) {
      servers_.failed(server, Executor::current().now());
    }
    co_return heard;
  }
}

void Resolver::probe_failed_servers() {
  while (const auto server = servers_.take_due_probe(Executor::current().now()))
    scope_.start(probe(*server));
}

// Any answer will do: that of the root is known to every server that looks further for us.
Task<void> Resolver::probe(std::size_t server) {
  const Deadline until = deadline_in(probe_patience);
  (void)co_await ask_one(server, Key{Name::root(), RecordType::ns}, probe_patience, until);
}

}  // namespace kurir::dns
