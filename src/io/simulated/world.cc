#include "kurir/io/simulated/world.hh"

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

#include "kurir/base/assert.hh"

namespace kurir::io::simulated {
namespace {

World* current_world = nullptr;
constexpr std::size_t said_octets_max = 64 << 10;

// What the manuals name for each of them, and what a caller must therefore stand.
std::span<const int> errors_of(Operation operation) {
  static constexpr int open_file[] = {EIO, EMFILE, ENFILE, ENOMEM, ENOSPC, EDQUOT};
  static constexpr int read_file[] = {EIO, EINTR, EAGAIN, ENOMEM};
  static constexpr int write_file[] = {EIO, ENOSPC, EDQUOT, EFBIG, EINTR, EAGAIN, ENOMEM};
  static constexpr int sync_file[] = {EIO, ENOSPC, EDQUOT};
  static constexpr int allocate_file[] = {EIO, ENOSPC, EDQUOT, EFBIG, ENOSYS};
  static constexpr int change_name[] = {EIO, ENOSPC, EDQUOT, ENOMEM};
  static constexpr int directory[] = {EIO, ENOMEM, EMFILE};
  static constexpr int accept[] = {EMFILE, ENFILE, ENOMEM, ENOBUFS, ECONNABORTED, EINTR};
  static constexpr int open_socket[] = {EMFILE, ENFILE, ENOMEM, ENOBUFS};
  static constexpr int connect[] = {ECONNREFUSED, ETIMEDOUT,     EHOSTUNREACH, ENETUNREACH,
                                    ECONNRESET,   EADDRNOTAVAIL, EAGAIN};
  static constexpr int receive[] = {ENOBUFS, EINTR, ENOMEM, ECONNRESET};
  static constexpr int send[] = {EINTR, EAGAIN, ENOMEM, ENOBUFS, EPIPE, ECONNRESET};
  switch (operation) {
    case Operation::open_file:
      return open_file;
    case Operation::read_file:
      return read_file;
    case Operation::write_file:
      return write_file;
    case Operation::sync_file:
    case Operation::sync_directory:
      return sync_file;
    case Operation::allocate_file:
      return allocate_file;
    case Operation::rename_file:
    case Operation::remove_file:
    case Operation::make_directory:
      return change_name;
    case Operation::read_directory:
      return directory;
    case Operation::accept:
      return accept;
    case Operation::open_socket:
      return open_socket;
    case Operation::connect:
      return connect;
    case Operation::receive:
      return receive;
    case Operation::send:
      return send;
    case Operation::count:
      break;
  }
  return {};
}

}  // namespace

// Whether this operation is the planned one, or comes after it.
bool Faults::is_due() {
  if (until_failure_ > 0 && --until_failure_ == 0) {
    is_failing_ = goes_on_;
    return true;
  }
  return is_failing_;
}

int Faults::strike(Operation operation) {
  const Rule& rule = rules_[static_cast<std::size_t>(operation)];
  if (is_due()) {
    ++struck_;
    const std::span<const int> documented = errors_of(operation);
    return failure_ != 0 ? failure_ : documented[random_.below(documented.size())];
  }
  if (!random_.chance(rule.probability)) return 0;
  ++struck_;
  const std::span<const int> errors = errors_of(operation);
  return rule.error != 0 ? rule.error : errors[random_.below(errors.size())];
}

WallTime WallClock::at(Instant now) const {
  if (is_frozen_) return frozen_;
  const Nanoseconds since = now.time_since_epoch() + offset_;
  return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

World::World(std::uint64_t seed) : random_(seed), faults_(random_), network_(*this), disk_(*this) {
  KURIR_ASSERT(current_world == nullptr);
  current_world = this;
}

World::~World() {
  for (const std::shared_ptr<Process>& process : processes_) process->kill();
  current_world = nullptr;
}

World& World::current() {
  KURIR_ASSERT(current_world != nullptr);
  return *current_world;
}

Process& World::start(std::string name, std::function<void()> body) {
  note("process.start", name);
  processes_.push_back(std::make_shared<Process>(*this, std::move(name), std::move(body)));
  Process& started = *processes_.back();
  at(now_, [process = processes_.back()] { process->resume(); });
  return started;
}

void World::at(Instant when, std::function<void()> action) {
  events_.push_back({std::max(when, now_), ++order_, std::move(action)});
  std::push_heap(events_.begin(), events_.end(), later);
}

bool World::step() {
  if (events_.empty()) return false;
  std::pop_heap(events_.begin(), events_.end(), later);
  const Event event = std::move(events_.back());
  events_.pop_back();
  now_ = event.when;
  event.action();
  return true;
}

void World::run_until(Instant end) {
  while (!events_.empty() && events_.front().when <= end) step();
  now_ = std::max(now_, end);
}

bool World::run_until(const std::function<bool()>& done, Instant end) {
  while (!done()) {
    if (events_.empty() || events_.front().when > end) {
      now_ = std::max(now_, end);
      return done();
    }
    step();
  }
  return true;
}

void World::say(std::string_view text) {
  note("says", text);
  said_ += text;
  if (said_.size() > said_octets_max) said_.erase(0, said_.size() - said_octets_max);
}

}  // namespace kurir::io::simulated
