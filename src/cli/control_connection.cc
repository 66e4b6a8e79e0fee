#include "control_connection.hh"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "kurir/base/assert.hh"
#include "kurir/server/control_protocol.hh"

namespace kurir::cli {
namespace {

std::unexpected<Error> failure(int number) {
  switch (number) {
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
      return fail(Errc::not_found, Origin::socket, number);
    case EACCES:
    case EPERM:
      return fail(Errc::refused, Origin::socket, number);
    default:
      return fail(Errc::io_failed, Origin::socket, number);
  }
}

// A socket's path holds 107 octets, a data directory's may have more: by way of /proc it is short.
int connect_within(int socket, int folder) {
  const std::string path = server::control_socket_path("/proc/self/fd/" + std::to_string(folder));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  KURIR_ASSERT(path.size() < sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  return ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

}  // namespace

Result<ControlConnection> ControlConnection::open(const std::string& data) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return failure(errno);
  ControlConnection connection(socket);
  const int folder = ::open(data.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return failure(errno);
  const int connected = connect_within(socket, folder);
  const int error_number = errno;
  ::close(folder);
  if (connected != 0) return failure(error_number);
  return connection;
}

ControlConnection::ControlConnection(ControlConnection&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), received_(std::move(other.received_)) {}

ControlConnection::~ControlConnection() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> ControlConnection::send(std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t sent = ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return failure(errno);
    octets.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<std::string> ControlConnection::receive_line(std::size_t octets_max) {
  std::size_t searched = 0;
  char buffer[64 * 1024];
  for (;;) {
    const std::size_t end = received_.find('\n', searched);
    if (end != std::string::npos) {
      std::string line = received_.substr(0, end + 1);
      received_.erase(0, end + 1);
      return line;
    }
    searched = received_.size();
    if (searched > octets_max) return fail(Errc::too_large, Origin::socket);
    const ssize_t received = ::recv(descriptor_, buffer, sizeof buffer, 0);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) return failure(errno);
    if (received == 0) return std::exchange(received_, {});
    received_.append(buffer, static_cast<std::size_t>(received));
  }
}

}  // namespace kurir::cli
