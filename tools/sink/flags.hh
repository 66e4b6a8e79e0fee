#pragma once
// kurir-sink's flags. Those of smtp-sink(1) mean what they mean there; those that have no meaning
// here are refused with what to do instead.

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kurir/sink/options.hh"

struct Flags {
  kurir::sink::Options options;
  std::string port_file;
  bool json = false;
  // Mailboxes: none where neither is served.
  std::string serve_pop3, serve_imap, data, password = "sink";
  bool serves() const { return !serve_pop3.empty() || !serve_imap.empty(); }

  // As they were said.
  std::string address, backlog, tls_certificate, tls_key;
  std::vector<std::string> rules, disconnects, silences, delays, domain_rules, personalities;
  std::vector<std::pair<std::string, std::string>> of_domains;
  std::string disconnect_at, end_at, refuse_at, put_off_at, show_at;
  std::string soft = "450 4.3.0 Error: command failed", hard = "500 5.3.0 Error: command failed";
  std::vector<std::string> waits;
  std::optional<unsigned> abort_after;
  std::optional<unsigned> waiting_connections_max;
  unsigned data_wait = 0, read_wait = 0, timeout = 0;
  bool counter = false, no_pipelining = false, no_8bit = false, no_ehlo = false, no_codes = false,
       no_dsn = false, no_chunking = false, no_utf8 = false, pix = false, never_announced = false,
       ipv4 = false, ipv6 = false, tls = false, starttls = false;
};

void add_flags(CLI::App& program, Flags& flags);
// Fills in the options. Throws CLI::ValidationError.
void interpret(Flags& flags);
