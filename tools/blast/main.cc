// kurir-blast: flags to a run, a run to a summary. The flags of smtp-source mean what they mean
// there.

#include <netdb.h>
#include <sysexits.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <stdexcept>
#include <string>

#include "kurir/blast/run.hh"
#include "kurir/io/file.hh"

namespace {

namespace fs = std::filesystem;
using kurir::Nanoseconds;
using kurir::blast::Options;
using kurir::blast::Weighted;

constexpr int exit_not_all_accepted = 1;

// What the flags say, as text where it needs a look.
struct Flags {
  Options options;
  std::string server, source;
  std::vector<std::string> domains, sizes;
  std::string folder;
  std::int64_t duration = 0, warm_up = 0, timeout = 60'000'000'000;
  std::string rate, login, users_file;
  std::string protocol = "smtp";
  std::vector<std::string> mix;
  bool persistent = false, json = false, counter = false, lmtp = false;
  bool tls = false, starttls = false, tls_verify = false;
  std::string tls_name, tls_ca = "/etc/ssl/certs/ca-certificates.crt";
};

// "value:weight" or "value".
Weighted weighted_of(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return {text, 1};
  const std::string weight = text.substr(colon + 1);
  if (weight.empty() || weight.find_first_not_of("0123456789") != std::string::npos)
    throw CLI::ValidationError(text, "expected VALUE:WEIGHT, the weight a number");
  return {text.substr(0, colon), static_cast<unsigned>(std::stoul(weight))};
}

// "4k", "100K", "1M", or octets.
std::string octets_of(const std::string& text) {
  std::uint64_t octets = 0;
  CLI::AsSizeValue(false)(const_cast<std::string&>(text));
  if (!CLI::detail::lexical_cast(text, octets) || octets > (std::uint64_t{1} << 30))
    throw CLI::ValidationError(text, "expected a size, such as 4k");
  return std::to_string(octets);
}

double rate_of(std::string text) {
  if (text.ends_with("/s")) text.resize(text.size() - 2);
  double rate = 0;
  if (!CLI::detail::lexical_cast(text, rate) || rate <= 0)
    throw CLI::ValidationError(text, "expected messages a second, such as 5000/s");
  return rate;
}

// "host:port", "inet:host:port", "[::1]:25"; port 25 where there is none.
kurir::io::SocketAddress address_of(std::string text) {
  if (text.starts_with("inet:")) text.erase(0, 5);
  const bool has_port = text.rfind(':') != std::string::npos && !text.ends_with(']');
  const std::string whole = has_port ? text : text + ":25";
  if (const auto address = kurir::io::SocketAddress::parse(whole)) return *address;
  const std::size_t colon = whole.rfind(':');
  addrinfo hints{}, *found = nullptr;
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  if (::getaddrinfo(whole.substr(0, colon).c_str(), nullptr, &hints, &found) != 0)
    throw CLI::ValidationError(text, "there is no such host");
  char host[NI_MAXHOST];
  ::getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof host, nullptr, 0, NI_NUMERICHOST);
  ::freeaddrinfo(found);
  const auto address = kurir::io::SocketAddress::parse(host + whole.substr(colon));
  if (!address) throw CLI::ValidationError(text, "expected HOST:PORT");
  return *address;
}

