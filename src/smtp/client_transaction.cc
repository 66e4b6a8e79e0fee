// One transaction of the client: envelope, content, and who of the recipients was taken. Where the
// peer has PIPELINING the envelope leaves in one send (RFC 2920).

#include <algorithm>

#include "kurir/base/assert.hh"
#include "kurir/base/limits.hh"
#include "kurir/coro/event.hh"
#include "kurir/smtp/client_session.hh"
#include "kurir/wire/ascii.hh"
#include "kurir/wire/downgrade.hh"
#include "kurir/wire/header.hh"
#include "kurir/wire/smtp_data.hh"
#include "kurir/wire/smtp_parameters.hh"

namespace kurir::smtp {
namespace {

// Content up to so much leaves with its terminator in one send: copying it is cheaper than another
// system call. What is larger is sent from where it was read.
constexpr std::size_t gathered_octets_max = 16 * 1024;
// Of a message that was declared to be SMTPUTF8; a header that is longer counts as one to here.
constexpr std::size_t header_octets_looked_at = 256 * 1024;
constexpr std::size_t stuffed_octets_at_once = 64 * 1024;

// After an early drop the reason may have arrived already.
constexpr Nanoseconds last_words_wait = Milliseconds(200);

// Held by conversions of this core, which is one thread.
thread_local std::size_t converted_octets = 0;

void append_notify(std::string& command, queue::Notify notify) {
  if (!notify.is_given()) return;
  command += " NOTIFY=";
  if (notify.never()) command += "NEVER,";
  if (notify.of_success()) command += "SUCCESS,";
  if (notify.of_failure()) command += "FAILURE,";
  if (notify.of_delay()) command += "DELAY,";
  command.pop_back();
}

}  // namespace

// What was said in the envelope, and what came back. Steps: MAIL, each RCPT, DATA.
struct ClientSession::Transaction {
  std::vector<std::string> commands;
  std::vector<Answer> answers;  // by recipient
  std::size_t accepted = 0;
  bool data_open = false;  // 354: content is expected
  bool over = false;       // nothing more is to be said
  bool by_chunks = false;  // no DATA is said: the content follows the envelope as a chunk
  std::size_t data_step() const { return by_chunks ? commands.size() : commands.size() - 1; }
};

// The octets that are sent: the stored ones, or what was made of them for this host.
class ClientSession::Source {
 public:
  Source(store::MessageContent& stored, const OutgoingMessage& message)
      : stored_(stored), has_dot_line_(message.has_dot_line) {}
  ~Source() { converted_octets -= held_; }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  std::uint64_t size() const { return converted_ ? converted_->size() : stored_.size(); }
  bool is_converted() const { return converted_.has_value(); }
  bool has_dot_line() const { return has_dot_line_; }
  Task<Result<std::string_view>> view(std::uint64_t offset) {
    if (converted_) co_return std::string_view(*converted_).substr(offset);
    co_return co_await stored_.view(offset);
  }
  // Empty: done. RFC 6152 3, RFC 3030 3.
  Task<std::optional<Answer>> convert(wire::ContentClass to) {
    using Verdict = Answer::Verdict;
    const std::uint64_t needed = 4 * stored_.size();  // the content, and what is made of it
    if (needed > limits::converted_octets_max)
      co_return Answer{Verdict::refused_for_good,
                       "554 5.6.3 The message is too large to be converted for the next host",
                       "MAIL"};
    if (converted_octets + needed > limits::converted_octets_max)
      co_return Answer{Verdict::refused_for_now, "451 4.3.1 Too many messages are being converted",
                       "MAIL"};
    held_ = needed;
    converted_octets += held_;
    std::string octets(stored_.size(), '\0');
    const Result<std::size_t> count = co_await stored_.read(0, octets);
    if (count.value_or(0) != octets.size())
      co_return Answer{Verdict::refused_for_now, "451 4.3.0 The stored message cannot be read",
                       "MAIL"};
    converted_ = wire::downgrade(octets, to);
    if (!converted_) co_return Answer{Verdict::refused_for_good, refusal_for(to), "MAIL"};
    wire::ContentScanner scanner;
    scanner.feed(*converted_);
    has_dot_line_ = scanner.facts().dot_line;
    co_return std::nullopt;
  }

 private:
  static std::string refusal_for(wire::ContentClass to) {
    const bool is_about_8bit = to == wire::ContentClass::seven_bit;
    return std::string("554 5.6.3 The next host takes no ") +
           (is_about_8bit ? "8-bit content (8BITMIME)" : "binary content (BINARYMIME)") +
           ", and this message cannot be converted";
  }

