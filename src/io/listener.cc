#include <cerrno>

#include "kurir/base/assert.hh"
#include "kurir/io/core.hh"
#include "kurir/io/socket.hh"
#include "operation.hh"

namespace kurir::io {
namespace {
// How long a listener rests when the process has no descriptor left: connections wait in the
// backlog meanwhile.
constexpr Nanoseconds exhausted_rest = Milliseconds(100);
}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(SocketAddress& address) {
  const Result<Descriptor> descriptor =
      Core::current().driver().listen(address, address.family() != Family::unix);
  if (!descriptor) return std::unexpected(descriptor.error());
  return std::unique_ptr<Listener>(new Listener(*descriptor));
}

std::unique_ptr<Listener> Listener::adopt(Descriptor descriptor) {
  return std::unique_ptr<Listener>(new Listener(descriptor));
}

Listener::Listener(Descriptor descriptor)
    : driver_(Core::current().driver()), descriptor_(descriptor), accept_(this) {}

Listener::~Listener() { KURIR_ASSERT(!descriptor_.open()); }

void Listener::on_accepted(Completion& completion, std::int32_t result, CompletionFlags flags) {
  Listener& listener = *static_cast<AcceptOperation&>(completion).listener;
  if (!flags.more) listener.accept_.armed = false;
  if (result >= 0) {
    listener.accepted_.push_back(Descriptor{result});
  } else if (result != -ECANCELED) {
    listener.failure_ = -result;
  }
  listener.arrived_.notify_all();
}

Task<Result<Descriptor>> Listener::accept() {
  while (!stopping_) {
    if (!accepted_.empty()) {
      const Descriptor descriptor = accepted_.front();
      accepted_.pop_front();
      co_return descriptor;
    }
    const bool exhausted =
        failure_ == EMFILE || failure_ == ENFILE || failure_ == ENOMEM || failure_ == ENOBUFS;
    failure_ = 0;
    if (exhausted) {
      co_await arrived_.wait(deadline_in(exhausted_rest));
      continue;
    }
    if (!accept_.armed) {
      accept_.armed = true;
      driver_.accept(descriptor_, accept_);
    }
    co_await arrived_.wait();
  }
  co_return fail(Errc::cancelled, Origin::socket);
}

void Listener::stop() {
  stopping_ = true;
  arrived_.notify_all();
}

Task<void> Listener::close() {
  stop();
  if (accept_.armed) driver_.cancel(accept_);
  while (accept_.armed) co_await arrived_.wait();
  for (const Descriptor descriptor : accepted_) driver_.close(descriptor);
  accepted_.clear();
  driver_.close(descriptor_);
  descriptor_ = Descriptor{};
}

}  // namespace kurir::io
