#pragma once

// The process's limit of open files. Thread: main, at the start.

namespace convoy::base {

// A process that keeps connections needs descriptors. Systems hand out a low limit for the sake of
// programs that use select(), with a high one up to which a program may help itself: raises the
// soft limit to the hard one, and returns what holds then.
int raiseDescriptorLimit();

}  // namespace convoy::base
