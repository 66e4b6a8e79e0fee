#pragma once
// systemd, or whatever speaks its protocol: sockets it opened for us (sd_listen_fds(3)), and what
// we tell it (sd_notify(3)). Plain system calls; nothing happens where no manager started us. The
// environment is read once, before there are threads, and cleared: no child mistakes it for its
// own.

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/io/driver.hh"

namespace kurir::io {

struct PassedSocket {
  Descriptor descriptor;
  std::string name;  // FileDescriptorName=, or the socket unit's name
  SocketAddress address;
};

class ServiceManager {
 public:
  static ServiceManager of_environment();
  const std::vector<PassedSocket>& sockets() const { return sockets_; }
  // "READY=1" and the like, a line each. Any thread; never waits.
  void notify(std::string_view state) const;
  // "RELOADING=1" needs the time it began (sd_notify(3)).
  void notify_reloading() const;
  // How often it wants to hear WATCHDOG=1, at least; 0: not at all.
  Nanoseconds watchdog_interval() const { return watchdog_; }

 private:
  std::vector<PassedSocket> sockets_;
  std::string notify_socket_;
  Nanoseconds watchdog_{0};
};

// Sockets bound to one address, as many as asked for, that do not listen yet: the connections of
// another server at the same port are left alone until this one is sure that it will serve. Port 0
// is replaced by the one chosen. Errc::busy where the address is in use.
Result<std::vector<Descriptor>> bind_sockets(SocketAddress& address, unsigned count);
Result<Descriptor> duplicate(Descriptor socket);
Result<void> begin_listening(Descriptor socket);

}  // namespace kurir::io
