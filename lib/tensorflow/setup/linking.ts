import type { RuntimeBuild } from "../runtime/runtime.ts";

/** A library to be made. */
export interface Target {
  /** The installed TensorFlow to take the headers from; they are the same in both builds. */
  build: RuntimeBuild;
  /** Libraries of TensorFlow's names to link against. */
  libraries: string[];
  /** The library's path. */
  output: string;
}

/**
 * A compiler's arguments to link a library that looks for TensorFlow from its own folder, so that the project can be moved: in the CUDA
 * build first, which computes on the CPU too.
 *
 * @param toTensorflow Where `.tensorflow` lies, from the library's folder.
 */
export function linkArguments({ libraries, output }: Target, toTensorflow: string): string[] {
  const runPaths = ["gpu", "cpu"].map((build) => `$ORIGIN/${toTensorflow}/${build}/tensorflow`);
  return [
    "-shared",
    "-s",
    "-Wl,--no-as-needed",
    ...libraries,
    ...runPaths.flatMap((path) => ["-Xlinker", "-rpath", "-Xlinker", path]),
    "-o",
    output,
  ];
}
