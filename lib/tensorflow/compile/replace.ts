/** Puts `value` in an object's place `key` until the returned function is called. */
export function replace<T extends object, K extends keyof T>(object: T, key: K, value: T[K]): () => void {
  const before = Object.getOwnPropertyDescriptor(object, key);
  object[key] = value;
  return () => {
    if (before) Object.defineProperty(object, key, before);
    else delete object[key]; // a method of its class shows again
  };
}
