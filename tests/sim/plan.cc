#include "plan.hh"

#include <fmt/format.h>

#include <algorithm>

namespace kurir::sim {
namespace {

using io::simulated::Operation;
using io::simulated::Random;
using std::chrono::hours;
using std::chrono::minutes;

server::Configuration configuration_of(Random& random) {
  server::Configuration configuration;
  configuration.data = "/data";
  configuration.hostname = "mx.kurir.test";
  configuration.cores = random.between(1, 3);
  configuration.listen = {.smtp = {smtp_address},
                          .submission = {submission_address},
                          .imap = {imap_address},
                          .pop3 = {pop3_address}};
  configuration.auth.allow_plaintext = true;
  configuration.dns.servers = {name_server};
  configuration.store.segment_size = random.chance(0.8) ? 8 << 20 : 16 << 20;
  configuration.store.free_space_min = 1 << 20;
  configuration.store.checkpoint_size = random.chance(0.5) ? 64 << 10 : 4 << 20;
  configuration.store.sync =
      random.chance(0.5) ? store::SyncMode::buffered : store::SyncMode::direct;
  configuration.queue.retry_interval = random.duration(Seconds(10), minutes(20));
  configuration.queue.max_retry_interval =
      std::max(configuration.queue.retry_interval, random.duration(minutes(1), hours(1)));
  configuration.queue.max_age =
      random.chance(0.2) ? random.duration(minutes(30), hours(3)) : Nanoseconds(hours(5 * 24));
  configuration.queue.delay_warning = random.chance(0.5) ? Nanoseconds(0) : minutes(20);
  configuration.log.events = random.chance(0.5) ? "none" : "/data.events";
  configuration.log.summary = false;
  configuration.smtp.command_timeout = random.duration(Seconds(30), minutes(5));
  return configuration;
}

}  // namespace

Plan::Plan(Random& random, Nanoseconds load_time_of)
    : configuration(configuration_of(random)), load_time(load_time_of) {
  senders = static_cast<unsigned>(random.between(1, 5));
  messages_each = static_cast<unsigned>(random.between(2, 12));
  readers = static_cast<unsigned>(random.below(3));
  if (random.chance(0.15)) content_octets_max = 400'000;
  pipelines = random.chance(0.5);
  has_network_faults = random.chance(0.5);
  has_disk_errors = random.chance(0.35);
  has_slow_disk = random.chance(0.3);
  has_clock_jumps = random.chance(0.2);
  has_full_disk = random.chance(0.15);
  has_sink_faults = random.chance(0.6);
  has_stalls = random.chance(0.15);
  const std::uint64_t crash_count = random.chance(0.75) ? random.between(1, 4) : 0;
  for (std::uint64_t n = 0; n < crash_count; ++n) {
    const double kind = random.part();
    crashes.push_back({.at = random.duration(Seconds(1), load_time),
                       .operations = random.between(1, random.chance(0.5) ? 20 : 200),
                       .cuts_power = kind < 0.6,
                       .is_graceful = kind > 0.85,
                       .down = random.duration(Milliseconds(10), minutes(2))});
  }
  std::ranges::sort(crashes, {}, &Crash::at);
  const std::uint64_t window_count = has_disk_errors ? random.between(1, 4) : 0;
  for (std::uint64_t n = 0; n < window_count; ++n) {
    const Nanoseconds begin = random.duration(Nanoseconds(0), load_time);
    constexpr Operation kinds[] = {
        Operation::write_file,    Operation::write_file,     Operation::sync_file,
        Operation::sync_file,     Operation::read_file,      Operation::rename_file,
        Operation::remove_file,   Operation::sync_directory, Operation::open_file,
        Operation::allocate_file, Operation::accept,         Operation::send,
        Operation::receive,       Operation::open_socket,    Operation::connect};
    windows.push_back({.begin = begin,
                       .end = begin + random.duration(Seconds(1), minutes(10)),
                       .operation = kinds[random.below(std::size(kinds))],
                       .probability = random.chance(0.3) ? 1.0 : random.part() * 0.3});
  }
  if (random.chance(0.3)) network.latency_max = Milliseconds(300);
  if (has_network_faults) {
    network.tiny_pieces = random.part() * 0.3;
    network.cut = random.part() * 0.4;
    network.cut_octets_max = random.chance(0.5) ? 1500 : 20'000;
    network.refuse = random.part() * 0.2;
    network.silent = random.part() * 0.05;
    network.small_window = random.part() * 0.2;
    network.short_send = random.part() * 0.2;
    network.lose_datagram = random.part() * 0.3;
    network.repeat_datagram = random.part() * 0.2;
  }
  if (has_slow_disk) {
    disk.slow = random.part() * 0.02;
    disk.hung = random.part() * 0.002;
  }
  if (random.chance(0.3)) disk.short_operation = random.part() * 0.3;
}

std::string Plan::describe() const {
  std::string text = fmt::format(
      "cores {} senders {}x{} readers {} octets {} {}{}{}{}{}{}{}{}{}{}", configuration.cores,
      senders, messages_each, readers, content_octets_max, pipelines ? "pipelined " : "",
      has_network_faults ? "network " : "", has_disk_errors ? "disk-errors " : "",
      has_slow_disk ? "slow-disk " : "", has_clock_jumps ? "clock " : "",
      has_full_disk ? "full-disk " : "", has_sink_faults ? "sinks " : "",
      has_stalls ? "stalls " : "", has_flips ? "flips " : "", changes_cores ? "other-cores " : "");
  for (const Crash& crash : crashes)
    text += fmt::format("{}@{}s ",
                        crash.is_graceful  ? "stop"
                        : crash.cuts_power ? "cut"
                                           : "kill",
                        std::chrono::duration_cast<Seconds>(crash.at).count());
  return text;
}

}  // namespace kurir::sim
