#include "kurir/io/simulated/process.hh"

#include <cerrno>
#include <utility>

#include "kurir/base/assert.hh"
#include "kurir/io/core.hh"
#include "kurir/io/simulated/world.hh"

namespace kurir::io::simulated {
namespace {

Process* running_process = nullptr;  // one thread runs all of them

}  // namespace

Process::Process(World& world, std::string name, std::function<void()> body)
    : world_(world), name_(std::move(name)), fiber_(std::move(body)) {}

Process& Process::current() {
  KURIR_ASSERT(running_process != nullptr);
  return *running_process;
}

bool Process::is_running() { return running_process != nullptr; }

void Process::resume() {
  if (!is_alive_) return;
  KURIR_ASSERT(running_process == nullptr);
  running_process = this;
  fiber_.resume();
  running_process = nullptr;
  Core::exchange_current(nullptr);
  if (!fiber_.ended() || !is_alive_) return;
  is_alive_ = false;
  let_go();
}

void Process::kill() {
  if (!is_alive_) return;
  world_.note("process.kill", name_);
  is_alive_ = false;
  let_go();
  if (running_process == this) fiber_.wait();
}

void Process::freeze() {
  KURIR_ASSERT(running_process == this);
  fiber_.wait();
}

void Process::let_go() {
  // Handles keep drivers' callbacks, and those keep handles: taken apart one by one.
  std::map<int, Handle> handles = std::move(handles_);
  handles_.clear();
  for (auto& [number, handle] : handles) {
    if (auto* endpoint = std::get_if<std::shared_ptr<Endpoint>>(&handle)) (*endpoint)->close();
    if (auto* acceptor = std::get_if<std::shared_ptr<Acceptor>>(&handle))
      world_.network().stop_listening(*acceptor);
    if (auto* datagrams = std::get_if<std::shared_ptr<DatagramEnd>>(&handle)) {
      (*datagrams)->is_closed = true;
      (*datagrams)->on_change = nullptr;
    }
  }
  world_.disk().release_locks(this);
}

void Process::send_signal(ProcessSignal signal) {
  post(Nanoseconds(0), [this, signal] {
    signals.push_back(signal);
    if (on_signal) on_signal();
  });
}

void Process::post(Nanoseconds delay, std::function<void()> job) {
  world_.after(delay, [self = shared_from_this(), job = std::move(job)]() mutable {
    if (!self->is_alive_) return;
    self->jobs_.push_back(std::move(job));
    self->resume();
  });
}

std::function<void()> Process::next_job() {
  KURIR_ASSERT(running_process == this);
  while (jobs_.empty()) fiber_.wait();
  std::function<void()> job = std::move(jobs_.front());
  jobs_.pop_front();
  return job;
}

int Process::add(Handle handle) {
  if (handles_.size() >= descriptors_max) return -EMFILE;
  const int number = next_descriptor_++;  // never given twice: a stale one is found out
  handles_.emplace(number, std::move(handle));
  return number;
}

Process::Handle& Process::handle(int descriptor) {
  const auto found = handles_.find(descriptor);
  KURIR_ASSERT(found != handles_.end());
  return found->second;
}

Process::Handle Process::remove(int descriptor) {
  const auto found = handles_.find(descriptor);
  KURIR_ASSERT(found != handles_.end());
  Handle handle = std::move(found->second);
  handles_.erase(found);
  return handle;
}

}  // namespace kurir::io::simulated
