// A thread pool: TensorFlow's own is not accessible through its C interface.
#pragma once

#include <functional>

/** Sets the number of threads, before the first call of inParallel. */
void useThreads(long count);

/** Number of threads, including the caller. */
long threads();

/** Number of parts to divide so many items into, of which a thread is worth starting for `worth`. */
long partsFor(long items, long worth);

/**
 * Calls work(part) once for each part from 0 to `parts` − 1, in parallel, and returns when all are done.
 * Calls from several threads take turns. Nothing may be thrown.
 */
void inParallel(long parts, const std::function<void(long)>& work);
