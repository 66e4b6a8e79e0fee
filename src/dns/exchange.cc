#include "exchange.hh"

#include <memory>
#include <utility>

#include "kurir/base/assert.hh"
#include "kurir/io/clock.hh"

namespace kurir::dns {
namespace {

constexpr std::size_t length_octets = 2;  // before a message over TCP (RFC 1035 4.2.2)
constexpr Nanoseconds tcp_patience_min = Seconds(2);

std::size_t length_in(std::string_view octets) {
  return static_cast<std::size_t>(static_cast<unsigned char>(octets[0])) << 8 |
         static_cast<unsigned char>(octets[1]);
}

}  // namespace

void Exchange::abort() {
  aborted_ = true;
  if (datagram_ != nullptr) datagram_->abort();
  connector_.abort();
  if (stream_ != nullptr) stream_->abort();
}

Exchange::Outcome Exchange::outcome_of(const Error& error) const {
  if (aborted_) return Outcome::stopped;
  if (error.code == Errc::timed_out) return Outcome::timed_out;
  return error.code == Errc::exhausted ? Outcome::exhausted : Outcome::unreachable;
}

QueryOptions Exchange::query_options(bool mixed_case) const {
  QueryOptions options;
  options.id = static_cast<std::uint16_t>(io::random_u64());
  options.extended = manner_.extended;
  if (mixed_case)
    io::random_octets(
        {reinterpret_cast<char*>(options.upper_case.data()), sizeof options.upper_case});
  return options;
}

Task<Exchange::Told> Exchange::run(Deadline until) {
  patience_ = until - Executor::current().now();
  co_return co_await over_udp(until);
}

Task<Exchange::Told> Exchange::over_udp(Deadline until) {
  Told told;
  const std::string query = encode_query(key_, query_options(manner_.keeps_case));
  auto opened = io::Datagram::open(server_);
  if (query.empty() || !opened) {
    told.outcome = opened ? Outcome::exhausted : outcome_of(opened.error());
    co_return told;
  }
  const std::unique_ptr<io::Datagram> datagram = std::move(*opened);
  datagram_ = datagram.get();
  if (aborted_) datagram->abort();
  const Result<void> sent = co_await datagram->send(query, until);
  if (sent) {
    told = co_await hear(*datagram, query, until);
  } else {
    told.outcome = outcome_of(sent.error());
  }
  datagram_ = nullptr;
  co_await datagram->close();
  co_return told;
}

// What does not match is not believed, and the wait goes on: a forger must not end it.
Task<Exchange::Told> Exchange::hear(io::Datagram& datagram, const std::string& query,
                                    Deadline until) {
  Told told;
  for (;;) {
    const Result<std::string> packet = co_await datagram.receive(until);
    if (!packet) {
      told.outcome = outcome_of(packet.error());
      co_return told;
    }
    told.reply = read_reply(*packet, query, key_);
    const bool mismatch = told.reply.verdict == Verdict::mismatch;
    const bool doubtful = !mismatch && !told.reply.keeps_case && manner_.keeps_case;
    // Beside wrong guesses, a name in another case is a guess whose id was right by chance.
    if (mismatch || (doubtful && told.disbelieved > 0)) {
      // Somebody guesses: each further guess adds to his chance. Where the server does not speak
      // TCP, there is nothing better than to go on.
      if (++told.disbelieved != limits::dns_disbelieved_max) continue;
      co_await turn_to_tcp(told);
      if (told.outcome != Outcome::unreachable) co_return told;
      continue;
    }
    told.alive = true;
    told.folds_case = !told.reply.keeps_case;
    if (doubtful || told.reply.verdict == Verdict::truncated) {
      co_await turn_to_tcp(told);
    } else {
      told.outcome = Outcome::replied;
    }
    co_return told;
  }
}

Task<void> Exchange::turn_to_tcp(Told& told) {
  const Deadline until = deadline_in(std::max(patience_, tcp_patience_min));
  Told heard = co_await over_tcp(until);
  told.outcome = heard.outcome;
  told.reply = std::move(heard.reply);
  told.alive = told.alive || heard.alive;
  told.over_tcp = true;
}

Task<Exchange::Told> Exchange::over_tcp(Deadline until) {
  Told told;
  auto connected = co_await connector_.connect(server_, std::nullopt, until);
  if (!connected) {
    told.outcome = outcome_of(connected.error());
    co_return told;
  }
  const std::unique_ptr<io::Stream> stream = std::move(*connected);
  stream_ = stream.get();
  if (aborted_) stream->abort();
  told = co_await converse(*stream, until);
  stream_ = nullptr;
  co_await stream->close();
  co_return told;
}

// Nobody off the way can forge here: the case of the name says nothing.
Task<Exchange::Told> Exchange::converse(io::Stream& stream, Deadline until) {
  Told told;
  const std::string query = encode_query(key_, query_options(false));
  stream.output().push_back(static_cast<char>(query.size() >> 8));
  stream.output().push_back(static_cast<char>(query.size() & 0xff));
  stream.output() += query;
  const Result<void> sent = co_await stream.flush(until);
  if (!sent) {
    told.outcome = outcome_of(sent.error());
    co_return told;
  }
  std::string octets;
  while (octets.size() < length_octets || octets.size() < length_octets + length_in(octets)) {
    const Result<void> filled = co_await stream.fill(until);
    if (!filled) {
      told.outcome = outcome_of(filled.error());
      co_return told;
    }
    octets += stream.input().front();
    stream.input().consume(stream.input().front().size());
  }
  const std::string_view packet = std::string_view(octets).substr(length_octets, length_in(octets));
  told.reply = read_reply(packet, query, key_);
  if (told.reply.verdict == Verdict::mismatch || told.reply.verdict == Verdict::truncated)
    told.reply.verdict = Verdict::malformed;
  told.outcome = Outcome::replied;
  told.alive = true;
  co_return told;
}

}  // namespace kurir::dns
