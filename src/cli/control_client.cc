#include "kurir/cli/control_client.hh"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "kurir/base/assert.hh"

namespace kurir::cli {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }
  bool open() const { return number_ >= 0; }

 private:
  int number_;
};

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
Result<void> connect_to(const Descriptor& socket, const std::string& data) {
  const Descriptor folder(::open(data.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder.open()) return failure(errno);
  const std::string path =
      server::control_socket_path("/proc/self/fd/" + std::to_string(folder.number()));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  KURIR_ASSERT(path.size() < sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return failure(errno);
  return {};
}

Result<void> send_all(const Descriptor& socket, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t sent = ::send(socket.number(), octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return failure(errno);
    octets.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

// Up to the line's end, or the connection's.
Result<std::string> receive_line(const Descriptor& socket) {
  std::string line;
  char buffer[16 * 1024];
  while (!line.ends_with('\n')) {
    const ssize_t received = ::recv(socket.number(), buffer, sizeof buffer, 0);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) return failure(errno);
    if (received == 0) break;
    line.append(buffer, static_cast<std::size_t>(received));
    if (line.size() > server::control_answer_octets_max)
      return fail(Errc::too_large, Origin::socket);
  }
  return line;
}

}  // namespace

Result<nlohmann::json> ask_server(const std::string& data, const server::ControlRequest& request) {
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.open()) return failure(errno);
  const auto connected = connect_to(socket, data);
  if (!connected) return std::unexpected(connected.error());
  const auto sent = send_all(socket, server::control_line(request));
  if (!sent) return std::unexpected(sent.error());
  const auto line = receive_line(socket);
  if (!line) return std::unexpected(line.error());
  auto answer = server::parse_control_answer(*line);
  if (!answer) return fail(Errc::io_failed, Origin::socket);
  return std::move(*answer);
}

}  // namespace kurir::cli