  store::MessageContent& stored_;
  bool has_dot_line_;
  std::size_t held_ = 0;
  std::optional<std::string> converted_;
};

Task<std::vector<Answer>> ClientSession::send(const OutgoingMessage& message,
                                              store::MessageContent& content) {
  KURIR_ASSERT(usable_ && !message.recipients.empty() &&
               message.recipients.size() <= client_recipients_max);
  Transaction transaction;
  transaction.answers.resize(message.recipients.size());
  if (message.is_utf8 && !extensions_.smtputf8) {
    const bool is_refused = co_await refuse_utf8(message, content, transaction.answers);
    if (is_refused) co_return std::move(transaction.answers);
  }
  Source source(content, message);
  std::optional<Answer> refused = refusal_of(message);
  if (!refused && needs_conversion(message)) {
    const bool takes_8bit = extensions_.eight_bit_mime;
    refused = co_await source.convert(takes_8bit ? wire::ContentClass::eight_bit
                                                 : wire::ContentClass::seven_bit);
  }
  if (!refused && extensions_.size_max > 0 && source.size() > extensions_.size_max)
    refused = Answer{Answer::Verdict::refused_for_good,
                     "552 5.3.4 The next host takes at most " +
                         std::to_string(extensions_.size_max) + " octets (SIZE)",
                     "MAIL"};
  if (refused) {
    for (Answer& answer : transaction.answers) answer = *refused;
    co_return std::move(transaction.answers);
  }
  transaction.commands.push_back(mail_command(message, source));
  for (const OutgoingRecipient& recipient : message.recipients)
    transaction.commands.push_back(rcpt_command(recipient));
  transaction.by_chunks = uses_chunks();
  if (!transaction.by_chunks) transaction.commands.push_back("DATA\r\n");
  co_await open_transaction(message, transaction);
  if (transaction.by_chunks) transaction.data_open = transaction.accepted > 0;
  if (transaction.data_open && usable_) {
    if (transaction.accepted > 0) {
      co_await finish_content(source, transaction.answers);
    } else if (options_.is_lmtp) {
      usable_ = false;  // how it would answer nobody's content is not known
    } else {
      static_cast<void>(co_await exchange(".\r\n", options_.timeouts.data_termination, "."));
    }
    needs_reset_ = false;
  }
  co_return std::move(transaction.answers);
}

// A host without SMTPUTF8 takes what is ASCII but for its declaration (RFC 6531 3.6). Where only
// some recipients are not, the others go in a next transaction.
Task<bool> ClientSession::refuse_utf8(const OutgoingMessage& message,
                                      store::MessageContent& content,
                                      std::vector<Answer>& answers) {
  using Verdict = Answer::Verdict;
  std::string_view reason;
  if (wire::has_eight_bit(message.reverse_path)) {
    reason = "553 5.6.7 The next host takes no addresses beyond ASCII (SMTPUTF8): the sender's is";
  } else if (message.has_8bit) {
    std::string head(std::min<std::uint64_t>(content.size(), header_octets_looked_at), '\0');
    const Result<std::size_t> count = co_await content.read(0, head);
    head.resize(count.value_or(0));
    if (wire::has_eight_bit(std::string_view(head).substr(0, wire::header_octets(head))))
      reason = "554 5.6.9 The next host takes no header beyond ASCII (SMTPUTF8)";
  }
  bool is_any = !reason.empty();
  for (std::size_t at = 0; at < answers.size(); ++at) {
    const bool is_eight_bit = wire::has_eight_bit(message.recipients[at].address);
    is_any = is_any || is_eight_bit;
    if (!reason.empty())
      answers[at] = {Verdict::refused_for_good, std::string(reason), "MAIL"};
    else if (is_eight_bit)
      answers[at] = {Verdict::refused_for_good,
                     "553 5.6.7 The next host takes no addresses beyond ASCII (SMTPUTF8)", "RCPT"};
    else
      answers[at].verdict = Verdict::not_tried;
  }
  co_return is_any;
}

// What the sender asked for and this host does not promise.
std::optional<Answer> ClientSession::refusal_of(const OutgoingMessage& message) const {
  const auto never = [](const char* reply) {
    return Answer{Answer::Verdict::refused_for_good, reply, "MAIL"};
  };
  // RFC 8689 4.2.1.
  const bool is_verified = stream_->is_encrypted() && options_.tls.verify;
  if (message.requires_tls && !(is_verified && extensions_.require_tls))
    return never("550 5.7.30 The next host does not promise TLS all the way (REQUIRETLS)");
  // RFC 2852 4.1: what is to come back in time must not leave for where nobody looks at the time.
  if (!message.deliver_by || message.deliver_by->notifies) return std::nullopt;
  if (!extensions_.deliver_by)
    return never("554 5.3.3 The next host promises no time of delivery (DELIVERBY)");
  const std::int64_t left = message.deliver_by->seconds;
  if (left <= 0 || static_cast<std::uint64_t>(left) < extensions_.deliver_by_min)
    return never("554 5.4.7 The next host needs longer than is left to deliver it (DELIVERBY)");
  return std::nullopt;
}

bool ClientSession::needs_conversion(const OutgoingMessage& message) const {
  if (message.is_binary && !(extensions_.chunking && extensions_.binary_mime)) return true;
  return message.has_8bit && !extensions_.eight_bit_mime;
}

std::string ClientSession::mail_command(const OutgoingMessage& message,
                                        const Source& source) const {
  std::string command = "MAIL FROM:<" + std::string(message.reverse_path) + '>';
  if (extensions_.size) command += " SIZE=" + std::to_string(source.size());
  if (message.is_binary && !source.is_converted())
    command += " BODY=BINARYMIME";
  else if (message.has_8bit && extensions_.eight_bit_mime)
    command += " BODY=8BITMIME";
  if (message.is_utf8 && extensions_.smtputf8) command += " SMTPUTF8";
  if (extensions_.mt_priority && message.priority != 0)
    command += " MT-PRIORITY=" + std::to_string(message.priority);
  if (message.requires_tls) command += " REQUIRETLS";
  if (extensions_.deliver_by && message.deliver_by) {
    command += " BY=" + std::to_string(message.deliver_by->seconds) + ';';
    command += message.deliver_by->notifies ? 'N' : 'R';
    if (message.deliver_by->traces) command += 'T';
  }
  if (extensions_.dsn && message.returned != queue::Returned::unspecified)
    command += message.returned == queue::Returned::full ? " RET=FULL" : " RET=HDRS";
  if (extensions_.dsn && !message.envid.empty()) (command += " ENVID=") += message.envid;
  return command + "\r\n";
}

// What the sender knows the recipient by is told where the address is another one now (RFC 3461
// 5.2.1).
std::string ClientSession::rcpt_command(const OutgoingRecipient& recipient) const {
  std::string command = "RCPT TO:<" + std::string(recipient.address) + '>';
  if (extensions_.dsn) {
    append_notify(command, recipient.notify);
    if (!recipient.orcpt.empty())
      (command += " ORCPT=") += recipient.orcpt;
    else if (!recipient.original.empty())
      command += " ORCPT=rfc822;" + wire::encode_xtext(recipient.original);
  }
  return command + "\r\n";
}

Task<void> ClientSession::open_transaction(const OutgoingMessage& message,
                                           Transaction& transaction) {
  const ClientTimeouts& timeouts = options_.timeouts;
  const bool must_reset = std::exchange(needs_reset_, false);
  if (must_reset) stream_->output() += "RSET\r\n";
  if (extensions_.pipelining)
    for (const std::string& command : transaction.commands) stream_->output() += command;
  if (must_reset) {  // alone, where the peer does not have PIPELINING
    const Reply reset = co_await exchange({}, timeouts.mail, "RSET");
    if (!usable_) co_return take_reply(transaction, 0, reset);
  }
  for (std::size_t step = 0; step < transaction.commands.size() && !transaction.over; ++step) {
    const bool is_data = step == transaction.data_step();
    const std::string_view name = step == 0 ? "MAIL" : is_data ? "DATA" : "RCPT";
    const Nanoseconds timeout = step == 0 ? timeouts.mail
                                : is_data ? timeouts.data_initiation
                                          : timeouts.recipient;
    if (!extensions_.pipelining) stream_->output() += transaction.commands[step];
    const Result<void> sent = co_await stream_->flush(deadline_in(timeout));
    if (!sent) {
      take_reply(transaction, step, lost(sent.error(), name));
      break;
    }
    const Reply reply = co_await read_reply(timeout, name);
    take_reply(transaction, step, reply);
  }
  KURIR_ASSERT(transaction.answers.size() == message.recipients.size());
}

void ClientSession::take_reply(Transaction& transaction, std::size_t step, const Reply& reply) {
  using Verdict = Answer::Verdict;
  const bool is_data = step == transaction.data_step();
  if (step == 0) {
    if (reply.is_positive()) {
      needs_reset_ = true;  // until the content's end
    } else {
      for (Answer& answer : transaction.answers) answer = answer_of(reply, "MAIL");
    }
  } else if (is_data) {
    transaction.data_open = reply.code == 354;
    if (!transaction.data_open)
      for (Answer& answer : transaction.answers)
        if (answer.verdict == Verdict::accepted)
          answer = answer_of(reply.is_positive() ? nonsense("DATA") : reply, "DATA");
  } else if (needs_reset_) {
    Answer& answer = transaction.answers[step - 1];
    answer = answer_of(reply, "RCPT");
    if (answer.verdict == Verdict::accepted) ++transaction.accepted;
    // Too many recipients (RFC 5321 4.5.3.1.10): the others may go, this one in a next transaction.
    else if ((reply.code == 452 || reply.code == 552) && transaction.accepted > 0 && usable_)
      answer.verdict = Verdict::not_tried;
  }
  if (!usable_) {  // what was not answered, or not to the end
    transaction.over = true;
    for (Answer& answer : transaction.answers)
      if (answer.reply.empty() || answer.verdict == Verdict::accepted)
        answer = {Verdict::refused_for_now, reply.text, is_data ? "DATA" : step ? "RCPT" : "MAIL"};
    return;
  }
  if (extensions_.pipelining) return;  // the rest has been said
  const bool refused = step == 0 && !reply.is_positive();
  const bool nobody = step + 1 == transaction.data_step() && transaction.accepted == 0;
  transaction.over = refused || nobody;
}

// --- content

Task<ClientSession::Reply> ClientSession::send_content(Source& source) {
  const Result<void> sent = co_await send_octets(source);
  if (sent) co_return co_await read_reply(options_.timeouts.data_termination, ".");
  if (sent.error().origin != Origin::socket) {
    // Ours cannot be read: the peer must not take half of it for the whole.
    usable_ = false;
    stream_->abort();
    co_return Reply{451, "451 4.3.0 The stored message cannot be read"};
  }
  Reply last_words = co_await read_reply(last_words_wait, "content");
  usable_ = false;
  if (last_words.is_positive()) last_words = lost(sent.error(), "content");
  co_return last_words;
}

// LMTP answers for each recipient that it took, in their order (RFC 2033 4.2).
Task<void> ClientSession::finish_content(Source& source, std::vector<Answer>& answers) {
  Reply end = co_await send_content(source);
  bool is_first = true;
  for (Answer& answer : answers) {
    if (answer.verdict != Answer::Verdict::accepted) continue;
    const bool is_another = options_.is_lmtp && !is_first && usable_;
    if (is_another) end = co_await read_reply(options_.timeouts.data_termination, ".");
    is_first = false;
    answer = answer_of(end, ".");
  }
}

// One chunk has it all (RFC 3030 2): its size is known, and no dot is looked at.
Task<Result<void>> ClientSession::send_octets(Source& source) {
  const bool by_chunks = uses_chunks();
  if (by_chunks) stream_->output() += "BDAT " + std::to_string(source.size()) + " LAST\r\n";
  wire::DotStuffer stuffer;
  bool ends_line = true;
  for (std::uint64_t offset = 0; offset < source.size();) {
    const Result<std::string_view> view = co_await source.view(offset);
    if (!view) co_return std::unexpected(Error{view.error().code, Origin::log});
    if (view->empty()) co_return fail(Errc::corrupt, Origin::log);
    offset += view->size();
    ends_line = view->ends_with('\n');
    if (source.has_dot_line() && !by_chunks) {
      const Result<void> sent = co_await send_stuffed(*view, stuffer);
      if (!sent) co_return sent;
    } else if (view->size() <= gathered_octets_max) {
      stream_->output() += *view;
    } else {
      const Result<void> sent =
          co_await stream_->write(*view, deadline_in(options_.timeouts.data_block));
      if (!sent) co_return sent;
    }
  }
  if (!by_chunks) stream_->output() += ends_line ? ".\r\n" : "\r\n.\r\n";
  co_return co_await stream_->flush(deadline_in(options_.timeouts.data_block));
}

Task<Result<void>> ClientSession::send_stuffed(std::string_view view, wire::DotStuffer& stuffer) {
  while (!view.empty()) {
    const wire::DotStuffer::Step step = stuffer.step(view);
    stream_->output() += step.piece;
    view.remove_prefix(step.consumed);
    if (stream_->output().size() < stuffed_octets_at_once) continue;
    const Result<void> sent = co_await stream_->flush(deadline_in(options_.timeouts.data_block));
    if (!sent) co_return sent;
  }
  co_return Result<void>();
}

}  // namespace kurir::smtp
