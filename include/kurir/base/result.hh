#pragma once
// Result<T>: the world failing (disk, network, time), as a value. Passed up unchanged to the one
// place that makes of it a reply, a retry or a shutdown. What a peer does wrong is Parsed<T>, not
// this.

#include <cstdint>
#include <expected>

namespace kurir {

// What went wrong, in terms that a caller can decide on.
enum class Errc : std::uint8_t {
  closed,       // the peer closed or reset the connection
  timed_out,    // the deadline passed
  interrupted,  // somebody asked this wait to end (shutdown, a notification)
  cancelled,    // the operation was cancelled
  refused,      // the other side, or a limit, said no
  unreachable,  // no way leads to the other side
  unavailable,  // the local address asked for is none of this host's
  no_space,     // ENOSPC, EDQUOT: the disk or quota is full
  io_failed,    // EIO and its like; what was written is not to be trusted
  corrupt,      // stored bytes do not match their checksum or format
  not_found,
  exists,
  busy,         // held by another process or session
  too_large,    // over a bound of ours
  exhausted,    // out of memory, descriptors, buffers
  unsupported,  // the kernel or a library cannot
  invalid,      // the caller's or configuration's value makes no sense
};

// Which part of the world it came from.
enum class Origin : std::uint8_t {
  socket,
  file,
  log,
  clock,
  library,
  configuration,
  directory,
  mailbox,
  queue,
  core,
  tls
};

struct Error {
  Errc code;
  Origin origin;
  int os_errno = 0;  // 0 where the system had no say

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(Errc code, Origin origin, int os_errno = 0) {
  return std::unexpected(Error{code, origin, os_errno});
}

}  // namespace kurir
