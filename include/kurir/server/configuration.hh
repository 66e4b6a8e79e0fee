#pragma once
// Configuration: what kurir.toml and --set KEY=VALUE say. The values given here are the defaults;
// src/server/keys.cc is the one table of names, comments and bounds, from which come the parser,
// its error messages and the file that `kurir init` writes. A value once loaded never changes.

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kurir/base/clock.hh"
#include "kurir/io/address.hh"
#include "kurir/relay/shaping.hh"
#include "kurir/smtp/vrfy.hh"
#include "kurir/store/log.hh"
#include "kurir/tls/context.hh"

namespace kurir::server {

// What is wrong with a configuration, for people.
struct ConfigurationFault {
  std::string place;  // the file's path, or "--set KEY=VALUE"
  unsigned line = 0;  // 0: not of one line
  unsigned column = 0;
  std::string text;

  std::string message() const;  // "kurir.toml:12:1: unknown key ..."
};

struct Configuration {
  using Addresses = std::vector<io::SocketAddress>;

  std::string data = "kurir-data";  // a relative path is seen from the file's folder
  std::string hostname = "localhost";
  std::uint64_t cores = 0;  // 0: as many as the process may run on

  struct Listen {
    Addresses smtp;
    Addresses submission;
    Addresses submissions;
    Addresses imap;
    Addresses imaps;
    Addresses pop3;
    Addresses pop3s;
    Addresses lmtp;
  } listen = everywhere();

  struct Process {
    std::string user, group;
    bool confine_files = true;
    bool deny_system_calls = true;
  } process;

  struct Smtp {
    std::uint64_t message_size_max = 50'000'000;
    std::uint64_t recipients_max = 1000;
    std::uint64_t errors_max = 20;
    Nanoseconds command_timeout = std::chrono::minutes(5);  // RFC 5321 4.5.3.2.7
    Nanoseconds data_timeout = std::chrono::minutes(10);
    std::uint64_t data_rate_min = 500;  // octets a second
    smtp::Vrfy vrfy = smtp::Vrfy::nobody;
    bool pipelining_connect = false;
    std::vector<std::string> etrn_networks, xclient_networks;
    std::uint64_t errors_soft = 10;
    Nanoseconds error_delay = Seconds(1);
    std::uint64_t idle_commands_max = 100;
  } smtp;

  enum class ReverseDns : std::uint8_t { off, name, require };
  enum class HelloCheck : std::uint8_t { off, syntax, full_name, resolves };
  struct Strangers {  // hosts that are not in limits.trusted, and do not log in
    Nanoseconds greet_pause{0};
    ReverseDns reverse_dns = ReverseDns::off;
    HelloCheck hello_check = HelloCheck::off;
    std::vector<std::string> block_lists;
    std::uint64_t block_threshold = 1;
    Nanoseconds timeout = Seconds(5);  // of what is asked of name servers about one of them
    bool greylist = false;
    Nanoseconds greylist_delay = std::chrono::minutes(5);
    Nanoseconds greylist_window = std::chrono::hours(48);
    Nanoseconds greylist_lifetime = std::chrono::hours(36 * 24);
  } strangers;

  // The PROXY protocol: on these listeners, from these networks.
  struct Proxy {
    std::vector<std::string> listeners;  // names of listen_names
    std::vector<std::string> networks;
    Nanoseconds timeout = Seconds(5);
  } proxy;

  struct Auth {
    bool allow_plaintext = false;
    std::uint64_t failures_max = 3;
    std::uint64_t failures_per_network = 20, failures_per_account = 100;  // before anybody waits
    Nanoseconds failure_delay = Seconds(5);
    std::vector<std::string> mechanisms;       // SASL's names; empty: all
    std::string token_keys_file;               // empty: no tokens
    std::string token_issuer, token_audience;  // empty: any
    std::string token_user_claim = "email";
  } auth;

  struct Submission {
    std::uint64_t messages_per_hour = 0;  // 0: any number
    std::uint64_t recipients_per_hour = 0;
  } submission;

  struct Tls {
    std::vector<std::string> certificates;  // paths; a relative one is seen from the file's folder
    std::vector<std::string> private_keys;  // of the same index; none: beside the certificates
    tls::Version minimum_version = tls::Version::tls_1_2;
    Nanoseconds handshake_timeout = Seconds(30);
    tls::ClientCertificates::Use client_certificates = tls::ClientCertificates::Use::none;
    std::string client_ca_file;  // empty: nobody is asked
    std::string ca_file = "/etc/ssl/certs/ca-certificates.crt";
  } tls;

