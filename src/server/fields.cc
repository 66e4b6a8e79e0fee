#include <algorithm>

#include "keys.hh"
#include "kurir/server/values.hh"
#include "shaping_relations.hh"

namespace kurir::server {
namespace {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

std::string list_of(const Configuration::Addresses& addresses) {
  std::string text = "[";
  for (const io::SocketAddress& address : addresses)
    text += (text.size() > 1 ? ", " : "") + quoted(address.text());
  return text + "]";
}

std::string list_of(const std::vector<std::string>& paths) {
  std::string text = "[";
  for (const std::string& path : paths) text += (text.size() > 1 ? ", " : "") + quoted(path);
  return text + "]";
}

std::string names_of(const Choice& choice) {
  std::string text;
  for (std::size_t at = 0; at < choice.names.size(); ++at) {
    if (at > 0) text += at + 1 == choice.names.size() ? " or " : ", ";
    text += quoted(choice.names[at]);
  }
  return text;
}

std::string between(const std::string& min, const std::string& max) {
  return " from " + min + " to " + max;
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x20 || octet == 0x7f) {
      result += "\\u00";
      result += digits[octet >> 4];
      result += digits[octet & 15];
      continue;
    }
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

std::string toml_key(std::string_view name) {
  const auto is_bare = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !name.empty() && std::ranges::all_of(name, is_bare) ? std::string(name) : quoted(name);
}

std::string commented(std::string_view text) {
  std::string lines = "# ";
  for (const char c : text) lines += c == '\n' ? std::string("\n# ") : std::string(1, c);
  return lines + '\n';
}

std::string expected_value(const Field& field) {
  return std::visit(
      Overloaded{
          [](const Flag&) { return std::string("true or false"); },
          [](const Number& n) {
            return "a number" + between(std::to_string(n.min), std::to_string(n.max));
          },
          [](const Size& s) {
            return "a size, like \"10MB\" or \"64KiB\"," +
                   between(size_text(s.min), size_text(s.max));
          },
          [](const Duration& d) {
            return "a duration, like \"1h30m\" or \"500ms\"," +
                   between(duration_text(d.min), duration_text(d.max));
          },
          [](const Text& t) { return std::string(t.expected); },
          [](const AddressList&) {
            return std::string(
                "a list of addresses with ports, like [\"127.0.0.1:25\", "
                "\"[::1]:25\"]");
          },
          [](const PathList&) { return std::string("a file's path, or a list of paths"); },
          [](const WordList& w) { return std::string(w.expected); },
          [](const Choice& c) { return names_of(c); },
          [](const RateField&) { return std::string("a rate, like \"100/s\" or \"10/2min\""); },
      },
      field);
}

std::string toml_value(const Field& field) {
  return std::visit(Overloaded{
                        [](const Flag& f) { return std::string(*f.value ? "true" : "false"); },
                        [](const Number& n) { return std::to_string(*n.value); },
                        [](const Size& s) { return quoted(size_text(*s.value)); },
                        [](const Duration& d) { return quoted(duration_text(*d.value)); },
                        [](const Text& t) { return quoted(*t.value); },
                        [](const AddressList& a) { return list_of(*a.value); },
                        [](const PathList& p) { return list_of(*p.value); },
                        [](const WordList& w) { return list_of(*w.value); },
                        [](const Choice& c) { return quoted(c.names[c.now]); },
                        [](const RateField& r) { return quoted(relay::text_of(*r.value)); },
                    },
                    field);
}

std::vector<std::string> broken_relations(const Configuration& c) {
  std::vector<std::string> broken;
  const auto require = [&](bool holds, const char* text) {
    if (!holds) broken.emplace_back(text);
  };
  require(c.queue.retry_interval <= c.queue.max_retry_interval,
          "queue.retry_interval is longer than queue.max_retry_interval");
  require(c.queue.max_retry_interval <= c.queue.max_age,
          "queue.max_retry_interval is longer than queue.max_age: a message would never be tried "
          "again");
  require(c.limits.connections_per_address_max <= c.limits.connections_max,
          "limits.connections_per_address_max is more than limits.connections_max");
  require(c.tls.private_keys.empty() || c.tls.private_keys.size() == c.tls.certificates.size(),
          "tls.private_keys has not as many files as tls.certificates");
  require(c.tls.client_certificates == tls::ClientCertificates::Use::none ||
              !c.tls.client_ca_file.empty(),
          "tls.client_certificates needs tls.client_ca_file: whose word on them counts");
  require(c.relay.private_key.empty() || !c.relay.certificate.empty(),
          "relay.private_key is there without relay.certificate");
  require(c.store.segment_size % 4096 == 0, "store.segment_size is not a multiple of 4096");
  for (const io::SocketAddress& server : c.dns.servers)
    if (server.family() == io::Family::unix || server.port() == 0)
      broken.push_back("dns.servers: no name server can be at " + server.text());
  require(c.dns.servers.size() <= limits::dns_servers_max,
          "dns.servers has more than 8 name servers");
  static_assert(limits::dns_servers_max == 8);
  require(c.auth.failures_max <= c.smtp.errors_max,
          "auth.failures_max is more than smtp.errors_max, which counts them too");
  require(
      c.strangers.greylist_delay < c.strangers.greylist_window,
      "strangers.greylist_window is not longer than strangers.greylist_delay: nobody could come "
      "again");
  require(c.proxy.listeners.empty() == c.proxy.networks.empty(),
          "proxy.listeners and proxy.networks are of use only together");
  Configuration::Addresses seen;
  for (const auto* list :
       {&c.listen.smtp, &c.listen.submission, &c.listen.submissions, &c.listen.imap,
        &c.listen.imaps, &c.listen.pop3, &c.listen.pop3s, &c.listen.lmtp}) {
    for (const io::SocketAddress& address : *list) {
      const bool again = std::ranges::find(seen, address) != seen.end() && address.port() != 0;
      if (again) broken.push_back("two listeners share the address " + address.text());
      seen.push_back(address);
    }
  }
  check_shaping(c.shaping, broken);
  require(!seen.empty(), "there is no listener: give listen.smtp or another one an address");
  return broken;
}

}  // namespace kurir::server
