#include "kurir/tls/ticket_keys.hh"

#include <algorithm>
#include <cstring>

#include "aead.hh"

namespace kurir::tls {
namespace {

void forget(void* memory, std::size_t octets) { explicit_bzero(memory, octets); }

}  // namespace

TicketKeys::TicketKeys(const Octets& secret, Instant begin)
    : secret_(secret), next_turn_(begin + ticket_key_period) {
  derive();
}

TicketKeys::~TicketKeys() {
  forget(&secret_, sizeof secret_);
  forget(&current_, sizeof current_);
  if (previous_) forget(&*previous_, sizeof *previous_);
}

void TicketKeys::derive() {
  const Digest name = sha256("name", secret_);
  std::ranges::copy(std::span(name).first(current_.name.size()), current_.name.begin());
  current_.octets = sha256("key", secret_);
}

void TicketKeys::turn_to(Instant now) {
  while (now >= next_turn_) {
    previous_ = current_;
    secret_ = sha256("next", secret_);
    derive();
    next_turn_ += ticket_key_period;
  }
}

const TicketKeys::Key& TicketKeys::current(Instant now) {
  turn_to(now);
  return current_;
}

const TicketKeys::Key* TicketKeys::find(std::span<const unsigned char> name, Instant now) {
  turn_to(now);
  if (std::ranges::equal(name, current_.name)) return &current_;
  if (previous_ && std::ranges::equal(name, previous_->name)) return &*previous_;
  return nullptr;
}

}  // namespace kurir::tls
