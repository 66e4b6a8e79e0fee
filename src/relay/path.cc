#include "path.hh"

#include <algorithm>

#include "connection.hh"
#include "destination.hh"
#include "kurir/io/clock.hh"

namespace kurir::relay {
namespace {

constexpr std::size_t bad_addresses_max = 256;

std::string seconds_until(Instant when) {
  const auto left = std::chrono::ceil<Seconds>(when - io::now());
  return std::to_string(std::max<std::int64_t>(left.count(), 0)) + " s";
}

}  // namespace

TlsWish tls_wish_of(const queue::Job& job) {
  const queue::Envelope& envelope = job.message.envelope;
  if (envelope.requires_tls) return TlsWish::required;
  return envelope.tls_optional ? TlsWish::optional : TlsWish::as_configured;
}

Path::Path(Relay& relay, std::string name, std::string site, Source source, std::string pool,
           PathLimits limits, TlsWish tls)
    : relay_(relay),
      name_(std::move(name)),
      site_(std::move(site)),
      source_(std::move(source)),
      pool_(std::move(pool)),
      limits_(std::move(limits)),
      tls_(tls),
      timer_(this) {}

Path::~Path() {
  unlink();
  while (!ready_.empty()) ready_.pop_front();
}

bool Path::is_idle() const {
  return holders_ == 0 && ready_.empty() && connections_.empty() && !acquiring_ &&
         (shared_ == nullptr ||
          shared_->back_off_until.load() <= io::now().time_since_epoch().count());
}

void Path::give_back_share() {
  if (shared_ != nullptr) relay_.sites_.release(*shared_);
  shared_ = nullptr;
}

void Path::set_hosts(std::vector<NextHost> hosts, Instant valid_until) {
  hosts_ = std::move(hosts);
  hosts_valid_until_ = valid_until;
}

// --- jobs

void Path::take(queue::Job& job) {
  job.place = this;
  relay_.queue_.waits_for(job, name_);
  ready_.push_back(job);
  ++ready_count_;
  pump();
}

queue::Job* Path::pop() {
  if (ready_.empty()) return nullptr;
  --ready_count_;
  return &ready_.pop_front();
}

void Path::withdraw(queue::Job& job) {
  job.unlink();
  --ready_count_;
}

void Path::give_back(std::string_view domain, Place& place, IntrusiveList<queue::Job>& to) {
  ready_.for_each([&](queue::Job& job) {
    if (relay_.domain_of(job) != domain) return;
    withdraw(job);
    job.place = &place;
    to.push_back(job);
  });
}

// --- connections

void Path::pump() {
  if (relay_.stopping_ || ready_.empty()) return;
  if (shared_ == nullptr) {
    if (!std::exchange(acquiring_, true)) relay_.scope_.start(acquire_share());
    return;
  }
  while (ready_count_ > unassigned_ && wake_idle()) {
  }
  while (ready_count_ > unassigned_ && may_connect()) {
    ++unassigned_;
    ++connection_count_;
    ++relay_.connections_;
    relay_.scope_.start(run_connection());
  }
}

Task<void> Path::acquire_share() {
  shared_ = co_await relay_.sites_.acquire(name_);
  acquiring_ = false;
  pump();
}

Connection* Path::find_idle() {
  Connection* idle = nullptr;
  connections_.for_each([&](Connection& connection) {
    if (connection.is_idle() && !connection.is_unassigned()) idle = &connection;
  });
  return idle;
}

bool Path::wake_idle() {
  Connection* idle = find_idle();
  if (idle == nullptr) return false;
  ++unassigned_;
  idle->assign();
  idle->wake();
  return true;
}

// Woken, it looks whether others wait.
void Path::give_way() {
  if (Connection* idle = find_idle()) idle->wake();
}

// Everything that can keep a connection from being made, the cheapest first.
bool Path::may_connect() {
  const Instant now = io::now();
  const Instant back_off_until{Nanoseconds(shared_->back_off_until.load())};
  if (back_off_until > now) {
    pump_at(back_off_until);
    return false;
  }
  if (shared_->failures.load() > 0 && unassigned_ > 0) return false;  // one finds out for all
  const Instant due =
      std::max(SharedSite::peek(shared_->next_connection, limits_.max_connection_rate.value, now),
               SharedSite::peek(shared_->next_message, limits_.max_message_rate.value, now));
  if (due > now + limits_.idle_timeout.value) {
    pump_at(due);
    return false;
  }
  if (relay_.connections_ >= relay_.options_.connections_max) {
    if (!linked()) relay_.starved_.push_back(*this);
    return false;
  }
  return take_slot();
}

// Looks once more after saying that it waits: see SiteTable::disconnect().
bool Path::take_slot() {
  const std::uint64_t limit = limits_.connection_limit.value;
  if (shared_->try_connect(limit)) return true;
  const std::uint64_t ours = std::uint64_t{1} << (relay_.core_.value % 64);
  const bool has_asked = (shared_->waiting_cores.fetch_or(ours) & ours) != 0;
  if (!shared_->try_connect(limit)) {
    if (!has_asked) relay_.scope_.start(relay_.sites_.ask_for_slot(relay_.core_, name_));
    return false;
  }
  shared_->waiting_cores.fetch_and(~ours);
  return true;
}

bool Path::others_wait() const {
  const std::uint64_t ours = std::uint64_t{1} << (relay_.core_.value % 64);
  return (shared_->waiting_cores.load() & ~ours) != 0;
}

Task<void> Path::run_connection() {
  {
    Connection connection(*this);
    connections_.push_back(connection);
    co_await connection.run();
    connection.unlink();
  }
  --connection_count_;
  co_await relay_.sites_.disconnect(*shared_, name_);
  relay_.connection_ended();
  pump();
}

void Path::pump_at(Instant when) {
  if (timer_.armed() && timer_.when() <= when) return;
  Executor::current().timers().arm(timer_, when);
}

// After a back-off the hosts may be others.
void Path::resume() {
  if (!ready_.empty() && hosts_valid_until_ <= io::now()) {
    relay_.destination_of(relay_.domain_of(ready_.front())).refresh();
  }
  pump();
}

void Path::hurry() {
  if (shared_ != nullptr) shared_->back_off_until.store(0);
  timer_.cancel();
  pump();
}

void Path::stop() {
  timer_.cancel();
  connections_.for_each([](Connection& connection) { connection.wake(); });
}

void Path::abort() {
  connections_.for_each([](Connection& connection) { connection.abort(); });
}

// --- what hosts are like

bool Path::is_bad(const io::SocketAddress& address) const {
  const auto known = bad_addresses_.find(address.text());
  return known != bad_addresses_.end() && known->second > io::now();
}

void Path::mark(const io::SocketAddress& address, bool is_bad) {
  if (!is_bad) {
    bad_addresses_.erase(address.text());
    return;
  }
  if (bad_addresses_.size() >= bad_addresses_max) bad_addresses_.clear();
  bad_addresses_[address.text()] = io::now() + 2 * relay_.options_.back_off_min;
}

void Path::succeeded() {
  if (shared_->failures.load() == 0) return;
  shared_->failures.store(0);
  shared_->back_off_until.store(0);
  pump();  // the one that found out needs no longer be alone
}

// Several connections that fail together count once.
void Path::back_off(const std::string& reply) {
  const Instant now = io::now();
  std::int64_t until = shared_->back_off_until.load();
  if (until > now.time_since_epoch().count()) return;
  shared_->trouble.write(reply);
  const RelayOptions& options = relay_.options_;
  Nanoseconds delay = options.back_off_min;
  for (unsigned failure = shared_->failures.load(); failure > 0 && delay < options.back_off_max;
       --failure)
    delay *= 2;
  const Instant next = now + std::min(delay, options.back_off_max);
  if (shared_->back_off_until.compare_exchange_strong(until, next.time_since_epoch().count()))
    shared_->failures.fetch_add(1);
}

// The first that waits was attempted in vain; the others wait on, with the path.
void Path::put_off_one(const std::string& reply, const queue::Hop& hop) {
  queue::Job* job = pop();
  if (job == nullptr) return;
  relay_.queue_.take_up(*job);
  settle_all(*job, queue::RecipientState::waiting, reply, hop);
  relay_.queue_.finish(*job);
}

// One connection does it, where several found out: each would end a slice a turn.
Task<void> Path::fail_all_for_good(std::string reply) {
  if (std::exchange(failing_, true)) co_return;
  queue::Hop hop;
  hop.site = name_;
  std::size_t failed = 0;
  while (queue::Job* job = relay_.stopping_ ? nullptr : pop()) {
    relay_.queue_.take_up(*job);
    settle_all(*job, queue::RecipientState::bounced, reply, hop);
    relay_.queue_.finish(*job);
    if (++failed % jobs_at_once == 0) co_await yield_turn();
  }
  failing_ = false;
}

void Path::settle_all(queue::Job& job, queue::RecipientState state, const std::string& reply,
                      const queue::Hop& hop) {
  for (const std::uint16_t ordinal : job.ordinals)
    relay_.queue_.settle(job.message, ordinal, {.state = state, .reply = reply, .hop = &hop});
}

// --- for people

// Whichever core had it. Valid until it is asked for again.
std::string_view Path::trouble() const {
  trouble_ =
      shared_ != nullptr && shared_->failures.load() > 0 ? shared_->trouble.read() : std::string();
  return trouble_;
}

std::string Path::explain() const {
  std::string text =
      "a connection of " + name_ + ", " + std::to_string(ready_count_) + " ready on this core";
  if (shared_ == nullptr) return text;
  const Instant now = io::now();
  const Instant until{Nanoseconds(shared_->back_off_until.load())};
  if (until > now)
    text += "; back-off after " + std::to_string(shared_->failures.load()) +
            " failures: next attempt in " + seconds_until(until);
  const std::string_view last = trouble();
  if (!last.empty()) text += "; last trouble: " + std::string(last);
  const std::uint64_t taken = shared_->connections.load();
  if (taken >= limits_.connection_limit.value)
    text += "; connection_limit = " + std::to_string(limits_.connection_limit.value) + " (" +
            limits_.connection_limit.origin + "): all are in use";
  const auto add_rate = [&](const char* key, const Limit<Rate>& limit,
                            const std::atomic<std::int64_t>& next) {
    const Instant due = SharedSite::peek(next, limit.value, now);
    if (due > now)
      text += std::string("; ") + key + " = " + text_of(limit.value) + " (" + limit.origin +
              "): next in " + seconds_until(due);
  };
  add_rate("max_message_rate", limits_.max_message_rate, shared_->next_message);
  add_rate("max_connection_rate", limits_.max_connection_rate, shared_->next_connection);
  return text;
}

}  // namespace kurir::relay
