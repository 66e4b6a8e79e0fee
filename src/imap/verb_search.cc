// SEARCH and UID SEARCH (RFC 9051 6.4.4, RFC 4731, RFC 5182, RFC 5032, RFC 7162 3.1.5), in slices
// so that other sessions have their turns.

#include <algorithm>
#include <array>

#include "kurir/imap/server_session.hh"
#include "kurir/io/clock.hh"
#include "kurir/wire/ascii.hh"
#include "reply.hh"
#include "search_run.hh"
#include "selected.hh"

namespace kurir::imap {
namespace {

namespace returns = wire::search_return;

constexpr std::array<std::string_view, 2> charsets = {"US-ASCII", "UTF-8"};
constexpr std::size_t slice_messages = 1024;
constexpr std::uint64_t slice_octets = 256 * 1024;

bool knows_charset(std::string_view charset) {
  return charset.empty() || std::ranges::any_of(charsets, [&](std::string_view known) {
           return wire::equals_ignoring_case(charset, known);
         });
}

struct FoundMessages {
  wire::NumberSet sequences, uids;
  ModSeq modseq_first, modseq_last, modseq_highest;

  void add(const mailbox::Located& at) {
    const ModSeq modseq = at.entry().modseq();
    if (sequences.empty()) modseq_first = modseq;
    modseq_last = modseq;
    modseq_highest = std::max(modseq_highest, modseq);
    sequences.add(at.sequence);
    uids.add(at.entry().uid().value);
  }

  // The greatest among what is returned (RFC 7162 3.1.10).
  ModSeq modseq_of(wire::SearchReturnWord options) const {
    if ((options & (returns::all | returns::count)) != 0) return modseq_highest;
    if ((options & returns::max) == 0) return modseq_first;
    return (options & returns::min) == 0 ? modseq_last : std::max(modseq_first, modseq_last);
  }
};

// What "$" means afterwards (RFC 5182 2.1): the least and the greatest alone where only they were
// asked for, else all.
wire::NumberSet saved_of(const wire::NumberSet& uids, wire::SearchReturnWord options) {
  const bool ends_only = (options & (returns::min | returns::max)) != 0 &&
                         (options & (returns::all | returns::count)) == 0;
  if (!ends_only || uids.empty()) return uids;
  wire::NumberSet saved;
  if ((options & returns::min) != 0) saved.add(uids.least());
  if ((options & returns::max) != 0) saved.add({uids.greatest(), uids.greatest()});
  return saved;
}

}  // namespace

Task<Reply> ServerSession::search(const wire::ImapCommand& command) {
  const auto& wanted = std::get<wire::ImapSearch>(command.action);
  const wire::SearchReturnWord options = wanted.returns.value_or(returns::all);
  const bool saves = (options & returns::save) != 0;
  if (!knows_charset(wanted.charset.view())) {
    if (saves) selected_->saved = {};
    co_return no(wire::imap_code::bad_charset(charsets), "Search in UTF-8");
  }
  const bool by_modseq = wanted.program.uses(wire::SearchKey::modseq);
  condstore_ = condstore_ || by_modseq;
  SearchRun run(wanted.program, *selected_,
                {services_.mailboxes.reader(), services_.caches.headers, services_.retired},
                io::wall_now());
  if (run.beyond_mailbox()) co_return bad("There is no message with such a number");
  wire::NumberSet everything;
  if (selected_->view.messages() > 0) everything.add({1, selected_->view.messages()});
  MessageWalk walk(selected_->view, std::move(everything));
  FoundMessages found;
  std::size_t looked_at = 0;
  while (const mailbox::Located at = walk.next()) {
    const wire::SearchTruth truth = run.from_memory(at);
    bool matches = truth == wire::SearchTruth::yes;
    if (truth == wire::SearchTruth::unknown) matches = co_await run.from_content(at);
    if (matches) found.add(at);
    const bool rest = ++looked_at % slice_messages == 0 || run.octets_read() >= slice_octets;
    if (!rest) continue;
    run.forget_octets_read();
    co_await yield_turn();
  }
  if (saves) selected_->saved = saved_of(found.uids, options);
  const bool by_uid = wanted.numbering == wire::ImapNumbering::uid;
  const wire::NumberSet& numbers = by_uid ? found.uids : found.sequences;
  std::optional<ModSeq> modseq;
  if (by_modseq && !numbers.empty()) modseq = found.modseq_of(options);
  if (!wanted.returns && !revision2_) {
    writer().search(numbers, modseq);
    co_return ok("SEARCH completed");
  }
  wire::ImapEsearch result{.tag = command.tag, .numbering = wanted.numbering};
  if ((options & returns::all) != 0) result.all = &numbers;
  if ((options & returns::count) != 0) result.count = static_cast<std::uint32_t>(numbers.count());
  if ((options & returns::min) != 0 && !numbers.empty()) result.min = numbers.least();
  if ((options & returns::max) != 0 && !numbers.empty()) result.max = numbers.greatest();
  result.modseq = modseq;
  if (options != returns::save) writer().esearch(result);
  co_return ok("SEARCH completed");
}

}  // namespace kurir::imap
