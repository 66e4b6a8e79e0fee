// Content on its way in and out: every kernel against the scalar one, any slices against the whole,
// and what was stuffed comes back as it was.
#include <string>

#include "input.hh"
#include "kurir/wire/scan.hh"
#include "kurir/wire/smtp_data.hh"

namespace kurir::wire {
namespace {

// Slices of 1 to 255 octets by the fuzzer's choice, then the rest.
template <class Take>
void in_slices(std::string_view content, std::string_view sizes, Take take) {
  for (const char size : sizes) {
    const std::size_t octets =
        std::min<std::size_t>(static_cast<unsigned char>(size) + 1U, content.size());
    if (octets == 0) return;
    if (!take(content.substr(0, octets))) return;
    content.remove_prefix(octets);
  }
  if (!content.empty()) take(content);
}

void check_kernels(std::string_view content, std::string_view sizes) {
  for (const ScanKernel kernel : {ScanKernel::sse2, ScanKernel::avx2}) {
    if (!has_kernel(kernel)) continue;
    ContentScan fast, slow;
    in_slices(content, sizes, [&](std::string_view slice) {
      while (!slice.empty()) {
        const std::size_t octets = scan_to_dot_line(kernel, fast, slice);
        KURIR_ASSERT(scan_to_dot_line(ScanKernel::scalar, slow, slice) == octets);
        KURIR_ASSERT(fast == slow);
        slice.remove_prefix(octets);
        if (slice.empty()) break;
        KURIR_ASSERT(slice.front() == '.');
        slice.remove_prefix(1);
        fast.at_line_start = slow.at_line_start = false;
      }
      return true;
    });
  }
}

struct Received {
  std::string content;
  std::size_t octets = 0;  // of the input that it took
  bool finished = false;
  ContentFacts facts;
};

Received receive(std::string_view input, std::string_view sizes) {
  Received received;
  DataScanner scanner;
  in_slices(input, sizes, [&](std::string_view slice) {
    while (!slice.empty() && !received.finished) {
      const DataScanner::Step step = scanner.step(slice);
      received.content += step.piece;
      received.octets += step.consumed;
      received.finished = step.finished;
      slice.remove_prefix(step.consumed);
    }
    return !received.finished;
  });
  received.facts = scanner.facts();
  return received;
}

std::string stuffed(std::string_view content, std::string_view sizes) {
  DotStuffer stuffer;
  std::string sent;
  in_slices(content, sizes, [&](std::string_view slice) {
    while (!slice.empty()) {
      const DotStuffer::Step step = stuffer.step(slice);
      sent += step.piece;
      slice.remove_prefix(step.consumed);
    }
    return true;
  });
  sent += stuffer.terminator();
  return sent;
}

ContentFacts facts_of(std::string_view content) {
  ContentScanner scanner;
  if (!content.empty()) scanner.feed(content);
  return scanner.facts();
}

void check_received(std::string_view input, std::string_view sizes) {
  const Received whole = receive(input, {});
  const Received sliced = receive(input, sizes);
  KURIR_ASSERT(whole.content == sliced.content);
  KURIR_ASSERT(whole.octets == sliced.octets);
  KURIR_ASSERT(whole.finished == sliced.finished);
  KURIR_ASSERT(whole.facts == sliced.facts);
  if (!whole.finished) return;
  // Only CRLF.CRLF ends it; ".CRLF" at the very start does too.
  const std::string taken = "\r\n" + std::string(input.substr(0, whole.octets));
  KURIR_ASSERT(taken.ends_with("\r\n.\r\n"));
  KURIR_ASSERT(taken.find("\r\n.\r\n") == taken.size() - 5);
  KURIR_ASSERT(facts_of(whole.content) == whole.facts);
  // Sent on, it is the same again.
  const std::string sent = stuffed(whole.content, sizes);
  KURIR_ASSERT(sent == input.substr(0, whole.octets) || whole.content.empty() ||
               receive(sent, {}).content == whole.content);
}

void check_sent(std::string_view content, std::string_view sizes) {
  const std::string sent = stuffed(content, sizes);
  KURIR_ASSERT(sent == stuffed(content, {}));
  const Received received = receive(sent, sizes);
  KURIR_ASSERT(received.finished);
  KURIR_ASSERT(received.octets == sent.size());
  const bool ends_line = content.empty() || content.ends_with("\r\n");
  KURIR_ASSERT(received.content == std::string(content) + (ends_line ? "" : "\r\n"));
  KURIR_ASSERT(facts_of(content).ends_line == ends_line);
}

}  // namespace
}  // namespace kurir::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  std::string_view input = fuzz::text_of(data, size);
  const std::string_view sizes = input.substr(0, 12);
  input.remove_prefix(sizes.size());
  wire::check_kernels(input, sizes);
  wire::check_received(input, sizes);
  wire::check_sent(input, sizes);
  const std::size_t place = wire::find_crlf(input);
  KURIR_ASSERT(place == input.find("\r\n"));
  return 0;
}
