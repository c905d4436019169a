#include "controlplane/compile/headers.h"

#include <map>
#include <set>
#include <string>

#include "absl/strings/ascii.h"

namespace convoy::controlplane::compile {

namespace {

using envoy::config::core::v3::HeaderValueOption;
using Names = std::set<std::string>;

void compileValue(const std::string& name, const std::string& value,
                  HeaderValueOption::HeaderAppendAction action, HeaderValueOption* out) {
  out->mutable_header()->set_key(absl::AsciiStrToLower(name));
  out->mutable_header()->set_value(value);
  out->set_append_action(action);
  // A value with operators may turn out empty. Envoy then leaves the edit out, and with it a field
  // of that name that the client sent: it would pass for the node's word.
  out->set_keep_empty_value(action == HeaderValueOption::OVERWRITE_IF_EXISTS_OR_ADD);
}

// Calls put(name, value, action) for each edit that gives a value, in the order that convoy.v1
// says, by name.
template <typename Put>
void forEachValue(const v1::HeaderEdits& edits, Put&& put) {
  const auto all = [&put](const auto& map, HeaderValueOption::HeaderAppendAction action) {
    const std::map<std::string, std::string> sorted(map.begin(), map.end());
    for (const auto& [name, value] : sorted) put(name, value, action);
  };
  all(edits.set(), HeaderValueOption::OVERWRITE_IF_EXISTS_OR_ADD);
  all(edits.add(), HeaderValueOption::ADD_IF_ABSENT);
  all(edits.append(), HeaderValueOption::APPEND_IF_EXISTS_OR_ADD);
}

template <typename Mutations>
void compileMutations(const v1::HeaderEdits& edits, Mutations* out) {
  for (const std::string& name : edits.remove()) {
    out->Add()->set_remove(absl::AsciiStrToLower(name));
  }
  forEachValue(edits, [out](const std::string& name, const std::string& value, auto action) {
    compileValue(name, value, action, out->Add()->mutable_append());
  });
}

// What is gone or replaced whatever was edited before.
Names decided(const v1::HeaderEdits& edits) {
  Names names;
  for (const std::string& name : edits.remove()) names.insert(absl::AsciiStrToLower(name));
  for (const auto& [name, value] : edits.set()) names.insert(absl::AsciiStrToLower(name));
  return names;
}

// Appends edits to a route's lists, but for the values of names that later edits decide.
template <typename Values, typename Removed>
void compileEdits(const v1::HeaderEdits& edits, const Names& decided_later, Values* values,
                  Removed* removed) {
  for (const std::string& name : edits.remove()) {
    *removed->Add() = absl::AsciiStrToLower(name);
  }
  forEachValue(edits, [&](const std::string& name, const std::string& value, auto action) {
    if (decided_later.count(absl::AsciiStrToLower(name)) != 0) return;
    compileValue(name, value, action, values->Add());
  });
}

}  // namespace

bool hasEdits(const v1::Headers& headers) {
  const auto any = [](const v1::HeaderEdits& edits) {
    return edits.set_size() + edits.add_size() + edits.append_size() + edits.remove_size() > 0;
  };
  return any(headers.request()) || any(headers.response());
}

envoy::extensions::filters::http::header_mutation::v3::HeaderMutation compileHeaderMutation(
    const v1::Headers& headers) {
  envoy::extensions::filters::http::header_mutation::v3::HeaderMutation out;
  compileMutations(headers.request(), out.mutable_mutations()->mutable_request_mutations());
  compileMutations(headers.response(), out.mutable_mutations()->mutable_response_mutations());
  return out;
}

void compileRouteHeaders(const v1::Headers& route, const v1::Headers& pool,
                         envoy::config::route::v3::Route* out) {
  auto* values = out->mutable_request_headers_to_add();
  auto* removed = out->mutable_request_headers_to_remove();
  compileEdits(route.request(), decided(pool.request()), values, removed);
  compileEdits(pool.request(), {}, values, removed);
  values = out->mutable_response_headers_to_add();
  removed = out->mutable_response_headers_to_remove();
  compileEdits(pool.response(), decided(route.response()), values, removed);
  compileEdits(route.response(), {}, values, removed);
}

}  // namespace convoy::controlplane::compile
