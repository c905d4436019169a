#include "proxy/route/header_edits.h"

#include <algorithm>
#include <span>

#include "proxy/base/strings.h"
#include "proxy/http/h1_scan.h"
#include "proxy/http/log_format.h"

namespace convoy::route {

namespace {

// The text of the edit's format, in the arena.
std::span<char> formatted(const HeaderEdit& edit, const EditScope& scope) {
  static const http::ResponseHead kNoResponse;
  const http::ResponseHead& response = scope.response != nullptr ? *scope.response : kNoResponse;
  const bool wants_time = std::any_of(
      edit.format.begin(), edit.format.end(),
      [](const http::LogPiece& piece) { return piece.op == http::LogOperator::StartTime; });
  event::WallTime started;
  if (wants_time) {
    started = scope.clock.wallNow() - (scope.clock.monotonicNow() - scope.info.started);
  }
  return http::formatText(edit.format, {scope.request, response, scope.info, started}, scope.arena);
}

// Makes a text a field's value, in place: no blanks at its ends (RFC 9113 8.2.1), and '?' for each
// byte that no value may have (RFC 9110 5.5). A format brings both: a name in a certificate, the
// server name that a client asks for, a value that is cut or not there.
std::string_view toFieldValue(std::span<char> text) {
  for (char& c : text) {
    if (!http::h1::is(http::h1::ValueChar, c)) c = '?';
  }
  return base::trimmed({text.data(), text.size()});
}

void applyStep(HeaderEdit::Action action, const http::HeaderField& field,
               http::HeaderList& headers) {
  switch (action) {
    case HeaderEdit::Action::AppendIfExistsOrAdd:
      headers.add(field);
      break;
    case HeaderEdit::Action::AddIfAbsent:
      if (headers.find(field.name) == nullptr) headers.add(field);
      break;
    case HeaderEdit::Action::OverwriteIfExistsOrAdd:
      headers.set(field.name, field.value);
      break;
    case HeaderEdit::Action::OverwriteIfExists:
      if (headers.find(field.name) != nullptr) headers.set(field.name, field.value);
      break;
    case HeaderEdit::Action::Remove:
      headers.remove(field.name);
      break;
  }
}

// `edit`: where the format is, or null if the field has a literal value.
void applyOne(HeaderEdit::Action action, http::HeaderField field, const HeaderEdit* edit,
              http::HeaderList& headers, const EditScope& scope) {
  if (edit != nullptr) {
    const std::span<char> text = formatted(*edit, scope);
    // As Envoy, for which blanks are a text: what they overwrite is gone, and does not get through.
    if (text.empty() && !edit->keep_empty) return;
    field.value = toFieldValue(text);
  }
  applyStep(action, field, headers);
}

const HeaderEdit* formatOf(const HeaderEdit& edit) {
  return edit.format.empty() ? nullptr : &edit;
}

}  // namespace

void HeaderEditList::addLevel(const std::vector<std::string>& remove,
                              const std::vector<HeaderEdit>& edits) {
  for (const std::string& name : remove) {
    steps_.push_back({HeaderEdit::Action::Remove, {name, {}, http::classify(name)}, nullptr});
  }
  add(edits);
}

void HeaderEditList::add(const std::vector<HeaderEdit>& edits) {
  for (const HeaderEdit& edit : edits) {
    steps_.push_back(
        {edit.action, {edit.name, edit.value, http::classify(edit.name)}, formatOf(edit)});
  }
}

void HeaderEditList::applySteps(http::HeaderList& headers, const EditScope& scope) const {
  for (const Step& step : steps_) applyOne(step.action, step.field, step.format, headers, scope);
}

void applyEdits(const std::vector<HeaderEdit>& edits, http::HeaderList& headers,
                const EditScope& scope) {
  for (const HeaderEdit& edit : edits) {
    applyOne(edit.action, {edit.name, edit.value, http::classify(edit.name)}, formatOf(edit),
             headers, scope);
  }
}

}  // namespace convoy::route
