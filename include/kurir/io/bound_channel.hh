#pragma once
// BoundChannel: what a stream is beside a Stream where a login can be tied to its encryption. Apart
// from Stream, for nobody but logins asks.

#include <cstdint>
#include <string>

#include "kurir/io/socket.hh"

namespace kurir::io {

// RFC 9266, RFC 5929 4.
enum class ChannelBinding : std::uint8_t { exporter, server_end_point };

class BoundChannel {
 public:
  // Octets that both ends see alike and nobody between them; empty: not to be had.
  virtual std::string channel_binding(ChannelBinding kind) const = 0;

 protected:
  ~BoundChannel() = default;
};

inline std::string channel_binding(const Stream& stream, ChannelBinding kind) {
  const auto* bound = dynamic_cast<const BoundChannel*>(&stream);
  return bound == nullptr ? std::string() : bound->channel_binding(kind);
}

}  // namespace kurir::io
