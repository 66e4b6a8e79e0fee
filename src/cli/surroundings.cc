#include "surroundings.hh"

#include <unistd.h>
#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>

#include "kurir/io/confinement.hh"
#include "kurir/io/core.hh"
#include "kurir/io/file.hh"

namespace kurir::cli {
namespace {

namespace fs = std::filesystem;
using Done = std::expected<void, std::string>;

void warn(const std::string& text) { io::print_error("kurir: warning: " + text); }

std::string folder_of(const std::string& path) {
  const fs::path parent = fs::path(io::absolute_path(path)).parent_path();
  return parent.empty() ? "/" : parent.string();
}

// Ports that say what is spoken there, for sockets that were passed without a name of ours.
std::string_view name_of_port(std::uint16_t port) {
  switch (port) {
    case 25:
      return "smtp";
    case 587:
      return "submission";
    case 465:
      return "submissions";
    case 143:
      return "imap";
    case 993:
      return "imaps";
    case 110:
      return "pop3";
    case 995:
      return "pop3s";
    default:
      return {};
  }
}

bool is_listener(std::string_view name) {
  return std::ranges::find(server::listen_names, name, &server::ListenName::name) !=
         std::end(server::listen_names);
}

std::string trouble_with(const io::SocketAddress& address, const Error& error) {
  if (error.code == Errc::busy)
    return "cannot listen on " + address.text() + ": another program has the port";
  return "cannot listen on " + address.text() + ": " + std::strerror(error.os_errno);
}

Done forgive(const io::ConfinedOr& confined, const std::string& warning) {
  if (!confined) return std::unexpected(confined.error());
  if (*confined == io::Confined::unavailable) warn(warning);
  return {};
}

}  // namespace

ServeSurroundings::ServeSurroundings(const server::Configuration& configuration,
                                     std::string config_path)
    : configuration_(configuration),
      config_path_(std::move(config_path)),
      manager_(io::ServiceManager::of_environment()) {}

// A shard's core keeps its number: those of a data folder that is there count.
unsigned ServeSurroundings::cores_to_be() const {
  unsigned shards = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(configuration_.data, error))
    if (entry.path().filename().string().starts_with("shard-")) ++shards;
  return shards > 0 ? shards
                    : io::Cores::resolve_count(static_cast<unsigned>(configuration_.cores));
}

Done ServeSurroundings::bind() {
  descriptors_ = io::raise_descriptor_limit();
  if (!manager_.sockets().empty()) return take_passed();
  const unsigned cores = cores_to_be();
  for (const auto& [name, place] : server::listen_names)
    for (const io::SocketAddress& wanted : configuration_.listen.*place) {
      Sockets sockets{std::string(name), wanted, {}};
      // A path is one socket, which all cores listen on.
      const bool is_path = wanted.family() == io::Family::unix;
      auto bound = io::bind_sockets(sockets.address, is_path ? 1 : cores);
      if (!bound) return std::unexpected(trouble_with(wanted, bound.error()));
      sockets.bound = std::move(*bound);
      sockets_.push_back(std::move(sockets));
    }
  return {};
}

// What the manager opened is what is listened on: the configuration's addresses are not.
Done ServeSurroundings::take_passed() {
  for (const io::PassedSocket& passed : manager_.sockets()) {
    std::string name = passed.name;
    if (!is_listener(name)) name = name_of_port(passed.address.port());
    if (name.empty())
      return std::unexpected("the socket " + passed.address.text() + " was passed as \"" +
                             passed.name +
                             "\", and its port says nothing: give its unit FileDescriptorName=smtp "
                             "or another key of [listen]");
    sockets_.push_back({name, passed.address, {passed.descriptor}});
  }
  return {};
}

Done ServeSurroundings::give_up_root() const {
  const auto& process = configuration_.process;
  const bool is_data_missing =
      io::file_exists(configuration_.data + ".marker") && !io::file_exists(configuration_.data);
  if (io::runs_as_root() && !process.user.empty() && !is_data_missing) {
    const Done given = io::give_folder(configuration_.data, process.user, process.group);
    if (!given) return given;
  }
  const Done became = io::become_user(process.user, process.group);
  if (!became) return became;
  if (io::runs_as_root() && !config_path_.empty())
    warn("it runs as root; process.user names the user that it should become");
  return io::forbid_new_privileges();
}

std::expected<std::vector<server::BoundListener>, std::string> ServeSurroundings::listen(
    unsigned cores) {
  std::vector<server::BoundListener> listeners;
  for (Sockets& sockets : sockets_) {
    const std::size_t bound = sockets.bound.size();
    while (sockets.bound.size() < cores) {
      const auto copy = io::duplicate(sockets.bound[sockets.bound.size() % bound]);
      if (!copy) return std::unexpected(trouble_with(sockets.address, copy.error()));
      sockets.bound.push_back(*copy);
    }
    for (; sockets.bound.size() > cores; sockets.bound.pop_back())
      ::close(sockets.bound.back().number);
    for (const io::Descriptor socket : sockets.bound)
      if (const auto listening = io::begin_listening(socket); !listening)
        return std::unexpected(trouble_with(sockets.address, listening.error()));
    listeners.push_back({sockets.name, sockets.address, sockets.bound});
  }
  return listeners;
}

// Reading: what libraries read of the system, and what a reload reads. Writing: the data and the
// log.
Done ServeSurroundings::confine() const {
  if (!configuration_.process.confine_files) return {};
  io::AllowedFiles files;
  files.readable = {"/etc", "/usr", "/lib", "/lib64", "/proc", "/sys", "/dev"};
  files.writable = {configuration_.data, "/dev/null"};
  if (!config_path_.empty()) files.readable.push_back(folder_of(config_path_));
  for (const auto* paths : {&configuration_.tls.certificates, &configuration_.tls.private_keys})
    for (const std::string& path : *paths) files.readable.push_back(folder_of(path));
  for (const std::string& path :
       {configuration_.tls.ca_file, configuration_.tls.client_ca_file,
        configuration_.relay.certificate, configuration_.relay.private_key,
        configuration_.auth.token_keys_file})
    if (!path.empty()) files.readable.push_back(folder_of(path));
  const std::string& log = configuration_.log.events;
  if (log != "stdout" && log != "none") files.writable.push_back(folder_of(log));
  return forgive(io::confine_files(files),
                 "this kernel has no Landlock: the server may read and write whatever files its "
                 "user may");
}

Done ServeSurroundings::seal() const {
  if (!configuration_.process.deny_system_calls) return {};
  return forgive(io::deny_system_calls(),
                 "this kernel has no seccomp filters: no system call is given up");
}

void ServeSurroundings::tell(server::ServiceState state) const {
  switch (state) {
    case server::ServiceState::ready:
      return manager_.notify("READY=1\nSTATUS=Serving " + configuration_.hostname);
    case server::ServiceState::reloading:
      return manager_.notify_reloading();
    case server::ServiceState::stopping:
      return manager_.notify("STOPPING=1\nSTATUS=Ending its sessions");
    case server::ServiceState::alive:
      return manager_.notify("WATCHDOG=1");
  }
}

server::Surroundings ServeSurroundings::hooks() {
  return {.give_up_root = [this] { return give_up_root(); },
          .listeners = [this](unsigned cores) { return listen(cores); },
          .confine = [this] { return confine(); },
          .seal = [this] { return seal(); },
          .descriptors = descriptors_,
          .memory_octets = io::memory_octets(),
          .memory_used = io::memory_used,
          .tell = [this](server::ServiceState state) { tell(state); },
          .watchdog_interval = manager_.watchdog_interval()};
}

}  // namespace kurir::cli
