#pragma once
// A doubly linked list whose links live in the elements: no allocation, O(1) removal of a known
// element. Core-local. The list does not own; an element must be unlinked before it dies
// (asserted).

#include <cstddef>

#include "kurir/base/assert.hh"

namespace kurir {

struct ListLink {
  ListLink* previous = nullptr;
  ListLink* next = nullptr;

  ListLink() = default;
  ListLink(const ListLink&) = delete;
  ListLink& operator=(const ListLink&) = delete;
  ~ListLink() { KURIR_ASSERT(!linked()); }

  bool linked() const { return next != nullptr; }
  void unlink() {
    if (!linked()) return;
    previous->next = next;
    next->previous = previous;
    previous = next = nullptr;
  }
};

// T derives from ListLink (publicly, once; use a tag base of your own to be in two lists).
template <class T, class Link = ListLink>
class IntrusiveList {
 public:
  IntrusiveList() { head_.previous = head_.next = &head_; }
  ~IntrusiveList() {
    KURIR_ASSERT(empty());
    head_.previous = head_.next = nullptr;
  }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;

  bool empty() const { return head_.next == &head_; }
  T& front() {
    KURIR_ASSERT(!empty());
    return *static_cast<T*>(static_cast<Link*>(head_.next));
  }
  void push_back(T& element) { insert_before(&head_, static_cast<Link*>(&element)); }
  void push_front(T& element) { insert_before(head_.next, static_cast<Link*>(&element)); }
  T& pop_front() {
    T& element = front();
    static_cast<Link&>(element).unlink();
    return element;
  }
  // Moves every element of other to this list's end, in order.
  void splice(IntrusiveList& other) {
    while (!other.empty()) push_back(other.pop_front());
  }
  // Calls f(T&) for each; f may unlink the element it is given, and no other.
  template <class F>
  void for_each(F&& f) {
    for (ListLink* link = head_.next; link != &head_;) {
      ListLink* following = link->next;
      f(*static_cast<T*>(static_cast<Link*>(link)));
      link = following;
    }
  }

 private:
  static void insert_before(ListLink* place, ListLink* link) {
    KURIR_ASSERT(!link->linked());
    link->previous = place->previous;
    link->next = place;
    place->previous->next = link;
    place->previous = link;
  }
  ListLink head_;
};

}  // namespace kurir
