// One end of a connection: what it sends travels in pieces, within the other's window.

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "kurir/io/simulated/network.hh"
#include "kurir/io/simulated/world.hh"

namespace kurir::io::simulated {
namespace {

constexpr Nanoseconds kernel_gives_up = std::chrono::minutes(15);  // of octets nobody acknowledges
constexpr std::size_t piece_octets = 16 << 10, tiny_octets = 7;

}  // namespace

Endpoint::Endpoint(World& world, SocketAddress local_of, SocketAddress peer_of)
    : local(std::move(local_of)), peer(std::move(peer_of)), world_(world) {}

void Endpoint::connect_with(std::shared_ptr<Endpoint> other) { other_ = std::move(other); }

std::size_t Endpoint::send(std::string_view octets) {
  if (failure_ != 0 || wants_end_) return 0;
  const std::size_t taken =
      std::min(octets.size(), capacity_ - std::min(capacity_, outbox_.size()));
  outbox_ += octets.substr(0, taken);
  pump();
  return taken;
}

void Endpoint::pump() {
  std::size_t sent = 0;
  while (other_ != nullptr && failure_ == 0 && sent < outbox_.size()) {
    const std::size_t full = other_->readable() + under_way_;
    if (full >= other_->window_) break;
    const std::size_t piece_max = is_tiny_ ? world_.random().between(1, tiny_octets) : piece_octets;
    std::size_t piece = std::min({outbox_.size() - sent, other_->window_ - full, piece_max});
    const bool is_cut = cut_ != Cut::none && sent_ + piece >= cut_after_;
    if (is_cut) piece = static_cast<std::size_t>(cut_after_ - std::min(cut_after_, sent_));
    if (piece > 0) carry(outbox_.substr(sent, piece), false);
    sent += piece;
    if (is_cut) happen();
  }
  outbox_.erase(0, sent);
  if (!wants_end_ || end_sent_ || !outbox_.empty() || failure_ != 0) return;
  end_sent_ = true;
  carry({}, true);
}

void Endpoint::carry(std::string octets, bool end) {
  sent_ += octets.size();
  if (is_silent_) {
    under_way_ += octets.size();  // its window fills
    return give_up_later();
  }
  last_arrival_ = std::max(last_arrival_, world_.now() + world_.network().latency());
  under_way_ += octets.size();
  world_.at(last_arrival_, [self = shared_from_this(), octets = std::move(octets), end] {
    self->under_way_ -= octets.size();
    if (self->other_ == nullptr) return;
    const std::shared_ptr<Endpoint> other = self->other_;
    other->arrive(octets, end);
    self->changed();  // room in what is sent
  });
}

void Endpoint::arrive(std::string_view octets, bool end) {
  world_.note("net.arrive", number, octets.size(), end);
  if (is_closed_ || reads_no_more_) {
    if (octets.empty()) return;
    if (other_ != nullptr) other_->break_now(ECONNRESET);  // nobody reads here any more
    return break_now(EPIPE);
  }
  inbox_ += octets;
  has_ended_ = has_ended_ || end;
  changed();
}

std::size_t Endpoint::read(char* into, std::size_t octets) {
  const std::size_t count = std::min(octets, readable());
  std::memcpy(into, inbox_.data() + consumed_, count);
  consumed_ += count;
  if (consumed_ == inbox_.size()) {
    inbox_.clear();
    consumed_ = 0;
  }
  if (count > 0 && other_ != nullptr && !other_->outbox_.empty()) {
    world_.after(world_.network().latency(), [sender = other_] {
      sender->pump();
      sender->changed();
    });
  }
  return count;
}

void Endpoint::shut_down_send() {
  if (std::exchange(wants_end_, true)) return;
  pump();
}

void Endpoint::shut_down() {
  shut_down_send();
  reads_no_more_ = true;
  has_ended_ = true;
  inbox_.clear();
  consumed_ = 0;
}

void Endpoint::close() {
  on_change = nullptr;
  if (std::exchange(is_closed_, true)) return;
  if (readable() == 0) return shut_down_send();
  reset(EPIPE);
}

void Endpoint::break_now(int error) {
  if (failure_ != 0) return;
  world_.note("net.break", number, error);
  failure_ = error;
  outbox_.clear();
  other_ = nullptr;
  changed();
}

void Endpoint::reset(int error) {
  if (other_ != nullptr)
    world_.after(world_.network().latency(), [other = other_] { other->break_now(ECONNRESET); });
  break_now(error);
}

// A half-close whose sender does not know of it: what it sends from now on arrives nowhere.
void Endpoint::happen() {
  const Cut cut = std::exchange(cut_, Cut::none);
  world_.note("net.cut", number, static_cast<int>(cut), sent_);
  ++world_.network().cuts;
  if (cut == Cut::reset) return reset(ECONNRESET);
  if (cut == Cut::half_close) carry({}, true);
  is_silent_ = true;
  if (cut == Cut::silence && other_ != nullptr) other_->is_silent_ = true;
}

void Endpoint::give_up_later() {
  if (std::exchange(gives_up_, true)) return;
  world_.after(kernel_gives_up, [self = shared_from_this()] { self->break_now(ETIMEDOUT); });
}

}  // namespace kurir::io::simulated
