#include "names.hh"

#include <cstdint>

#include "plan.hh"

namespace kurir::sim {
namespace {

constexpr std::size_t header_octets = 12;
constexpr std::uint16_t type_a = 1, type_mx = 15;
constexpr unsigned ttl = 300, server_failure = 2, no_such_name = 3;

void put(std::string& out, std::uint16_t number) {
  out += static_cast<char>(number >> 8);
  out += static_cast<char>(number & 0xff);
}

std::string encoded(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    out += static_cast<char>(dot);
    out += name.substr(0, dot);
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return out + '\0';
}

struct Question {
  std::string name;  // lower case, dots between
  std::uint16_t type = 0;
  std::size_t end = 0;  // of it in the packet
};

Question read_question(std::string_view packet) {
  Question question;
  std::size_t at = header_octets;
  while (at < packet.size() && packet[at] != 0) {
    const auto length = static_cast<std::size_t>(packet[at]);
    if (!question.name.empty()) question.name += '.';
    for (const char letter : packet.substr(at + 1, length))
      question.name += letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
    at += length + 1;
  }
  question.end = at + 5;
  if (question.end <= packet.size())
    question.type = static_cast<std::uint16_t>(static_cast<unsigned char>(packet[at + 1]) << 8 |
                                               static_cast<unsigned char>(packet[at + 2]));
  return question;
}

// What the name has of the type, as record data; empty: nothing.
std::string data_of(const Question& question) {
  for (unsigned domain = 0; domain < remote_domains; ++domain) {
    std::string data;
    if (question.name == remote_domain(domain) && question.type == type_mx) {
      put(data, 10);
      return data + encoded("mx." + remote_domain(domain));
    }
    if (question.name != "mx." + remote_domain(domain) || question.type != type_a) continue;
    const io::SocketAddress address = sink_address(domain);
    for (unsigned octet = 0; octet < 4; ++octet) data += static_cast<char>(address.octets()[octet]);
    return data;
  }
  return {};
}

}  // namespace

std::string Names::answer(std::string_view query) {
  const bool fails = random_.chance(failing);
  if (fails && random_.chance(0.5)) return {};
  const Question question = read_question(query);
  if (question.end > query.size()) return {};
  const std::string data = fails ? std::string() : data_of(question);
  const bool exists = question.name.ends_with("test") && !question.name.ends_with("nowhere.test");
  const unsigned code = fails ? server_failure : exists ? 0 : no_such_name;
  std::string reply(query.substr(0, 2));
  put(reply, static_cast<std::uint16_t>(0x8180 | code));
  put(reply, 1);
  put(reply, data.empty() ? 0 : 1);
  put(reply, 0);
  put(reply, 0);
  reply += query.substr(header_octets, question.end - header_octets);
  if (data.empty()) return reply;
  put(reply, 0xc00c);  // the question's name
  put(reply, question.type);
  put(reply, 1);
  put(reply, 0);
  put(reply, ttl);
  put(reply, static_cast<std::uint16_t>(data.size()));
  return reply + data;
}

}  // namespace kurir::sim
