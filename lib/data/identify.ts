import type { Dataset, Datasets } from "./dataset.ts";

/** Identity of the images that a run or a result depends on. */
export interface DataIdentity {
  name: string;
  /** Hash of all images and labels. */
  fingerprint: string;
}

/** Hashes all images and labels, some 0.2 s for CIFAR-10. */
export async function identifyData({ train, test }: Datasets): Promise<DataIdentity> {
  const bytes = ({ images, labels }: Dataset) => [images, labels] as Uint8Array<ArrayBuffer>[];
  const hashes = await Promise.all([...bytes(train), ...bytes(test)].map(hashBytes));
  return { name: train.name, fingerprint: await hashBytes(new TextEncoder().encode(hashes.join())) };
}

/** Computes the first 16 hexadecimal digits of SHA-256. */
export async function hashBytes(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex().slice(0, 16);
}
