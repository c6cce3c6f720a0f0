/** Writes the event files that TensorBoard reads. */
export interface SummaryWriter {
  /** Adds a point to the curve `name`. */
  scalar(name: string, value: number, step: number): void;
  /** Writes the points that were added to the file. */
  flush(): void;
}

/** Opens a folder for event files. Requires the native runtime, since the writer is TensorFlow's own. */
export async function openSummaryWriter(folder: string): Promise<SummaryWriter> {
  const { summaryFileWriter } = await import("@tensorflow/tfjs-node-gpu/dist/tensorboard.js");
  return summaryFileWriter(folder);
}
