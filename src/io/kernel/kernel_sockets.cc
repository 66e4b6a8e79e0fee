// Addresses, listening and opening: what the kernel's driver does with plain system calls.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "kernel_driver.hh"

namespace kurir::io::kernel {
namespace {

union RawAddress {
  sockaddr any;
  sockaddr_in ipv4;
  sockaddr_in6 ipv6;
  sockaddr_un unix;
};

socklen_t to_raw(const SocketAddress& address, RawAddress& raw) {
  std::memset(&raw, 0, sizeof raw);
  switch (address.family()) {
    case Family::ipv4:
      raw.ipv4.sin_family = AF_INET;
      raw.ipv4.sin_port = htons(address.port());
      std::memcpy(&raw.ipv4.sin_addr, address.octets().data(), 4);
      return sizeof raw.ipv4;
    case Family::ipv6:
      raw.ipv6.sin6_family = AF_INET6;
      raw.ipv6.sin6_port = htons(address.port());
      std::memcpy(&raw.ipv6.sin6_addr, address.octets().data(), 16);
      return sizeof raw.ipv6;
    case Family::unix:
      raw.unix.sun_family = AF_UNIX;
      if (address.path().size() >= sizeof raw.unix.sun_path) return 0;
      std::memcpy(raw.unix.sun_path, address.path().data(), address.path().size());
      return sizeof raw.unix;
    case Family::none:
      break;
  }
  return 0;
}

SocketAddress from_raw(const RawAddress& raw) {
  if (raw.any.sa_family == AF_INET) {
    std::array<std::uint8_t, 4> octets{};
    std::memcpy(octets.data(), &raw.ipv4.sin_addr, 4);
    return SocketAddress::ipv4(octets, ntohs(raw.ipv4.sin_port));
  }
  if (raw.any.sa_family == AF_INET6) {
    std::array<std::uint8_t, 16> octets{};
    std::memcpy(octets.data(), &raw.ipv6.sin6_addr, 16);
    return SocketAddress::ipv6(octets, ntohs(raw.ipv6.sin6_port));
  }
  return {};
}

// A socket's path holds 107 octets, a folder's may have more: while this lives, path() is a short
// name of the same place, by way of /proc.
class ShortPath {
 public:
  explicit ShortPath(const std::string& path) : path_(path) {
    const std::size_t slash = path.rfind('/');
    if (path.size() < sizeof(sockaddr_un::sun_path) || slash == std::string::npos) return;
    folder_ = ::open(path.substr(0, slash + 1).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder_ >= 0) path_ = "/proc/self/fd/" + std::to_string(folder_) + path.substr(slash);
  }
  ShortPath(const ShortPath&) = delete;
  ShortPath& operator=(const ShortPath&) = delete;
  ~ShortPath() {
    if (folder_ >= 0) ::close(folder_);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int folder_ = -1;
};

std::unexpected<Error> listen_failure(int socket, int error_number) {
  if (socket >= 0) ::close(socket);
  return fail(error_number == EADDRINUSE ? Errc::busy : Errc::refused, Origin::socket,
              error_number);
}

std::unexpected<Error> open_failure(int socket, int error_number) {
  if (socket >= 0) ::close(socket);
  switch (error_number) {
    case EADDRNOTAVAIL:
      return fail(Errc::unavailable, Origin::socket, error_number);
    case EADDRINUSE:
      return fail(Errc::busy, Origin::socket, error_number);
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EAGAIN:
      return fail(Errc::exhausted, Origin::socket, error_number);
    default:  // no route, or a family that this host lacks
      return fail(Errc::unreachable, Origin::socket, error_number);
  }
}

}  // namespace

Result<Descriptor> bind_stream(SocketAddress& address, bool shared_port) {
  const ShortPath short_path(address.path());
  RawAddress raw{};
  const bool is_unix = address.family() == Family::unix;
  const socklen_t length =
      to_raw(is_unix ? SocketAddress::unix_path(short_path.path()) : address, raw);
  if (length == 0) return fail(Errc::invalid, Origin::socket);
  const int socket = ::socket(raw.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return listen_failure(socket, errno);
  const int on = 1;
  if (is_unix) {
    ::unlink(address.path().c_str());
    // bind() gives the path the mode of the socket: there is no moment at which others may connect.
    if (::fchmod(socket, 0600) != 0) return listen_failure(socket, errno);
  } else {
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (shared_port) ::setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // accepted sockets inherit it
    if (address.family() == Family::ipv6)
      ::setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  if (::bind(socket, &raw.any, length) != 0) return listen_failure(socket, errno);
  if (!is_unix) address = address_of(Descriptor{socket});
  return Descriptor{socket};
}

SocketAddress address_of(Descriptor socket) {
  RawAddress raw{};
  socklen_t length = sizeof raw;
  if (::getsockname(socket.number, &raw.any, &length) != 0) return {};
  return from_raw(raw);
}

Result<Descriptor> KernelDriver::listen(SocketAddress& address, bool shared_port) {
  const Result<Descriptor> bound = bind_stream(address, shared_port);
  if (bound && ::listen(bound->number, backlog) != 0) return listen_failure(bound->number, errno);
  return bound;
}

Result<Descriptor> KernelDriver::open_stream(Family family, const SocketAddress* from) {
  RawAddress raw{};
  const socklen_t length = from == nullptr ? 0 : to_raw(*from, raw);
  if (from != nullptr && (length == 0 || from->family() != family))
    return fail(Errc::invalid, Origin::socket);
  const int domain = family == Family::ipv4 ? AF_INET : family == Family::ipv6 ? AF_INET6 : AF_UNIX;
  const int socket = ::socket(domain, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return open_failure(socket, errno);
  const int on = 1;
  if (family != Family::unix) {
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // The port is chosen when the peer is known: else 28,000 connections use up an address.
    ::setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  }
  if (from != nullptr && ::bind(socket, &raw.any, length) != 0) return open_failure(socket, errno);
  return Descriptor{socket};
}

void KernelDriver::connect(Descriptor socket, const SocketAddress& to, Completion& completion) {
  RawAddress raw{};
  const socklen_t length = to_raw(to, raw);
  static_assert(sizeof raw <= sizeof(sockaddr_storage));
  sockaddr_storage& target = connect_targets_.emplace_back();
  std::memcpy(&target, &raw, sizeof raw);
  io_uring_sqe& entry = next_entry();
  io_uring_prep_connect(&entry, socket.number, reinterpret_cast<const sockaddr*>(&target), length);
  enqueue(entry, completion);
}

Result<Descriptor> KernelDriver::open_datagram(const SocketAddress& to) {
  RawAddress raw{};
  const socklen_t length = to_raw(to, raw);
  if (length == 0 || to.family() == Family::unix) return fail(Errc::invalid, Origin::socket);
  const int socket = ::socket(raw.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return open_failure(socket, errno);
  // Of a datagram socket this waits for nothing.
  if (::connect(socket, &raw.any, length) != 0) return open_failure(socket, errno);
  return Descriptor{socket};
}

SocketAddress KernelDriver::peer_of(Descriptor socket) {
  RawAddress raw{};
  socklen_t length = sizeof raw;
  if (::getpeername(socket.number, &raw.any, &length) != 0) return {};
  return from_raw(raw);
}

SocketAddress KernelDriver::local_of(Descriptor socket) { return address_of(socket); }

void KernelDriver::shut_down(Descriptor socket) { ::shutdown(socket.number, SHUT_RDWR); }
void KernelDriver::shut_down_send(Descriptor socket) { ::shutdown(socket.number, SHUT_WR); }

}  // namespace kurir::io::kernel
