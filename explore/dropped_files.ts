/** Lists the files that are dropped, those in folders as well, by name. */
export async function listDropped({ items, files }: DataTransfer): Promise<File[]> {
  // both are empty after the first pause
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const plain = [...files];
  if (!entries.some(({ isDirectory }) => isDirectory)) return plain;
  const nested = await Promise.all(entries.map(listEntry));
  return nested.flat().sort((one, other) => one.name.localeCompare(other.name));
}

async function listEntry(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    return [
      await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)),
    ];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const files: File[] = [];
  while (true) { // a folder is read in parts, the last of which is empty
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject)
    );
    if (part.length === 0) return files;
    for (const inner of part) files.push(...await listEntry(inner));
  }
}
