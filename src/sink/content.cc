// Content: taken, and answered.

#include <algorithm>

#include "kurir/io/clock.hh"
#include "kurir/sink/session.hh"

namespace kurir::sink {
namespace {

constexpr std::size_t content_capacity_kept = 256 << 10;
constexpr std::size_t recipients_kept = 100;

Rule reply_rule(std::uint16_t code, std::string text) {
  Rule rule;
  rule.stage = Stage::end;
  rule.code = code;
  rule.reply = std::move(text);
  return rule;
}
const Rule too_large = reply_rule(552, "552 5.3.4 Message too large");
const Rule not_kept = reply_rule(451, "451 4.3.0 The message could not be kept");

bool succeeds(const Decision& decision) {
  return decision.rule == nullptr ||
         (decision.rule->action == Rule::Action::reply && decision.rule->code < 400);
}

std::string_view domain_of(std::string_view path) {
  const std::size_t at = path.rfind('@');
  return at == std::string_view::npos ? std::string_view() : path.substr(at + 1);
}

}  // namespace

Session::Need Session::take_content() {
  bool has_ended = content_kind_ == Content::counted && octets_left_ == 0;
  if (cut_ && *cut_ == 0) spend(0);
  while (!has_ended) {
    if (must_wait()) return Need::nothing;
    if (stream_.input().empty()) return Need::input;
    has_ended = take_piece();
  }
  if (pending_) return Need::nothing;
  return content_kind_ == Content::data || is_last_ ? end_content() : end_chunk();
}

// True: the content, or the chunk, has ended.
bool Session::take_piece() {
  std::string_view slice = stream_.input().front();
  slice = slice.substr(0, allowed(slice.size()));
  if (content_kind_ == Content::counted) {
    slice = slice.substr(0, octets_left_);
    keep_piece(slice);
    octets_left_ -= slice.size();
    const std::size_t octets = slice.size();
    stream_.input().consume(octets);
    spend(octets);
    return octets_left_ == 0;
  }
  const wire::DataScanner::Step step = scanner_.step(slice);
  keep_piece(step.piece);
  stream_.input().consume(step.consumed);
  spend(step.consumed);
  return step.finished;
}

bool Session::looks_at_content() const { return house_.options.audits || !house_.keepers.empty(); }

void Session::keep_piece(std::string_view piece) {
  octets_ += piece.size();
  if (looks_at_content() && octets_ <= house_.options.message_octets_max) content_ += piece;
}

Session::Need Session::end_chunk() {
  content_kind_ = Content::none;
  if (recipients_count_ > 0) {
    say("250 2.0.0 ok");
  } else {
    say("503 5.5.1 No valid recipients");
    end_transaction();
  }
  return Need::nothing;
}

// LMTP: an answer for each recipient (RFC 2033 4.2).
Session::Need Session::end_content() {
  if (recipients_count_ == 0) return end_chunk();
  content_kind_ = Content::none;
  const std::size_t answers = house_.options.lmtp ? recipients_count_ : 1;
  ends_given_ = 0;
  ends_.clear();
  bool is_taken = false;
  for (std::size_t index = 0; index < answers; ++index) {
    ends_.push_back(decide_end(index));
    const bool taken = succeeds(ends_.back());
    if (house_.options.lmtp) recipients_[index].is_taken = taken;
    is_taken = is_taken || taken;
  }
  if (!is_taken) return Need::nothing;
  if (!house_.keepers.empty()) return Need::keep;
  count_message();
  return Need::nothing;
}

// Of SMTP's one answer: what the first recipient that asks for something asks for, else the
// first's.
Decision Session::decide_end(std::size_t index) {
  if (octets_ > house_.options.message_octets_max) return {.rule = &too_large};
  const bool is_lmtp = house_.options.lmtp;
  const std::size_t end = is_lmtp ? index + 1 : recipients_count_;
  for (std::size_t asking = index; asking < end; ++asking)
    if (recipients_[asking].asked) return {.rule = &*recipients_[asking].asked};
  const Recipient& recipient = recipients_[index];
  if (recipient.is_friend || house_.rules.empty(Stage::end)) return {};
  return house_.rules.decide(Stage::end, domain_of(recipient.address), chance_);
}

Task<bool> Session::keep() {
  Letter letter{stream_.peer(),  house_.options.lmtp ? "LMTP" : extended_ ? "ESMTP" : "SMTP",
                helo_,           sender_,
                mail_arguments_, {},
                content_};
  for (std::size_t index = 0; index < recipients_count_; ++index) {
    const Recipient& recipient = recipients_[index];
    if (!house_.options.lmtp || recipient.is_taken)
      letter.recipients.push_back({recipient.address, recipient.arguments});
  }
  bool is_kept = true;
  for (Keeper* keeper : house_.keepers) {
    if (!is_kept) break;
    is_kept = co_await keeper->keep(letter);
  }
  if (is_kept) {
    count_message();
    co_return true;
  }
  for (Decision& end : ends_)
    if (succeeds(end)) end.rule = &not_kept;
  co_return true;
}

void Session::answer_end() {
  obey(ends_[ends_given_++], Stage::end, "250 2.0.0 taken");
  if (ends_given_ < ends_.size()) return;
  ends_.clear();
  ends_given_ = 0;
  end_transaction();
}

void Session::count_message() {
  Report& report = house_.report;
  report.recipients += recipients_count_;
  report.octets += octets_;
  if (house_.options.audits) report.audit.take(content_, order_);
  report.count_arrival(io::now());
}

void Session::end_transaction() {
  has_sender_ = false;
  recipients_count_ = 0;
  octets_ = 0;
  content_.clear();
  if (content_.capacity() > content_capacity_kept) content_.shrink_to_fit();
  if (recipients_.size() > recipients_kept) recipients_.clear();
  if (cuts_content_) cut_.reset();
}

}  // namespace kurir::sink