  struct Dns {
    Addresses servers;  // none: those of /etc/resolv.conf
    Nanoseconds timeout = Seconds(10);
  } dns;

  struct Limits {
    std::uint64_t connections_max = 100'000;
    std::uint64_t connections_per_address_max = 1'000;
    std::uint64_t connections_per_network_max = 4'000;
    relay::Rate address_connection_rate, network_connection_rate;
    Nanoseconds pressed_timeout = Seconds(10);
    std::uint64_t memory_max = 0;  // 0: three quarters of what there is
    std::vector<std::string> trusted = {"127.0.0.0/8", "::1"};
  } limits;

  struct Store {
    store::Durability durability = store::Durability::commit;
    Nanoseconds durability_interval = Milliseconds(100);
    store::SyncMode sync = store::SyncMode::buffered;
    std::uint64_t segment_size = limits::log_segment_octets;
    std::uint64_t free_space_min = 64 << 20;
    std::uint64_t checkpoint_size = limits::checkpoint_octets;
    std::uint64_t compact_dead_percent = 50;  // of a mail segment; 100: only what is wholly dead
    std::uint64_t compact_rate = 16 << 20;    // octets a second that a core copies
    Nanoseconds compact_interval = std::chrono::minutes(1);  // between two looks
  } store;

  struct Queue {
    Nanoseconds max_age = std::chrono::hours(5 * 24);
    Nanoseconds retry_interval = std::chrono::minutes(20);
    Nanoseconds max_retry_interval = std::chrono::hours(24);
    Nanoseconds delay_warning = std::chrono::hours(4);  // 0: none
    std::string double_bounce_to;
  } queue;

  struct Relay {
    std::uint64_t port = 25;               // of next hops
    std::string certificate, private_key;  // paths; empty: none, in the certificate's file
  } relay;

  struct Mailbox {
    std::uint64_t quota_default = 0;
    bool subaddress_create = true;
  } mailbox;

  struct Log {
    std::string events = "stdout";
    bool summary = true;
  } log;

  struct Shutdown {
    Nanoseconds grace = Seconds(10);
  } shutdown;

  relay::Shaping shaping;  // src/server/shaping_sections.hh

  // Where a key was said: "kurir.toml:12", "--set KEY=VALUE" or "built in".
  std::string origin_of(const std::string& key) const;
  std::map<std::string, std::string> origins;  // of the keys that were said

  std::vector<ConfigurationFault> warnings;  // what was said and has no effect

  static Listen everywhere();  // the ports of the RFCs on every address
};

template <class T>
using Configured = std::expected<T, std::vector<ConfigurationFault>>;

// The keys of [listen].
struct ListenName {
  std::string_view name;
  Configuration::Addresses Configuration::Listen::* place;
};
inline constexpr ListenName listen_names[] = {
    {"smtp", &Configuration::Listen::smtp},
    {"submission", &Configuration::Listen::submission},
    {"submissions", &Configuration::Listen::submissions},
    {"imap", &Configuration::Listen::imap},
    {"imaps", &Configuration::Listen::imaps},
    {"pop3", &Configuration::Listen::pop3},
    {"pop3s", &Configuration::Listen::pop3s},
    {"lmtp", &Configuration::Listen::lmtp},
};

// The text of a file, then each "KEY=VALUE" in turn over it; every fault that there is, not just
// the first. VALUE is a TOML value; what is none ("10MB", "none", 127.0.0.1:25) is a string. `path`
// names the file in messages and is the place that a relative `data` is seen from.
Configured<Configuration> parse_configuration(std::string_view toml, const std::string& path,
                                              const std::vector<std::string>& settings);

// The same, of a file. Blocking.
Configured<Configuration> load_configuration(const std::string& path,
                                             const std::vector<std::string>& settings);

// Without a file: everything on loopback, login without TLS, data in `data`.
enum class DemoPorts : std::uint8_t {
  standard,  // 2525, 2587, 2465, 2143, 2993, 2110, 2995
  free,      // whatever the kernel gives
};
Configured<Configuration> demo_configuration(const std::string& data, DemoPorts ports,
                                             const std::vector<std::string>& settings);

// kurir.toml with every key, its comment and its default; what a setting gives is written as a
// value, the rest commented out.
Configured<std::string> default_file(const std::vector<std::string>& settings);

}  // namespace kurir::server
