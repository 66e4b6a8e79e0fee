#include "kurir/io/service_manager.hh"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "kernel_driver.hh"

namespace kurir::io {
namespace {

constexpr int first_passed = 3;  // SD_LISTEN_FDS_START
constexpr std::uint64_t passed_max = 1024;

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  unsetenv(name);
  return text;
}

std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

bool is_for_us(const std::string& pid) {
  return number_of(pid) == static_cast<std::uint64_t>(getpid());
}

bool is_listening_stream(int descriptor) {
  int type = 0;
  socklen_t length = sizeof type;
  return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

std::vector<PassedSocket> sockets_passed(std::uint64_t count, std::string_view names) {
  std::vector<PassedSocket> sockets;
  for (std::uint64_t at = 0; at < count && at < passed_max; ++at) {
    const auto colon = std::min(names.find(':'), names.size());
    PassedSocket socket;
    socket.descriptor.number = first_passed + static_cast<int>(at);
    socket.name = std::string(names.substr(0, colon));
    names.remove_prefix(std::min(colon + 1, names.size()));
    fcntl(socket.descriptor.number, F_SETFD, FD_CLOEXEC);
    if (!is_listening_stream(socket.descriptor.number)) continue;
    socket.address = kernel::address_of(socket.descriptor);
    sockets.push_back(std::move(socket));
  }
  return sockets;
}

}  // namespace

ServiceManager ServiceManager::of_environment() {
  ServiceManager manager;
  const std::string listen_pid = take_variable("LISTEN_PID");
  const std::string listen_count = take_variable("LISTEN_FDS");
  const std::string listen_names = take_variable("LISTEN_FDNAMES");
  if (is_for_us(listen_pid))
    manager.sockets_ = sockets_passed(number_of(listen_count), listen_names);
  manager.notify_socket_ = take_variable("NOTIFY_SOCKET");
  const std::string watchdog = take_variable("WATCHDOG_USEC");
  const std::string watchdog_pid = take_variable("WATCHDOG_PID");
  if (watchdog_pid.empty() || is_for_us(watchdog_pid))
    manager.watchdog_ = std::chrono::microseconds(number_of(watchdog));
  return manager;
}

void ServiceManager::notify(std::string_view state) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (notify_socket_.empty() || notify_socket_.size() >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, notify_socket_.data(), notify_socket_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // the abstract names
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) return;
  const auto length =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + notify_socket_.size());
  static_cast<void>(::sendto(socket, state.data(), state.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address), length));
  ::close(socket);
}

void ServiceManager::notify_reloading() const {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  const auto microseconds = std::int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1000;
  notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds));
}

Result<std::vector<Descriptor>> bind_sockets(SocketAddress& address, unsigned count) {
  std::vector<Descriptor> sockets;
  SocketAddress chosen = address;
  while (sockets.size() < count) {
    const Result<Descriptor> bound = kernel::bind_stream(chosen, true);
    if (!bound) {
      for (const Descriptor socket : sockets) ::close(socket.number);
      return std::unexpected(bound.error());
    }
    sockets.push_back(*bound);
  }
  address = chosen;
  return sockets;
}

Result<Descriptor> duplicate(Descriptor socket) {
  const int copy = fcntl(socket.number, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return fail(Errc::exhausted, Origin::socket, errno);
  return Descriptor{copy};
}

Result<void> begin_listening(Descriptor socket) {
  if (::listen(socket.number, kernel::backlog) != 0)
    return fail(errno == EADDRINUSE ? Errc::busy : Errc::refused, Origin::socket, errno);
  return {};
}

}  // namespace kurir::io
