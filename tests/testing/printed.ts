/** Lines that a function prints by `console.log`. */
export async function printed(work: () => Promise<unknown> | void): Promise<string> {
  const { log } = console;
  const lines: string[] = [];
  console.log = (text: string) => void lines.push(text);
  try {
    await work();
  } finally {
    console.log = log;
  }
  return lines.join("\n");
}
