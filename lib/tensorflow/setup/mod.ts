/**
 * Installs TensorFlow's libraries and the addon that connects them to Deno, and Python packages the same way.
 *
 * @module
 */
export {
  SetupInterrupted,
  TensorFlowError,
  type TensorFlowErrorCode,
  type TensorFlowProblem,
} from "../errors.ts";
export {
  type Build,
  type DeviceChoice,
  type Installation,
  isBuildReady,
  tensorflowFolder,
} from "../runtime/installation.ts";
export { type SetupContext, type SetupOptions, type SetupReporter, withSetup } from "./context.ts";
export { ensureVenv, hasPackages, installPackages, type PackageRequest, venvPython } from "./python.ts";
export { findGpu, type InstallOptions, installTensorFlow } from "./tensorflow.ts";
