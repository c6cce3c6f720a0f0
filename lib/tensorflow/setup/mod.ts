/**
 * What the project needs and does not bring: TensorFlow's libraries and the addon, and Python's packages. Each task calls what it
 * needs; what is there already costs a millisecond.
 *
 * @module
 */
export { findGpu } from "./gpu.ts";
export {
  ensurePythonPackages,
  type EnsurePythonPackagesOptions,
  type PackageSet,
  type PythonPackages,
} from "./python_packages.ts";
export { type SetupReporter, STDERR_REPORTER } from "./reporter.ts";
export { ensureTensorFlow, type EnsureTensorFlowOptions } from "./tensorflow.ts";
