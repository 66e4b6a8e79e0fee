// `kurir unit`: the units for systemd, with this program's and this configuration's paths.

#include <sysexits.h>

#include <filesystem>
#include <memory>
#include <string_view>

#include "kurir/cli/commands.hh"
#include "kurir/io/file.hh"
#include "location.hh"

namespace kurir::cli {
namespace {

struct Options {
  std::string config = "/etc/kurir/kurir.toml";
  bool sockets = false;
};

// Started as root: the server binds its ports, reads its keys, becomes process.user and gives up
// the rest itself, step by step; the manager only adds what a process cannot do to itself.
constexpr std::string_view service_head = R"([Unit]
Description=Kurir mail server
Documentation=man:kurir(1)
After=network-online.target nss-lookup.target
Wants=network-online.target

[Service]
Type=notify-reload
)";
constexpr std::string_view service_rest = R"(Restart=on-failure
RestartSec=1s
# A hung core says nothing: then it is started anew. Recovery of a large queue may take a while.
WatchdogSec=60s
TimeoutStartSec=10min
TimeoutStopSec=90s
LimitNOFILE=1048576
LimitMEMLOCK=infinity
TasksMax=256
UMask=0077
ProtectSystem=full
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_SETUID CAP_SETGID
CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER

[Install]
WantedBy=multi-user.target
)";

// One unit for all listeners cannot name each socket: one for each, of which this is the text.
std::string socket_unit(const server::ListenName& listener, const server::Configuration& defaults) {
  std::string text = "# kurir-" + std::string(listener.name) + ".socket\n[Unit]\n";
  text += "Description=Kurir, " + std::string(listener.name) + "\n\n[Socket]\n";
  for (const io::SocketAddress& address : defaults.listen.*listener.place)
    text += "ListenStream=" + address.text() + '\n';
  text += "FileDescriptorName=" + std::string(listener.name) +
          "\nBindIPv6Only=ipv6-only\nBacklog=4096\nNoDelay=yes\nService=kurir.service\n\n"
          "[Install]\nWantedBy=sockets.target\n\n";
  return text;
}

int print_unit(const Options& options) {
  const std::string config = io::absolute_path(options.config);
  if (options.sockets) {
    server::Configuration shown;
    if (io::file_exists(config)) {
      const auto loaded = server::load_configuration(config, {});
      if (!loaded) {
        print_faults(loaded.error());
        return EX_CONFIG;
      }
      shown = *loaded;
    }
    for (const server::ListenName& listener : server::listen_names)
      if (!(shown.listen.*listener.place).empty()) io::print_output(socket_unit(listener, shown));
    return EX_OK;
  }
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::string command = error ? "/usr/bin/kurir" : program.string();
  io::print_output(std::string(service_head) + "ExecStart=" + command + " serve --config " +
                   config + '\n' + std::string(service_rest));
  return EX_OK;
}

}  // namespace

void add_unit(CLI::App& program, int& exit_code) {
  CLI::App* command = program.add_subcommand(
      "unit", "print the unit for systemd: kurir unit > /etc/systemd/system/kurir.service");
  const auto options = std::make_shared<Options>();
  command->add_option("--config", options->config, "the configuration that it serves");
  command->add_flag("--sockets", options->sockets,
                    "the units of its sockets instead, one after the other, for socket activation");
  command->callback([=, &exit_code] { exit_code = print_unit(*options); });
}

}  // namespace kurir::cli
