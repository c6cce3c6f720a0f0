/** SHA-256 of some bytes, as its first 16 hexadecimal digits: enough to tell versions apart. */
export async function hashBytes(...parts: Uint8Array<ArrayBuffer>[]): Promise<string> {
  const bytes = parts.length === 1 ? parts[0] : join(parts);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return digest.toHex().slice(0, 16);
}

/** {@linkcode hashBytes} of a text's UTF-8. */
export async function hashText(text: string): Promise<string> {
  return await hashBytes(new TextEncoder().encode(text));
}

/** {@linkcode hashText} of a value's JSON, whatever the order of its keys. */
export async function hashValue(value: unknown): Promise<string> {
  return await hashText(JSON.stringify(sortKeys(value)));
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([one], [other]) => one < other ? -1 : 1);
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortKeys(inner)]));
}

function join(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
