#include "proxy/route/header_edits.h"

namespace convoy::route {

void HeaderEditList::addLevel(const std::vector<std::string>& remove,
                              const std::vector<HeaderEdit>& edits) {
  for (const std::string& name : remove) {
    steps_.push_back(
        {true, HeaderEdit::Action::OverwriteIfExists, {name, {}, http::classify(name)}});
  }
  for (const HeaderEdit& edit : edits) {
    steps_.push_back({false, edit.action, {edit.name, edit.value, http::classify(edit.name)}});
  }
}

void HeaderEditList::applySteps(http::HeaderList& headers) const {
  for (const Step& step : steps_) {
    if (step.remove) {
      headers.remove(step.field.name);
      continue;
    }
    const bool exists = headers.find(step.field.name) != nullptr;
    switch (step.action) {
      case HeaderEdit::Action::AppendIfExistsOrAdd:
        headers.add(step.field);
        break;
      case HeaderEdit::Action::AddIfAbsent:
        if (!exists) headers.add(step.field);
        break;
      case HeaderEdit::Action::OverwriteIfExistsOrAdd:
        headers.set(step.field.name, step.field.value);
        break;
      case HeaderEdit::Action::OverwriteIfExists:
        if (exists) headers.set(step.field.name, step.field.value);
        break;
    }
  }
}

}  // namespace convoy::route
