/** Writes the event files that TensorBoard reads. */
export interface SummaryWriter {
  /** Adds a point to the curve `name`. */
  scalar(name: string, value: number, step: number): void;
  /** Writes what was added to the file. */
  flush(): void;
}

/** Opens a folder for event files. Wants the native runtime: the writer is TensorFlow's own. */
export async function openSummaryWriter(folder: string): Promise<SummaryWriter> {
  const { node } = await import("@tensorflow/tfjs-node-gpu");
  return node.summaryFileWriter(folder);
}
