#include "run.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "certificate.hh"
#include "kurir/base/assert.hh"
#include "kurir/io/file.hh"
#include "kurir/server/serve.hh"
#include "names.hh"

namespace kurir::sim {
namespace {

using io::simulated::CutMode;
using io::simulated::Operation;
using io::simulated::Process;
using std::chrono::hours;
using std::chrono::minutes;

constexpr Nanoseconds service_restart = Seconds(5);  // as a service manager does it
constexpr Nanoseconds stop_max = Seconds(60);        // grace, checkpoint and all
constexpr Nanoseconds look_interval = minutes(5), look_max = minutes(40);
constexpr double flips_chance = 0.05, changes_cores_chance = 0.3;
constexpr std::uint64_t memory_octets_base = 160ULL << 20, memory_octets_core = 48ULL << 20;

// crypt's cheapest hash of "secret": thousands of logins are checked.
constexpr std::string_view password_hash = "$1$simulate$Ka0Tr0qabDmi1AEfVH5wc0";

Result<directory::Database> make_database() {
  Result<directory::Database> database = directory::Database::in_memory();
  if (!database) return database;
  Result<void> added = database->add_domain("kurir.test");
  for (unsigned user = 0; user < users && added; ++user) {
    const std::string address = user_address(user);
    const auto known = database->add_user({.address = address, .password_hash = password_hash});
    if (!known) added = std::unexpected(known.error());
  }
  if (!added) return std::unexpected(added.error());
  return database;
}

}  // namespace

Run::Run(const RunOptions& options)
    : options_(options),
      world_(options.seed),
      plan_(world_.random(), options.load_time),
      peers_(world_, plan_, ledger_) {
  if (options.is_traced) world_.trace().show();
  world_.network().weather = plan_.network;
  world_.disk().weather = plan_.disk;
  world_.disk().weather.ignores_sync = options.planted == Planted::sync_that_lies;
  install_certificate();
  // Drawn apart, so that the other seeds stay what they were.
  io::simulated::Random apart(options.seed ^ 0x666c6970);
  plan_.has_flips = apart.chance(flips_chance) && !plan_.crashes.empty();
  plan_.changes_cores = apart.chance(changes_cores_chance) && !plan_.crashes.empty();
  cores_ = apart;
  cores_most_ = plan_.configuration.cores;
  ledger_.max_age = plan_.configuration.queue.max_age;
  ledger_.expects_expiry = ledger_.max_age < hours(24) || plan_.has_clock_jumps;
  ledger_.tolerates_repeats = plan_.has_disk_errors || plan_.has_full_disk;
  if (plan_.has_slow_disk || plan_.has_stalls) ledger_.in_flight = minutes(10);
  result_.plan = plan_.describe();
}

RunResult Run::go() {
  world_.note("plan", result_.plan);
  Names names(world_.random());
  names_ = &names;
  if (plan_.has_network_faults) names.failing = 0.1;
  world_.network().answer_datagrams(name_server,
                                    [&](std::string_view query) { return names.answer(query); });
  begin_counting_memory();
  start_server();
  peers_process_ = &world_.start("peers", [this] { peers_.run(); });
  for (const Plan::Crash& crash : plan_.crashes) schedule_crash(crash);
  schedule_windows();
  schedule_weather();
  world_.run_until(world_.now() + plan_.load_time);
  calm_down();
  const bool settled = settle();
  const bool again = settled && restart() && look_again();
  if (settled && !again) ledger_.violation("the server does not serve after a stop and a start");
  result_.memory_octets = memory_most();
  peers_.stop();
  world_.run_until([this] { return !peers_process_->is_alive(); }, world_.now() + hours(2));
  if (peers_process_->is_alive()) ledger_.violation("a connection never ends");
  return judge();
}

// --- the server

void Run::install_certificate() {
  io::simulated::Disk& disk = world_.disk();
  std::shared_ptr<io::simulated::DiskFile> file;
  KURIR_ASSERT(disk.make_directory("/tls") == 0 &&
               disk.open(certificate_path, true, true, file) == 0);
  file->write(certificate_pem, 0, 0);
  file->sync(0);
  KURIR_ASSERT(disk.sync_directory("/tls") == 0 && disk.sync_directory("/") == 0);
  plan_.configuration.tls.certificates = {certificate_path};
}

void Run::start_server() {
  starts_again_ = service_restart;  // where a fault spoils its start
  is_crash_due_ = is_asked_to_stop_ = false;
  if (plan_.changes_cores && server_ != nullptr) {
    plan_.configuration.cores = cores_.between(1, 3);
    cores_most_ = std::max(cores_most_, plan_.configuration.cores);
    world_.note("server.cores", plan_.configuration.cores);
  }
  world_.disk().never_stop();
  server_ = &world_.start("server", [this] {
    server::ServeOptions options;
    options.open_database = make_database;
    exit_code_ = server::serve(plan_.configuration, options);
    world_.note("server.exit", exit_code_);
    if (exit_code_ == 0 && !is_asked_to_stop_)
      ledger_.violation("the server ended though nobody asked");
    if (starts_again_) world_.after(*starts_again_, [this] { start_server(); });
  });
  if (plan_.has_stalls) {
    server_->stall_chance = 0.001;
    server_->stall_max = Seconds(20);
  }
}

void Run::schedule_crash(const Plan::Crash& crash) {
  world_.after(crash.at, [this, &crash] {
    if (is_crash_due_ || !server_->is_alive()) return;  // down as it is
    is_crash_due_ = true;
    if (crash.is_graceful) return stop_gracefully(crash);
    Process* victim = server_;
    world_.disk().stop_at_operation(crash.operations, [this, &crash] { crash_now(crash); });
    world_.after(minutes(5), [this, &crash, victim] {
      if (victim->is_alive() && is_crash_due_) crash_now(crash);
    });
  });
}

void Run::crash_now(const Plan::Crash& crash) {
  world_.note("crash", crash.cuts_power);
  ++result_.crashes;
  ledger_.crashes.push_back(world_.now());
  server_->kill();
  constexpr CutMode modes[] = {CutMode::loses_all, CutMode::keeps_all, CutMode::keeps_some,
                               CutMode::keeps_first};
  if (crash.cuts_power) {
    world_.disk().cut_power(modes[world_.random().below(std::size(modes))]);
  } else {
    world_.disk().never_stop();
  }
  if (plan_.has_flips) {
    const std::string_view stream = world_.random().chance(0.5) ? "/mail-" : "/spool-";
    ledger_.damages_max += world_.disk().flip_somewhere(stream);
  }
  world_.after(crash.down, [this] { start_server(); });
}

void Run::stop_gracefully(const Plan::Crash& crash) {
  starts_again_ = crash.down;
  is_asked_to_stop_ = true;
  ++result_.stops;
  Process* stopping = server_;
  stopping->send_signal(io::ProcessSignal::terminate);
  const Nanoseconds limit = plan_.has_slow_disk || plan_.has_stalls || plan_.has_disk_errors
                                ? Nanoseconds(hours(1))
                                : stop_max;
  world_.after(limit, [this, stopping] {
    if (stopping->is_alive()) ledger_.violation("SIGTERM did not end the server in time");
  });
}

// --- what befalls it

void Run::schedule_windows() {
  for (const Plan::Window& window : plan_.windows) {
    world_.after(window.begin, [this, &window] {
      world_.note("faults.begin", static_cast<int>(window.operation));
      world_.faults().set(window.operation, window.probability);
    });
    world_.after(window.end, [this, &window] {
      world_.note("faults.end", static_cast<int>(window.operation));
      world_.faults().set(window.operation, 0);
    });
  }
}

void Run::schedule_weather() {
  io::simulated::Random& random = world_.random();
  if (plan_.has_full_disk) {
    const Nanoseconds begin = random.duration(Seconds(1), plan_.load_time);
    world_.after(begin, [this] {
      world_.disk().used_by_others += world_.disk().free();
      world_.note("disk.full");
    });
    world_.after(begin + random.duration(Seconds(1), minutes(20)), [this] {
      world_.disk().used_by_others = 0;
      world_.note("disk.freed");
    });
  }
  for (unsigned n = 0; plan_.has_clock_jumps && n < 3; ++n) {
    const Nanoseconds at = random.duration(Seconds(1), plan_.load_time);
    const double kind = random.part();
    world_.after(at, [this, kind] {
      io::simulated::WallClock& clock = world_.wall_clock();
      if (kind < 0.3) clock.jump(-hours(1));
      if (kind >= 0.3 && kind < 0.6) clock.jump(hours(2));
      if (kind >= 0.6 && kind < 0.7) clock.jump(hours(24 * 3650));
      if (kind >= 0.7) clock.freeze(world_.now());
      world_.note("clock", static_cast<int>(kind * 10));
    });
  }
}

void Run::calm_down() {
  world_.note("calm");
  world_.faults().clear();
  const io::simulated::NetworkWeather fair;
  world_.network().weather = fair;
  io::simulated::DiskWeather fair_disk;
  fair_disk.ignores_sync = options_.planted == Planted::sync_that_lies;
  world_.disk().weather = fair_disk;
  world_.disk().used_by_others = 0;
  world_.wall_clock().thaw();
  server_->stall_chance = 0;
  plan_.has_stalls = false;
  names_->failing = 0;
  peers_.calm_down();
}

// --- the end

// Until all that was acknowledged is accounted for. Retries come within the longest interval; a
// connection that died silently within the time of its deadlines.
bool Run::settle() {
  const Nanoseconds longest = 3 * plan_.configuration.queue.max_retry_interval + hours(4);
  const Instant end = world_.now() + longest;
  const auto done = [this] {
    return peers_.senders_are_done() && peers_.readers_are_done() && !is_crash_due_;
  };
  if (!world_.run_until(done, end)) ledger_.violation("a peer is kept waiting for ever");
  while (world_.now() < end) {
    if (look() && ledger_.missing().empty()) return true;
    world_.run_until(world_.now() + look_interval);
  }
  if (!look()) ledger_.violation("the server does not serve: " + world_.said());
  for (const std::string& what : ledger_.missing())
    ledger_.violation("neither delivered nor returned after " +
                      std::to_string(longest / minutes(1)) + " minutes: " + what);
  return false;
}

bool Run::look() {
  Peers::Look look;
  peers_.look(look);
  const bool over = world_.run_until([&] { return look.is_over; }, world_.now() + look_max);
  if (!over) {
    ledger_.violation("a reader is kept waiting for ever");
    world_.run_until([&] { return look.is_over; }, Instant::max());
  }
  return look.is_complete;
}

// The first look at a large message that is damaged costs it the connection, on each core; after
// that the server says so at once.
bool Run::look_again() {
  const unsigned looks = plan_.has_flips ? 10 : 1;
  for (unsigned n = 0; n < looks; ++n)
    if (look()) return true;
  return false;
}

bool Run::restart() {
  starts_again_.reset();
  is_asked_to_stop_ = true;
  if (!server_->is_alive()) return false;
  server_->send_signal(io::ProcessSignal::terminate);
  const bool stopped =
      world_.run_until([this] { return !server_->is_alive(); }, world_.now() + stop_max);
  if (!stopped) ledger_.violation("SIGTERM did not end the server in time");
  if (!stopped) return false;
  if (exit_code_ != 0) ledger_.violation(fmt::format("a graceful stop ended in {}", exit_code_));
  start_server();
  world_.run_until(world_.now() + Seconds(30));
  return true;
}

RunResult Run::judge() {
  ledger_.check();
  const std::uint64_t memory_max = memory_octets_base + cores_most_ * memory_octets_core;
  if (result_.memory_octets > memory_max)
    ledger_.violation(fmt::format("the server held {} octets", result_.memory_octets));
  const bool may_be_late = plan_.has_network_faults || plan_.has_slow_disk;
  if (peers_.late > 0 && !may_be_late) ledger_.violation("a reply came too late, or never");
  result_.violations = ledger_.violations;
  result_.trace_hash = world_.trace().hash();
  result_.events = world_.trace().events();
  result_.sent = ledger_.sent.size();
  result_.acknowledged = ledger_.acknowledged();
  result_.relayed = ledger_.deliveries();
  result_.faults = world_.faults().struck();
  result_.cuts = world_.network().cuts;
  result_.hours = static_cast<double>((world_.now().time_since_epoch() - Seconds(1000)).count()) /
                  static_cast<double>(Nanoseconds(hours(1)).count());
  return result_;
}

}  // namespace kurir::sim
