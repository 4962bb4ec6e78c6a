// A reference to something that can be called: as a parameter, where std::function would allocate for what a lambda
// captures.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace effdet::inline base {

template <typename Signature>
class FunctionRef;

/// Refers to a callable, which must outlive it.
template <typename Result, typename... Args>
class FunctionRef<Result(Args...)> {
 public:
  template <typename F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef> && std::is_invocable_r_v<Result, F&, Args...>)
      FunctionRef(F&& callable)  // NOLINT(google-explicit-constructor): a parameter takes any callable
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(callable)))),
        call_([](void* object, Args... args) -> Result {
          return (*static_cast<std::remove_reference_t<F>*>(object))(std::forward<Args>(args)...);
        }) {}

  Result operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

 private:
  void* object_;
  Result (*call_)(void*, Args...);
};

}  // namespace effdet::inline base
