#pragma once
// How `kurir serve` comes by its ports and gives up what it needs no longer (threats.md K), and how
// it talks to systemd. Private to cli/.

#include <expected>
#include <string>
#include <vector>

#include "kurir/io/service_manager.hh"
#include "kurir/server/serve.hh"

namespace kurir::cli {

// Before there are threads; lives as long as the server runs.
class ServeSurroundings {
 public:
  ServeSurroundings(const server::Configuration& configuration, std::string config_path);

  // Binds every port, or takes those that were passed. Else: why not.
  std::expected<void, std::string> bind();
  server::Surroundings hooks();

 private:
  struct Sockets {
    std::string name;
    io::SocketAddress address;
    std::vector<io::Descriptor> bound;
  };

  std::expected<void, std::string> take_passed();
  std::expected<void, std::string> give_up_root() const;
  std::expected<std::vector<server::BoundListener>, std::string> listen(unsigned cores);
  std::expected<void, std::string> confine() const;
  std::expected<void, std::string> seal() const;
  void tell(server::ServiceState state) const;
  unsigned cores_to_be() const;

  const server::Configuration& configuration_;
  const std::string config_path_;
  const io::ServiceManager manager_;
  std::uint64_t descriptors_ = 0;
  std::vector<Sockets> sockets_;
};

}  // namespace kurir::cli
