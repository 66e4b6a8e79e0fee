#include "kurir/io/mesh.hh"

namespace kurir::io {

bool ParcelRing::push(Parcel* parcel) {
  const std::size_t tail = tail_.load(std::memory_order_relaxed);
  if (tail - head_.load(std::memory_order_acquire) == capacity) return false;
  slots_[tail % capacity] = parcel;
  tail_.store(tail + 1, std::memory_order_release);
  return true;
}

Parcel* ParcelRing::pop() {
  const std::size_t head = head_.load(std::memory_order_relaxed);
  if (head == tail_.load(std::memory_order_acquire)) return nullptr;
  Parcel* parcel = slots_[head % capacity];
  head_.store(head + 1, std::memory_order_release);
  return parcel;
}

Mesh::Mesh(unsigned cores) : cores_(cores), ends_(new End[cores]) {
  for (unsigned core = 0; core < cores; ++core) ends_[core].kept.resize(cores);
  for (unsigned pair = 0; pair < cores * cores; ++pair)
    rings_.push_back(std::make_unique<ParcelRing>());
}

void Mesh::send(CoreIndex from, CoreIndex to, Parcel& parcel) {
  std::deque<Parcel*>& kept = ends_[from.value].kept[to.value];
  if (!kept.empty() || !ring(from, to).push(&parcel)) kept.push_back(&parcel);
  ring_doorbell(from, to);
}

// The push is ordered before the look at `asleep`, and the sleeper's announcement before its last
// look at the ring: one of the two sees the other (both sequentially consistent).
void Mesh::ring_doorbell(CoreIndex from, CoreIndex to) {
  if (from == to) return;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  End& end = ends_[to.value];
  if (!end.asleep.load(std::memory_order_relaxed)) return;
  if (end.asleep.exchange(false, std::memory_order_seq_cst))
    ends_[from.value].driver->wake(*end.driver);
}

bool Mesh::receive(CoreIndex to) {
  bool any = false;
  for (std::uint16_t from = 0; from < cores_; ++from) {
    ParcelRing& incoming = ring(CoreIndex(from), to);
    for (std::size_t taken = 0; taken < ParcelRing::capacity; ++taken) {
      Parcel* parcel = incoming.pop();
      if (parcel == nullptr) break;
      any = true;
      parcel->on_arrival(*parcel);
    }
  }
  return any;
}

bool Mesh::flush(CoreIndex from) {
  bool left = false;
  for (std::uint16_t to = 0; to < cores_; ++to) {
    std::deque<Parcel*>& kept = ends_[from.value].kept[to];
    if (kept.empty()) continue;
    while (!kept.empty() && ring(from, CoreIndex(to)).push(kept.front())) kept.pop_front();
    left = left || !kept.empty();
    ring_doorbell(from, CoreIndex(to));
  }
  return left;
}

bool Mesh::has_mail(CoreIndex to) const {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  for (std::uint16_t from = 0; from < cores_; ++from)
    if (!ring(CoreIndex(from), to).empty()) return true;
  return false;
}

void Mesh::ring_all(CoreIndex from) {
  for (std::uint16_t to = 0; to < cores_; ++to)
    if (to != from.value) ends_[from.value].driver->wake(*ends_[to].driver);
}

}  // namespace kurir::io
