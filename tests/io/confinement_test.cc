// What a hole in the server could not do, tried in a process of its own (threats.md K).

#include "kurir/io/confinement.hh"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <functional>

#include "kurir/io/driver.hh"
#include "support/temporary_directory.hh"

namespace kurir::io {
namespace {

// Whether it holds in a child that is confined as a server is, with a ring of its own.
bool holds_in_confinement(const std::function<bool(Driver&)>& holds, const std::string& folder) {
  const pid_t child = fork();
  if (child == 0) {
    const auto forbidden = forbid_new_privileges();
    const auto confined = confine_files({.readable = {"/usr"}, .writable = {folder}});
    auto driver = Driver::create({.entries = 64, .receive_buffers = 8});
    const auto denied = deny_system_calls();
    const bool is_set_up = forbidden && confined && *confined == Confined::yes && driver &&
                           denied && *denied == Confined::yes;
    _exit(!is_set_up ? 2 : holds(**driver) ? 0 : 1);
  }
  int status = -1;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_NE(WEXITSTATUS(status), 2) << "the child could not be confined";
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

struct Opened : Completion {
  Opened() : Completion(&done) {}
  static void done(Completion& completion, std::int32_t result, CompletionFlags /*flags*/) {
    static_cast<Opened&>(completion).result = result;
    static_cast<Opened&>(completion).is_done = true;
  }
  std::int32_t result = 0;
  bool is_done = false;
};

// Through the ring, which no seccomp filter sees.
std::int32_t open_by_ring(Driver& driver, const std::string& path, OpenMode mode) {
  Opened opened;
  driver.open(path, {.mode = mode}, opened);
  while (!opened.is_done) driver.turn(true, driver.now() + std::chrono::seconds(10));
  return opened.result;
}

struct Confinement : testing::Test {
  bool holds(const std::function<bool(Driver&)>& what) {
    return holds_in_confinement(what, folder_.path());
  }
  test::TemporaryDirectory folder_;
};

TEST_F(Confinement, nothing_is_executed) {
  EXPECT_TRUE(holds([](Driver&) {
    char shell[] = "/bin/sh";
    char* const arguments[] = {shell, nullptr};
    return execv(shell, arguments) == -1 && errno == EPERM;
  }));
}

TEST_F(Confinement, no_second_ring_is_made_and_none_is_changed) {
  EXPECT_TRUE(holds([](Driver&) {
    const bool no_ring = syscall(SYS_io_uring_setup, 8, nullptr) == -1 && errno == EPERM;
    return no_ring && syscall(SYS_io_uring_register, 0, 0, nullptr, 0) == -1 && errno == EPERM;
  }));
}

TEST_F(Confinement, files_elsewhere_are_not_read_by_call_or_ring) {
  EXPECT_TRUE(holds([](Driver& driver) {
    const bool by_call = ::open("/etc/shadow", O_RDONLY | O_CLOEXEC) == -1 && errno == EACCES;
    return by_call && open_by_ring(driver, "/etc/shadow", OpenMode::read) == -EACCES;
  }));
}

TEST_F(Confinement, files_elsewhere_are_not_written_by_call_or_ring) {
  const std::string path = "/usr/kurir-confinement-test";
  EXPECT_TRUE(holds([&](Driver& driver) {
    const int made = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    const bool by_call = made == -1 && errno == EACCES;
    return by_call && open_by_ring(driver, path, OpenMode::create_exclusive) == -EACCES;
  }));
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(Confinement, its_own_folder_is_the_servers) {
  EXPECT_TRUE(holds([this](Driver& driver) {
    const std::string path = folder_.path() + "/own";
    return open_by_ring(driver, path, OpenMode::create_exclusive) >= 0 &&
           open_by_ring(driver, "/usr/bin/env", OpenMode::read) >= 0;
  }));
}

TEST_F(Confinement, nobody_becomes_root_again_or_traces) {
  EXPECT_TRUE(holds([](Driver&) {
    const bool user = setuid(0) == -1 && errno == EPERM;
    return user && syscall(SYS_process_vm_readv, getppid(), nullptr, 0, nullptr, 0, 0) == -1 &&
           errno == EPERM;
  }));
}

TEST(ProcessMemory, what_is_used_is_less_than_there_is_and_follows_what_is_taken) {
  const std::uint64_t before = memory_used();
  EXPECT_GT(before, 0u);
  EXPECT_LT(before, memory_octets());
  constexpr std::size_t octets = 64 << 20;
  std::string taken(octets, 'x');
  EXPECT_GT(memory_used() + taken.size() / 64, before + octets);
}

}  // namespace
}  // namespace kurir::io
