#include "kurir/observe/summary.hh"

#include <fmt/format.h>

#include "kurir/base/assert.hh"
#include "kurir/io/clock.hh"

namespace kurir::observe {
namespace {

std::int64_t rate(const Totals& before, const Totals& after, Counter counter, Nanoseconds elapsed) {
  const double seconds = std::chrono::duration<double>(elapsed).count();
  if (seconds <= 0) return 0;
  const auto difference = static_cast<double>(after.get(counter) - before.get(counter));
  return static_cast<std::int64_t>(difference / seconds + 0.5);
}

std::string time_of_day(WallTime time) {
  const std::int64_t second = time.seconds() % 86'400;
  return fmt::format("{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60);
}

}  // namespace

std::string summary_line(const Totals& before, const Totals& after, Nanoseconds elapsed,
                         WallTime time) {
  const auto per_second = [&](Counter counter) { return rate(before, after, counter, elapsed); };
  std::string line = fmt::format(
      "{}  in {}/s ({:.1f} MB/s)  delivered {}/s  rejected {}/s  queued {}  "
      "open: smtp {} imap {} pop3 {}",
      time_of_day(time), per_second(Counter::messages_received),
      static_cast<double>(per_second(Counter::octets_received)) / 1e6,
      per_second(Counter::messages_delivered), per_second(Counter::messages_rejected),
      after.get(Counter::messages_queued), after.get(Counter::smtp_open),
      after.get(Counter::imap_open), after.get(Counter::pop3_open));
  // Only where there is something to worry about.
  const auto add_if_any = [&](std::string_view what, Counter counter) {
    if (after.get(counter) > before.get(counter))
      line += fmt::format("  {} {}/s", what, per_second(counter));
  };
  add_if_any("deferred", Counter::messages_deferred);
  add_if_any("bounced", Counter::messages_bounced);
  add_if_any("connections refused", Counter::connections_refused);
  add_if_any("connections shed", Counter::connections_shed);
  add_if_any("early talkers", Counter::early_talkers);
  add_if_any("listed", Counter::strangers_listed);
  add_if_any("greylisted", Counter::strangers_greylisted);
  add_if_any("EHLO refused", Counter::hellos_refused);
  add_if_any("logins failed", Counter::logins_failed);
  if (after.get(Counter::log_lines_lost) > 0)
    line += fmt::format("  log lines lost {}", after.get(Counter::log_lines_lost));
  line += '\n';
  return line;
}

Summary::~Summary() { KURIR_ASSERT(scope_.running() == 0); }

void Summary::start(Nanoseconds interval) { scope_.start(run(interval)); }

Task<void> Summary::run(Nanoseconds interval) {
  Totals before(cores_);
  Instant since = io::now();
  for (;;) {
    const Woken woken = co_await stop_.wait(deadline_in(interval));
    if (woken == Woken::by_signal) co_return;
    const Totals after(cores_);
    const Instant now = io::now();
    std::string line = summary_line(before, after, now - since, io::wall_now());
    auto writing = sink_.write(std::move(line));
    static_cast<void>(co_await std::move(writing));
    before = after;
    since = now;
  }
}

Task<void> Summary::stop() {
  stop_.set();
  co_await scope_.join();
}

}  // namespace kurir::observe
