// Puts octets wherever a delivery report takes text from elsewhere, and reads the report back.
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "kurir/base/assert.hh"
#include "kurir/wire/bounce_category.hh"
#include "kurir/wire/delivery_report.hh"
#include "wire/report_check.hh"

namespace kurir::wire {
namespace {

// The octets up to the next 0xFE, which begins no UTF-8.
std::string_view take_piece(std::string_view& input) {
  const std::string_view piece = input.substr(0, input.find('\xFE'));
  input.remove_prefix(piece.size() < input.size() ? piece.size() + 1 : input.size());
  return piece;
}

}  // namespace
}  // namespace kurir::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir::wire;
  if (size == 0) return 0;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto choice = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  ReportedRecipient answered{.action = static_cast<ReportAction>(choice % 5)};
  answered.address = take_piece(input);
  answered.original = take_piece(input);
  answered.remote_name = take_piece(input);
  answered.remote_ip = take_piece(input);
  answered.remote_reply = take_piece(input);
  ReportedRecipient unanswered{.address = answered.address, .action = ReportAction::failed};
  unanswered.explanation = take_piece(input);
  const ReportedRecipient recipients[] = {answered, unanswered};
  DeliveryReport report{.hostname = "mail.test", .report_id = "1", .recipients = recipients};
  report.envelope_id = take_piece(input);
  report.received_from = take_piece(input);
  report.sender = take_piece(input);
  if (report.sender.empty()) report.sender = "a@b";
  report.original = input;
  report.return_full = choice >= 128;
  const std::string composed = compose_delivery_report(report);
  const std::string fault = test::fault_of_report(composed, 2);
  if (!fault.empty()) std::fputs((fault + "\n" + composed).c_str(), stderr);
  KURIR_ASSERT(fault.empty());
  (void)name_of(bounce_category(550, {}, answered.remote_reply));
  return 0;
}
