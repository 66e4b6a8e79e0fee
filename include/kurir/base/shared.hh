#pragma once
// Shared<T>: a counted reference to an object that several cores may hold at once. The count lives
// in the object (T derives from Counted), so a reference is one pointer. The last one to let go
// deletes, on whichever core that is.
//
// Happens-before: every drop is a release and the last one also an acquire, so what any holder did
// to the object is visible to the core that runs its destructor.

#include <atomic>
#include <cstdint>
#include <utility>

#include "kurir/base/assert.hh"

namespace kurir {

// Any core. An object is born with one reference, which Shared<T>::adopt takes over.
class Counted {
 public:
  Counted() = default;
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

  // The caller holds a reference, or reads within a turn an object that is retired only by
  // quiescence.
  void add_reference() const noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  // True: it was the last, and the caller deletes the object.
  [[nodiscard]] bool drop_reference() const noexcept {
    const std::uint32_t before = references_.fetch_sub(1, std::memory_order_acq_rel);
    KURIR_ASSERT(before != 0);
    return before == 1;
  }

 protected:
  ~Counted() = default;

 private:
  mutable std::atomic<std::uint32_t> references_{1};
};

template <class T>
class Shared {
 public:
  Shared() = default;
  static Shared adopt(T* born) { return Shared(born); }
  static Shared share(T& object) {
    object.add_reference();
    return Shared(&object);
  }
  Shared(const Shared& other) : object_(other.object_) {
    if (object_ != nullptr) object_->add_reference();
  }
  Shared(Shared&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Shared& operator=(Shared other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Shared() { drop(object_); }

  // Gives the reference up to the caller, who must drop() it.
  [[nodiscard]] T* take() { return std::exchange(object_, nullptr); }
  static void drop(T* object) {
    if (object != nullptr && object->drop_reference()) delete object;
  }

  T* get() const { return object_; }
  T& operator*() const {
    KURIR_ASSERT(object_ != nullptr);
    return *object_;
  }
  T* operator->() const { return &**this; }
  explicit operator bool() const { return object_ != nullptr; }
  friend bool operator==(const Shared&, const Shared&) = default;

 private:
  explicit Shared(T* object) : object_(object) {}

  T* object_ = nullptr;
};

}  // namespace kurir