// "127.1.0.1-127.1.0.250", or one address.
std::vector<kurir::io::SocketAddress> sources_of(const std::string& text) {
  const std::size_t dash = text.find('-');
  const auto first = kurir::io::SocketAddress::parse(text.substr(0, dash) + ":0");
  const auto last = dash == std::string::npos
                        ? first
                        : kurir::io::SocketAddress::parse(text.substr(dash + 1) + ":0");
  if (!first || !last || first->family() != kurir::io::Family::ipv4 ||
      last->family() != kurir::io::Family::ipv4)
    throw CLI::ValidationError(text, "expected IPv4 addresses, FIRST-LAST");
  const auto number = [](const kurir::io::SocketAddress& address) {
    const auto& octets = address.octets();
    return std::uint32_t{octets[0]} << 24 | std::uint32_t{octets[1]} << 16 |
           std::uint32_t{octets[2]} << 8 | octets[3];
  };
  if (number(*last) < number(*first) || number(*last) - number(*first) > 65535)
    throw CLI::ValidationError(text, "expected at most 65536 addresses, the least first");
  std::vector<kurir::io::SocketAddress> sources;
  for (std::uint64_t at = number(*first); at <= number(*last); ++at)
    sources.push_back(kurir::io::SocketAddress::ipv4(
        {static_cast<std::uint8_t>(at >> 24), static_cast<std::uint8_t>(at >> 16),
         static_cast<std::uint8_t>(at >> 8), static_cast<std::uint8_t>(at)},
        0));
  return sources;
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> messages_of(const std::string& folder) {
  std::vector<fs::path> paths;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> messages;
  for (const fs::path& path : paths) messages.push_back(content_of(path));
  if (messages.empty()) throw CLI::ValidationError(folder, "holds no files");
  return messages;
}

void add_tls_flags(CLI::App& program, Flags& flags) {
  const auto tls = program.add_flag("--tls", flags.tls, "from the first octet (465, 993, 995)");
  program.add_flag("--starttls", flags.starttls, "by STARTTLS, of POP3 by STLS")->excludes(tls);
  program.add_flag("--tls-verify", flags.tls_verify,
                   "the certificate must be the host's and of an authority of --tls-ca");
  program.add_option("--tls-ca", flags.tls_ca, "PEM file of authorities")
      ->check(CLI::ExistingFile)
      ->capture_default_str();
  program.add_option("--tls-name", flags.tls_name,
                     "the host that is asked for, and must be in the certificate (HOST)");
}

void add_flags(CLI::App& program, Flags& flags) {
  Options& options = flags.options;
  const std::map<std::string, std::int64_t> units = {
      {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000}};
  const auto duration = [&units] {
    return CLI::AsNumberWithUnit(units, CLI::AsNumberWithUnit::UNIT_REQUIRED, "DURATION");
  };
  program.add_option("server", flags.server, "HOST:PORT")->required();
  program.add_option("-s,--sessions", options.sessions, "at once")->check(CLI::Range(1U, 60'000U));
  program.add_option("-m,--messages", options.messages, "all together; 0: until --duration");
  program.add_option("--duration", flags.duration, "as 10s")->transform(duration());
  program.add_option("--warm-up", flags.warm_up, "what is sent so early is not measured")
      ->transform(duration());
  program
      .add_option("-l,--length,--sizes", flags.sizes,
                  "octets of the body, as 4k; several as 1k:50,4k:30,100k:20")
      ->delimiter(',');
  program.add_option("--folder", flags.folder, "send the messages that its files hold")
      ->check(CLI::ExistingDirectory);
  program.add_option("-r,--recipients", options.recipients, "of each message")
      ->check(CLI::Range(1U, 1000U));
  program.add_flag("-d,--persistent", flags.persistent, "many messages a connection");
  program.add_option("--per-connection", options.per_connection, "so many messages");
  program.add_flag("-c,--counter", flags.counter, "show a line a second");
  program.add_option("-f,--from", options.sender, "MAIL FROM");
  program.add_option("-t,--to", options.recipient, "RCPT TO");
  program.add_flag("-N,--number", options.number_recipients,
                   "the message's number before the recipient");
  program.add_option("--domain", flags.domains, "of the recipient, with weights: a.test:60")
      ->delimiter(',');
  program.add_option("-M,--hello", options.hello, "our name in EHLO");
  program.add_option("--rate", flags.rate,
                     "begin so many messages a second, as 5000/s; latency counts from when each "
                     "was due");
  program.add_flag("--pipelining", options.pipelining,
                   "MAIL, RCPT and DATA in one piece, the next with the dot");
  program.add_flag("--chunking", options.chunking, "BDAT instead of DATA");
  program.add_flag("-L,--lmtp", flags.lmtp, "speak LMTP");
  program.add_option("--auth", flags.login,
                     "USER:PASSWORD; AUTH PLAIN, IMAP's LOGIN, USER and PASS");
  program.add_option("--protocol", flags.protocol, "smtp, lmtp, imap or pop3")
      ->check(CLI::IsMember({"smtp", "lmtp", "imap", "pop3"}));
  program
      .add_option("--mix", flags.mix,
                  "what IMAP and POP3 sessions do, with weights, as fetch-body:5,store:1; of login "
                  "select fetch-flags fetch-envelope fetch-body store search append idle")
      ->delimiter(',');
  program
      .add_option("--users-file", flags.users_file,
                  "USER:PASSWORD a line, used in turns instead of --auth")
      ->check(CLI::ExistingFile);
  program
      .add_option("--users", options.users,
                  "so many: %d in the name of --auth, or in -t, is one of them")
      ->check(CLI::Range(1U, 10'000'000U));
  program.add_option("--source", flags.source, "connect from these, as 127.1.0.1-127.1.0.250");
  program.add_option("--cores", options.cores, "threads; as many as it may run on");
  program.add_option("--timeout", flags.timeout, "for each reply, as 60s")->transform(duration());
  program.add_option("--run-id", options.run_id, "in the messages' stamps; a random one");
  program.add_flag("--json", flags.json, "the summary as one JSON object");
  add_tls_flags(program, flags);
}

void interpret_tls(Flags& flags) {
  using Begin = kurir::blast::Encryption::Begin;
  kurir::blast::Encryption& encryption = flags.options.encryption;
  if (!flags.tls && !flags.starttls) {
    if (flags.tls_verify) throw CLI::ValidationError("--tls-verify", "needs --tls or --starttls");
    return;
  }
  encryption.begin = flags.tls ? Begin::at_once : Begin::by_command;
  auto context =
      kurir::tls::ClientContext::make(flags.tls_verify ? content_of(flags.tls_ca) : std::string());
  if (!context) throw CLI::ValidationError("--tls-ca", context.error());
  encryption.side = {std::move(*context), flags.tls_name, flags.tls_verify};
  if (!flags.tls_name.empty()) return;
  const std::string whole =
      flags.server.starts_with("inet:") ? flags.server.substr(5) : flags.server;
  encryption.side.host = whole.substr(0, whole.rfind(':'));
}

// Empty lines and those that begin with '#' are passed over.
std::vector<Options::Login> logins_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<Options::Login> logins;
  std::string line;
  for (unsigned number = 1; std::getline(file, line); ++number) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t colon = line.find(':');
    if (colon == 0 || colon == std::string::npos)
      throw CLI::ValidationError("--users-file",
                                 path + ':' + std::to_string(number) + ": expected USER:PASSWORD");
    logins.push_back({line.substr(0, colon), line.substr(colon + 1)});
  }
  if (logins.empty()) throw CLI::ValidationError("--users-file", path + " holds no users");
  return logins;
}

void interpret_mix(Flags& flags) {
  using kurir::blast::Operation;
  using kurir::blast::Protocol;
  Options& options = flags.options;
  for (const std::string& text : flags.mix) {
    const Weighted one = weighted_of(text);
    const auto& names = kurir::blast::operation_names;
    const auto name = std::find(names.begin(), names.end(), one.value);
    if (name == names.end() || one.weight == 0)
      throw CLI::ValidationError(text, "expected an operation of --mix and its weight");
    const auto operation = static_cast<Operation>(name - names.begin());
    const bool is_pop3s = operation == Operation::login || operation == Operation::select ||
                          operation == Operation::fetch_body;
    if (options.protocol == Protocol::pop3 && !is_pop3s)
      throw CLI::ValidationError(text, "POP3 knows login, select and fetch-body");
    options.mix.emplace_back(operation, one.weight);
  }
  const bool is_mailbox = options.protocol == Protocol::imap || options.protocol == Protocol::pop3;
  if (is_mailbox && (options.mix.empty() || !options.logs_in()))
    throw CLI::ValidationError("--protocol",
                               "on mailboxes --mix and --auth (or --users-file) are needed");
  if (!is_mailbox && !options.mix.empty())
    throw CLI::ValidationError("--mix", "is for --protocol imap and pop3");
}

void interpret(Flags& flags) {
  Options& options = flags.options;
  options.server = address_of(flags.server);
  options.duration = Nanoseconds(flags.duration);
  options.warm_up = Nanoseconds(flags.warm_up);
  options.timeout = Nanoseconds(flags.timeout);
  if (options.messages == 0 && flags.duration == 0)
    throw CLI::ValidationError("-m 0", "needs --duration");
  if (flags.persistent) options.per_connection = 0;
  const std::map<std::string, kurir::blast::Protocol> protocols = {
      {"smtp", kurir::blast::Protocol::smtp},
      {"lmtp", kurir::blast::Protocol::lmtp},
      {"imap", kurir::blast::Protocol::imap},
      {"pop3", kurir::blast::Protocol::pop3}};
  options.protocol = protocols.at(flags.protocol);
  if (flags.lmtp) options.protocol = kurir::blast::Protocol::lmtp;
  if (!flags.rate.empty()) options.rate = rate_of(flags.rate);
  if (!flags.source.empty()) options.sources = sources_of(flags.source);
  if (!flags.folder.empty()) options.messages_of = messages_of(flags.folder);
  for (const std::string& domain : flags.domains) options.domains.push_back(weighted_of(domain));
  if (!flags.sizes.empty()) options.sizes.clear();
  for (const std::string& text : flags.sizes) {
    Weighted size = weighted_of(text);
    size.value = octets_of(size.value);
    options.sizes.push_back(std::move(size));
  }
  if (!flags.login.empty()) {
    const std::size_t colon = flags.login.find(':');
    if (colon == std::string::npos) throw CLI::ValidationError("--auth", "expected USER:PASSWORD");
    options.user = flags.login.substr(0, colon);
    options.password = flags.login.substr(colon + 1);
  }
  if (!flags.users_file.empty()) {
    if (!flags.login.empty())
      throw CLI::ValidationError("--users-file", "says whom; --auth does not go with it");
    options.logins = logins_of(flags.users_file);
  }
  interpret_mix(flags);
  interpret_tls(flags);
  if (options.run_id == 0) options.run_id = (std::uint64_t{std::random_device()()} << 32) | 1;
  options.show_progress = flags.counter || (::isatty(STDERR_FILENO) != 0 && !flags.json);
}

int run(int count, char** arguments) {
  Flags flags;
  CLI::App program("kurir-blast: sends mail as fast as the server takes it, or at a rate",
                   "kurir-blast");
  program.footer("Exit codes: 0 all accepted, 1 some not, 64 usage, 69 nobody answers.");
  add_flags(program, flags);
  try {
    program.parse(count, arguments);
    interpret(flags);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? EX_OK : EX_USAGE;
  }
  const auto report = kurir::blast::run(flags.options);
  if (!report) {
    kurir::io::print_error("kurir-blast: " + kurir::io::Driver::explain_failure(report.error()));
    return EX_OSERR;
  }
  kurir::io::print_output(flags.json ? json_of(*report) : text_of(*report));
  if (report->connections == 0) return EX_UNAVAILABLE;
  return report->all_accepted() ? EX_OK : exit_not_all_accepted;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    kurir::io::print_error(std::string("kurir-blast: ") + error.what());
    return EX_SOFTWARE;
  }
}
