#pragma once
// What the system says of a way to a peer, in terms that a caller can decide on. Private to io/.

#include <cerrno>

#include "kurir/base/result.hh"

namespace kurir::io {

inline Error connect_error(int error_number) {
  const auto coded = [error_number](Errc code) {
    return Error{code, Origin::socket, error_number};
  };
  switch (error_number) {
    case ECONNREFUSED:
      return coded(Errc::refused);
    case ETIMEDOUT:
      return coded(Errc::timed_out);
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EAGAIN:
    case EADDRNOTAVAIL:  // no local port is left for this peer
      return coded(Errc::exhausted);
    case ECANCELED:
      return coded(Errc::cancelled);
    case EINVAL:
      return coded(Errc::invalid);
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
      return coded(Errc::closed);
    case ENOENT:  // of a unix socket
      return coded(Errc::not_found);
    default:  // no route, no such network, a firewall of ours, a family that this host lacks
      return coded(Errc::unreachable);
  }
}

}  // namespace kurir::io
