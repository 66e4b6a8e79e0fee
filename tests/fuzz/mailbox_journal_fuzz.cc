// Feeds octets to the reader of the mailboxes' journal and to recovery: what is read is written
// the same, and what recovery makes of it can be described, read and recovered from.
#include <string>
#include <vector>

#include "input.hh"
#include "kurir/mailbox/accounts.hh"
#include "kurir/mailbox/deliveries.hh"
#include "kurir/mailbox/description.hh"
#include "kurir/mailbox/journal_record.hh"
#include "mailbox/fixture.hh"

namespace kurir::mailbox {
namespace {

struct Recovered {
  OneCore core;
  Accounts accounts{core.retired};
  Deliveries deliveries;

  void replay(const std::vector<Change>& changes) {
    for (const Change& change : changes) {
      deliveries.note(change);
      static_cast<void>(accounts.apply(change));
    }
  }
  std::vector<std::string> described() const {
    std::vector<std::string> all;
    accounts.for_each([&](Account& account) {
      for (std::string& record : describe(account)) all.push_back(std::move(record));
    });
    return all;
  }
};

void check_recovery(const std::vector<Change>& changes) {
  Recovered once;
  once.replay(changes);
  // It may be a state that no journal of ours makes: a checkpoint of it can be read, no more.
  Recovered again;
  for (const std::string& record : once.described()) {
    const Result<std::vector<Change>> read = decode(record);
    KURIR_ASSERT(read.has_value());
    again.replay(*read);
  }
  KURIR_ASSERT(again.accounts.size() == once.accounts.size());
}

}  // namespace
}  // namespace kurir::mailbox

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kurir;
  std::string_view input = fuzz::text_of(data, size);
  std::vector<mailbox::Change> changes;
  while (!input.empty()) {
    const std::size_t octets = fuzz::take_two(input);
    const std::string_view record = input.substr(0, octets);
    input.remove_prefix(record.size());
    const Result<std::vector<mailbox::Change>> read = mailbox::decode(record);
    if (!read) continue;
    std::string written;
    for (const mailbox::Change& change : *read) mailbox::encode(change, written);
    KURIR_ASSERT(written == record);
    changes.insert(changes.end(), read->begin(), read->end());
  }
  mailbox::check_recovery(changes);
  return 0;
}
