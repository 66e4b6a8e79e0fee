// Our client against a host that says anything: nothing breaks, each recipient has an answer that
// may be kept, nothing leaves that is no SMTP, and how the host's octets were cut does not matter.
#include "input.hh"
#include "on_a_core.hh"
#include "smtp/client_fixture.hh"

namespace kurir::smtp {
namespace {

const std::vector<test::Letter>& letters() {
  static const std::vector<test::Letter> all = {
      {"s@example.test", {"a@b.test", "c@b.test"}, "Subject: 1\r\n\r\n.dot\r\n..\r\nend\r\n"},
      {"", {"d@b.test"}, "Subject: 2\r\n\r\n\xc3\xa9", true}};
  return all;
}

void check_line(const std::string& text) {
  KURIR_ASSERT(!text.empty());
  for (const char c : text) KURIR_ASSERT(c >= ' ' && c <= '~');
}

// No bare CR or LF, and no line with a dot alone but at the end of content.
void check_sent(const std::string& sent) {
  for (std::size_t at = 0; at < sent.size(); ++at) {
    if (sent[at] == '\n') KURIR_ASSERT(at > 0 && sent[at - 1] == '\r');
    if (sent[at] == '\r') KURIR_ASSERT(at + 1 == sent.size() || sent[at + 1] == '\n');
  }
}

std::vector<std::string> flat(const test::Visit::Outcome& outcome) {
  std::vector<std::string> all = {outcome.opened, outcome.was_usable ? "usable" : "of no use"};
  for (const auto& letter : outcome.answers) all.insert(all.end(), letter.begin(), letter.end());
  return all;
}

struct Deal {
  test::LetterBox& box;
  Task<std::vector<std::string>> visit(std::string_view input, bool is_cut) {
    test::Visit visit(box, letters());
    visit.start();
    while (!input.empty() && !visit.outcome().has_ended) {
      std::string_view piece = fuzz::take_piece(input);
      while (!piece.empty() && !visit.outcome().has_ended) {
        const std::size_t octets = is_cut ? 1 + piece.size() / 2 : piece.size();
        while (!visit.stream().is_starved() && !visit.outcome().has_ended) co_await yield_turn();
        if (visit.outcome().has_ended) break;
        visit.stream().feed(piece.substr(0, octets));
        piece.remove_prefix(octets);
      }
    }
    while (!visit.outcome().has_ended && !visit.stream().is_starved()) co_await yield_turn();
    if (!visit.outcome().has_ended) visit.stream().hang_up();
    co_await visit.join();
    check_sent(visit.stream().sent());
    co_return flat(visit.outcome());
  }
  Task<void> operator()(std::string_view input) {
    input = input.substr(0, 4096);
    const std::vector<std::string> whole = co_await visit(input, false);
    for (const std::string& text : whole) check_line(text);
    const std::vector<std::string> cut = co_await visit(input, true);
    KURIR_ASSERT(whole == cut);
  }
};

Task<void> live(test::LetterBox& box, fuzz::InputGate& gate) {
  Deal deal{box};
  co_await fuzz::serve(gate, 500, deal);
}

}  // namespace
}  // namespace kurir::smtp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  static fuzz::CoreThread thread([](fuzz::InputGate& gate) {
    smtp::test::LetterBox::run([&](smtp::test::LetterBox& box) { return smtp::live(box, gate); });
  });
  thread.pass(fuzz::text_of(data, size));
  return 0;
}
