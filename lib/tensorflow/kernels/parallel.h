// Work in parallel, on threads of its own: TensorFlow's are out of reach of an operation that is written against its C interface.
#pragma once

#include <functional>

/** Sets how many threads work, before the first call of inParallel. */
void useThreads(long count);

/** How many threads work, the caller among them. */
long threads();

/**
 * Calls work(part) once for each part from 0 to `parts` − 1, side by side, and returns when all are done. Calls from several threads
 * take turns. Nothing may be thrown.
 */
void inParallel(long parts, const std::function<void(long)>& work);
