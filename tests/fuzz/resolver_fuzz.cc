// A resolver whose name server says anything. Input: what is asked, then packets, parted by 0xFF:
// a first octet of choices, then the octets. At the end the server says that it failed.
#include <atomic>
#include <mutex>

#include "dns/resolver_fixture.hh"
#include "input.hh"
#include "on_a_core.hh"

namespace kurir::dns {
namespace {

struct Script {
  std::mutex mutex;
  std::string packets;

  void speak(const test::Question& question, const test::FakeServer::Send& send) {
    std::string said;
    {
      const std::lock_guard lock(mutex);
      said = packets;
    }
    std::string_view rest = said;
    for (unsigned count = 0; !rest.empty() && count < 8; ++count)
      send(packet_of(question, fuzz::take_piece(rest)));
    std::string failed = question.packet.substr(0, 2) + "\x81\x82";
    failed += std::string("\0\1\0\0\0\0\0\0", 8) + test::question_of(question.packet);
    send(failed);
  }
  // 1: with the id that was asked with, 2: and with the header's flags and counts, 4: and with the
  // question.
  static std::string packet_of(const test::Question& question, std::string_view piece) {
    const unsigned choice = fuzz::take_octet(piece);
    std::string packet;
    if ((choice & 1) != 0) packet = question.packet.substr(0, 2);
    if ((choice & 3) == 3) packet += std::string("\x81\x80\0\1\0\1\0\0\0\0", 10);
    if ((choice & 7) == 7) packet += test::question_of(question.packet);
    return packet + std::string(piece);
  }
};
Script script;

void check_answer(const Answer& answer, RecordType type) {
  KURIR_ASSERT((answer.status == Status::found) == !answer.records.empty());
  KURIR_ASSERT(answer.records.size() <= limits::dns_records_max);
  for (const Record& record : answer.records) {
    const bool is_address = std::holds_alternative<io::SocketAddress>(record);
    KURIR_ASSERT(is_address == (type == RecordType::a || type == RecordType::aaaa));
    if (const auto* mx = std::get_if<Mx>(&record))
      KURIR_ASSERT(mx->exchange == "." || is_host_name(mx->exchange));
  }
}

struct Deal {
  Resolver& resolver;
  unsigned& number;
  Task<void> operator()(std::string_view input) {
    constexpr RecordType types[] = {RecordType::a,    RecordType::mx,    RecordType::txt,
                                    RecordType::aaaa, RecordType::cname, RecordType::tlsa};
    const RecordType type = types[fuzz::take_octet(input) % std::size(types)];
    {
      const std::lock_guard lock(script.mutex);
      script.packets = input;
    }
    const std::string name = "n" + std::to_string(++number) + ".test";
    const Answer answer =
        co_await resolver.query(*Name::parse(name), type, deadline_in(Seconds(20)));
    check_answer(answer, type);
    const bool is_believable = input.find_first_not_of('\xff') != std::string_view::npos;
    if (!is_believable) KURIR_ASSERT(answer.status == Status::try_later);
  }
};

Task<void> live(Resolver& resolver, fuzz::InputGate& gate) {
  unsigned number = 0;
  Deal deal{resolver, number};
  co_await fuzz::serve(gate, 500, deal);
}

}  // namespace
}  // namespace kurir::dns

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  static dns::test::FakeServer server(
      [](const auto& question, const auto& send) { dns::script.speak(question, send); });
  static fuzz::CoreThread thread([](fuzz::InputGate& gate) {
    dns::ResolverOptions options = dns::test::options_for({server.address()});
    options.timeout = Milliseconds(500);
    options.first_timeout = Milliseconds(100);
    dns::test::with_resolver(options,
                             [&](dns::Resolver& resolver) { return dns::live(resolver, gate); });
  });
  thread.pass(fuzz::text_of(data, size));
  return 0;
}
