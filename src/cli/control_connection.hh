#pragma once
// A connection to the control socket of the server on a data directory. Blocking. Private to cli/.

#include <string>
#include <string_view>

#include "kurir/base/result.hh"

namespace kurir::cli {

// Move-only; closes itself.
class ControlConnection {
 public:
  // Errc::not_found: no server runs there; refused: it is somebody else's.
  static Result<ControlConnection> open(const std::string& data);
  ControlConnection(ControlConnection&& other) noexcept;
  ControlConnection& operator=(ControlConnection&&) = delete;
  ~ControlConnection();

  Result<void> send(std::string_view octets);
  // Up to the line's end, which it has, or the connection's. Errc::too_large: beyond octets_max.
  Result<std::string> receive_line(std::size_t octets_max);
  // What was received and belongs to no line that was given yet.
  std::string_view unread() const { return received_; }
  int descriptor() const { return descriptor_; }

 private:
  explicit ControlConnection(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
  std::string received_;
};

}  // namespace kurir::cli
