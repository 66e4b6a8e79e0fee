#include "kernel_driver.hh"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>

#include "kurir/base/assert.hh"
#include "uring_constants.hh"

namespace kurir::io::kernel {
namespace {

constexpr int buffer_group = 0;
// Completions whose result nobody waits for carry this user_data: closes, wake-ups, cancels.
constexpr std::uint64_t nobody = 0;
constexpr unsigned completions_a_turn_max = 1024;

}  // namespace

Result<std::unique_ptr<KernelDriver>> KernelDriver::create(const DriverOptions& options) {
  std::unique_ptr<KernelDriver> driver(new KernelDriver(options));
  if (const auto made = driver->make_ring(); !made) return std::unexpected(made.error());
  if (const auto made = driver->make_buffers(); !made) return std::unexpected(made.error());
  if (const auto made = driver->restrict_ring(); !made) return std::unexpected(made.error());
  driver->arm_doorbell();
  return driver;
}

// The ring belongs to the thread that makes it (single issuer): create() runs on the core's own.
Result<void> KernelDriver::make_ring() {
  io_uring_params parameters{};
  const unsigned common = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                          IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL |
                          IORING_SETUP_CQSIZE | IORING_SETUP_R_DISABLED;
  parameters.flags = common;
  parameters.cq_entries = options_.entries * 4;
  const int made = io_uring_queue_init_params(options_.entries, &ring_, &parameters);
  if (made < 0) return fail(Errc::unsupported, Origin::core, -made);
  ring_made_ = true;
  if ((parameters.features & IORING_FEAT_EXT_ARG) == 0)
    return fail(Errc::unsupported, Origin::core);
  io_uring_register_ring_fd(&ring_);  // only spares a look-up; its failure costs nothing else
  return {};
}

Result<void> KernelDriver::make_buffers() {
  const std::size_t ring_octets = options_.receive_buffers * sizeof(io_uring_buf);
  void* ring_memory =
      mmap(nullptr, ring_octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const std::size_t octets = options_.receive_buffers * options_.receive_buffer_octets;
  void* memory = mmap(nullptr, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (ring_memory == MAP_FAILED || memory == MAP_FAILED)
    return fail(Errc::exhausted, Origin::core, errno);
  buffer_ring_ = static_cast<io_uring_buf_ring*>(ring_memory);
  buffer_memory_ = static_cast<char*>(memory);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(buffer_ring_);
  registration.ring_entries = options_.receive_buffers;
  registration.bgid = buffer_group;
  if (const int made = io_uring_register_buf_ring(&ring_, &registration, 0); made < 0)
    return fail(Errc::unsupported, Origin::core, -made);
  io_uring_buf_ring_init(buffer_ring_);
  for (unsigned buffer = 0; buffer < options_.receive_buffers; ++buffer)
    return_buffer(static_cast<std::uint16_t>(buffer));
  return {};
}

// What this driver asks for and nothing else is taken from the ring from now on: seccomp does not
// see what a ring does (threats.md K). The shared library of liburing 2.3 lacks the calls.
Result<void> KernelDriver::restrict_ring() {
  static constexpr std::uint8_t operations[] = {
      IORING_OP_ACCEPT, IORING_OP_RECV,  IORING_OP_SEND,         IORING_OP_CONNECT,
      IORING_OP_CLOSE,  IORING_OP_READ,  IORING_OP_ASYNC_CANCEL, IORING_OP_OPENAT,
      IORING_OP_WRITE,  IORING_OP_FSYNC, IORING_OP_FALLOCATE,    IORING_OP_MSG_RING};
  std::array<io_uring_restriction, std::size(operations) + 2> allowed{};
  std::size_t count = 0;
  for (const std::uint8_t operation : operations) {
    allowed[count].opcode = IORING_RESTRICTION_SQE_OP;
    allowed[count++].sqe_op = operation;
  }
  allowed[count].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
  allowed[count++].sqe_flags = IOSQE_BUFFER_SELECT | IOSQE_CQE_SKIP_SUCCESS;
  allowed[count].opcode = IORING_RESTRICTION_REGISTER_OP;
  allowed[count++].register_op = IORING_UNREGISTER_RING_FDS;  // at its end
  const auto call = [this](unsigned operation, void* argument, std::size_t size) {
    return syscall(SYS_io_uring_register, ring_.ring_fd, operation, argument, size) < 0 ? errno : 0;
  };
  int failure = call(IORING_REGISTER_RESTRICTIONS, allowed.data(), count);
  if (failure == 0) failure = call(IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
  if (failure != 0) return fail(Errc::unsupported, Origin::core, failure);
  return verify_restrictions();
}

// An operation that is not on the list is tried. It comes back before any other.
Result<void> KernelDriver::verify_restrictions() {
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  KURIR_ASSERT(entry != nullptr);
  io_uring_prep_nop(entry);
  const int entered = io_uring_submit_and_wait(&ring_, 1);
  if (entered < 0) return fail(Errc::unsupported, Origin::core, -entered);
  io_uring_cqe* answer = nullptr;
  const bool answered = io_uring_peek_cqe(&ring_, &answer) == 0;
  const bool refused = answered && answer->res == -EACCES;
  if (answered) io_uring_cqe_seen(&ring_, answer);
  if (!refused) return fail(Errc::unsupported, Origin::core, ENOTSUP);
  return {};
}

KernelDriver::~KernelDriver() {
  if (ring_made_) io_uring_queue_exit(&ring_);
  if (doorbell_ >= 0) ::close(doorbell_);
  if (buffer_memory_ != nullptr)
    munmap(buffer_memory_, options_.receive_buffers * options_.receive_buffer_octets);
  if (buffer_ring_ != nullptr)
    munmap(buffer_ring_, options_.receive_buffers * sizeof(io_uring_buf));
}

// --- the loop

io_uring_sqe& KernelDriver::next_entry() {
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  if (entry == nullptr) {  // full: hand over what there is
    ++enters_;
    io_uring_submit(&ring_);
    entry = io_uring_get_sqe(&ring_);
  }
  KURIR_ASSERT(entry != nullptr);
  return *entry;
}

void KernelDriver::enqueue(io_uring_sqe& entry, Completion& completion) {
  io_uring_sqe_set_data(&entry, &completion);
}

void KernelDriver::turn(bool may_wait, Instant until) {
  const bool has_completions = io_uring_cq_ready(&ring_) > 0;
  if (may_wait && !has_completions) {
    const std::int64_t left = until == no_deadline ? 3'600'000'000'000 : (until - now()).count();
    __kernel_timespec timeout{};
    timeout.tv_sec = std::max<std::int64_t>(left, 0) / 1'000'000'000;
    timeout.tv_nsec = std::max<std::int64_t>(left, 0) % 1'000'000'000;
    io_uring_cqe* first = nullptr;
    ++enters_;
    io_uring_submit_and_wait_timeout(&ring_, &first, 1, &timeout, nullptr);
  } else if (io_uring_sq_ready(&ring_) > 0 ||
             (*ring_.sq.kflags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0) {
    ++enters_;
    io_uring_submit_and_get_events(&ring_);
  }
  if (io_uring_sq_ready(&ring_) == 0) connect_targets_.clear();
  reap();
}

// An enter runs at most some 20 deferred completions: go on while the kernel says that more wait.
void KernelDriver::reap() {
  unsigned run = 0;
  bool asked = false;
  for (;;) {
    unsigned head = 0;
    io_uring_cqe* entry = nullptr;
    unsigned seen = 0;
    io_uring_for_each_cqe(&ring_, head, entry) {
      ++seen;
      const io_uring_cqe copy = *entry;
      run_completion(copy);
    }
    io_uring_cq_advance(&ring_, seen);
    run += seen;
    const bool more = (*ring_.sq.kflags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
    // Another core's doorbell may set the flag just after its work was run: then it stays set with
    // nothing behind it until the next one.
    const bool stale = asked && seen == 0;
    if (!more || stale || run >= completions_a_turn_max) return;
    asked = true;
    ++enters_;
    io_uring_get_events(&ring_);
  }
}

void KernelDriver::run_completion(const io_uring_cqe& entry) {
  if (entry.user_data == nobody) return;
  auto* completion = reinterpret_cast<Completion*>(static_cast<std::uintptr_t>(entry.user_data));
  CompletionFlags flags;
  flags.more = (entry.flags & IORING_CQE_F_MORE) != 0;
  flags.has_buffer = (entry.flags & IORING_CQE_F_BUFFER) != 0;
  flags.buffer = static_cast<std::uint16_t>(entry.flags >> IORING_CQE_BUFFER_SHIFT);
  if (flags.has_buffer) --buffers_free_;
  completion->on_completion(*completion, entry.res, flags);
}

void KernelDriver::wake(Driver& other) {
  auto& target = static_cast<KernelDriver&>(other);
  io_uring_sqe& entry = next_entry();
  io_uring_prep_msg_ring(&entry, target.ring_.ring_fd, 0, nobody, 0);
  io_uring_sqe_set_data64(&entry, nobody);
  entry.flags |= IOSQE_CQE_SKIP_SUCCESS;
}

void KernelDriver::wake_from_anywhere() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(doorbell_, &one, sizeof one);
}

void KernelDriver::arm_doorbell() {
  if (doorbell_ < 0) doorbell_ = eventfd(0, EFD_CLOEXEC);
  KURIR_ASSERT(doorbell_ >= 0);
  io_uring_sqe& entry = next_entry();
  io_uring_prep_read(&entry, doorbell_, &doorbell_count_, sizeof doorbell_count_, 0);
  enqueue(entry, doorbell_read_);
}

void KernelDriver::DoorbellRead::rang(Completion& completion, std::int32_t, CompletionFlags) {
  static_cast<DoorbellRead&>(completion).driver->arm_doorbell();
}

// --- sockets

void KernelDriver::accept(Descriptor listener, Completion& completion) {
  io_uring_sqe& entry = next_entry();
  io_uring_prep_multishot_accept(&entry, listener.number, nullptr, nullptr, SOCK_CLOEXEC);
  enqueue(entry, completion);
}

void KernelDriver::receive(Descriptor socket, Completion& completion) {
  io_uring_sqe& entry = next_entry();
  io_uring_prep_recv_multishot(&entry, socket.number, nullptr, 0, 0);
  entry.flags |= IOSQE_BUFFER_SELECT;
  entry.buf_group = buffer_group;
  enqueue(entry, completion);
}

void KernelDriver::send(Descriptor socket, std::string_view octets, Completion& completion) {
  io_uring_sqe& entry = next_entry();
  io_uring_prep_send(&entry, socket.number, octets.data(), octets.size(),
                     MSG_NOSIGNAL | MSG_WAITALL);
  enqueue(entry, completion);
}

void KernelDriver::close(Descriptor descriptor) {
  io_uring_sqe& entry = next_entry();
  io_uring_prep_close(&entry, descriptor.number);
  io_uring_sqe_set_data64(&entry, nobody);
}

void KernelDriver::cancel(Completion& completion) {
  io_uring_sqe& entry = next_entry();
  io_uring_prep_cancel64(&entry, reinterpret_cast<std::uintptr_t>(&completion), 0);
  io_uring_sqe_set_data64(&entry, nobody);
}

std::string_view KernelDriver::received(std::uint16_t buffer, std::size_t octets) const {
  return {buffer_memory_ + buffer * options_.receive_buffer_octets, octets};
}

void KernelDriver::return_buffer(std::uint16_t buffer) {
  io_uring_buf_ring_add(buffer_ring_, buffer_memory_ + buffer * options_.receive_buffer_octets,
                        static_cast<unsigned>(options_.receive_buffer_octets), buffer,
                        io_uring_buf_ring_mask(options_.receive_buffers), 0);
  io_uring_buf_ring_advance(buffer_ring_, 1);
  ++buffers_free_;
}

// --- files

void KernelDriver::open(const std::string& path, OpenOptions options, Completion& completion) {
  int flags = O_CLOEXEC;
  switch (options.mode) {
    case OpenMode::read:
      flags |= O_RDONLY;
      break;
    case OpenMode::write:
      flags |= O_WRONLY;
      break;
    case OpenMode::read_write:
      flags |= O_RDWR;
      break;
    case OpenMode::create_exclusive:
      flags |= O_RDWR | O_CREAT | O_EXCL;
      break;
  }
  if (options.direct) flags |= O_DIRECT;
  io_uring_sqe& entry = next_entry();
  io_uring_prep_openat(&entry, AT_FDCWD, path.c_str(), flags, options.permissions);
  enqueue(entry, completion);
}

void KernelDriver::read(Descriptor file, std::span<char> into, std::uint64_t offset,
                        Completion& completion) {
  io_uring_sqe& entry = next_entry();
  io_uring_prep_read(&entry, file.number, into.data(), static_cast<unsigned>(into.size()), offset);
  enqueue(entry, completion);
}

void KernelDriver::write(Descriptor file, std::string_view octets, std::uint64_t offset,
                         bool durable, Completion& completion) {
  io_uring_sqe& entry = next_entry();
  io_uring_prep_write(&entry, file.number, octets.data(), static_cast<unsigned>(octets.size()),
                      offset);
  if (durable) entry.rw_flags = RWF_DSYNC;
  enqueue(entry, completion);
}

void KernelDriver::sync_data(Descriptor file, Completion& completion) {
  io_uring_sqe& entry = next_entry();
  io_uring_prep_fsync(&entry, file.number, IORING_FSYNC_DATASYNC);
  enqueue(entry, completion);
}

void KernelDriver::allocate(Descriptor file, std::uint64_t octets, Completion& completion) {
  io_uring_sqe& entry = next_entry();
  io_uring_prep_fallocate(&entry, file.number, 0, 0, static_cast<off_t>(octets));
  enqueue(entry, completion);
}

Result<std::uint64_t> KernelDriver::size_of(Descriptor file) {
  struct stat status{};
  if (fstat(file.number, &status) != 0) return fail(Errc::io_failed, Origin::file, errno);
  return static_cast<std::uint64_t>(status.st_size);
}

// --- time and chance

Instant KernelDriver::now() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return Instant(Seconds(time.tv_sec) + Nanoseconds(time.tv_nsec));
}

WallTime KernelDriver::wall_now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return {time.tv_sec * 1'000'000 + time.tv_nsec / 1000};
}

void KernelDriver::random(std::span<char> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const auto count = getrandom(into.data() + done, into.size() - done, 0);
    KURIR_ASSERT(count > 0 || errno == EINTR);
    if (count > 0) done += static_cast<std::size_t>(count);
  }
}

}  // namespace kurir::io::kernel

namespace kurir::io {

Result<std::unique_ptr<Driver>> Driver::create(const DriverOptions& options) {
  auto driver = kernel::KernelDriver::create(options);
  if (!driver) return std::unexpected(driver.error());
  return std::unique_ptr<Driver>(std::move(*driver));
}

std::string Driver::explain_failure(const Error& error) {
  if (error.os_errno == EPERM || error.os_errno == EACCES)
    return "io_uring is forbidden here: set kernel.io_uring_disabled=0 (sysctl), or allow "
           "io_uring_setup in the "
           "container's seccomp profile";
  if (error.os_errno == ENOSYS)
    return "this kernel has no io_uring: Kurir needs Linux 6.1 or newer";
  if (error.os_errno == EINVAL)
    return "this kernel's io_uring is too old: Kurir needs Linux 6.1 or newer";
  if (error.os_errno == ENOMEM)
    return "io_uring cannot get memory: raise RLIMIT_MEMLOCK (ulimit -l)";
  if (error.os_errno == EMFILE) return "too few file descriptors: raise RLIMIT_NOFILE (ulimit -n)";
  return "io_uring cannot be set up (errno " + std::to_string(error.os_errno) + ")";
}

std::string Driver::describe_features() {
  io_uring ring{};
  io_uring_params parameters{};
  parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
  const int made = io_uring_queue_init_params(8, &ring, &parameters);
  if (made < 0)
    return "none (" + explain_failure(Error{Errc::unsupported, Origin::core, -made}) + ")";
  utsname system{};
  uname(&system);
  std::string text = "linux " + std::string(system.release) + ": single-issuer defer-taskrun";
  if ((parameters.features & IORING_FEAT_EXT_ARG) != 0) text += " ext-arg";
  if ((parameters.features & IORING_FEAT_CQE_SKIP) != 0) text += " cqe-skip";
  if ((parameters.features & kernel::feature_bundles) != 0) text += " bundles";
  if ((parameters.features & kernel::feature_min_wait) != 0) text += " min-wait";
  io_uring_queue_exit(&ring);
  return text;
}

}  // namespace kurir::io
