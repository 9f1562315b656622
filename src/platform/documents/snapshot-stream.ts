import { writeFile } from '../disk/index.js';
import type { ChainPosition, Disk, DiskReader, OpenSnapshot } from '../../kernel/index.js';

const CHUNK_BYTES = 256 * 1024;

/** Undefined when there is no such file. Calls `release` once: on close, or when nothing was opened. */
export async function openSnapshotStream(
  disk: Disk,
  path: string,
  position: ChainPosition,
  release: () => void,
): Promise<OpenSnapshot | undefined> {
  let reader: DiskReader | undefined;
  try {
    reader = await disk.openForReading(path);
    if (reader === undefined) {
      release();
      return undefined;
    }
    const sizeBytes = await reader.size();
    return streamOf(reader, position, sizeBytes, release);
  } catch (error) {
    release();
    await reader?.close();
    throw error;
  }
}

/** Replaces the file at `path` with `chunks`. The content is durable when it resolves; the name is not. */
export function storeStream(disk: Disk, path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  return writeFile(disk, path, async (file) => {
    let offset = 0;
    for await (const chunk of chunks) {
      await file.write(chunk, offset);
      offset += chunk.byteLength;
    }
  });
}

function streamOf(reader: DiskReader, position: ChainPosition, sizeBytes: number, release: () => void): OpenSnapshot {
  let isClosed = false;
  return {
    position,
    sizeBytes,
    chunks: {
      async *[Symbol.asyncIterator]() {
        for (let offset = 0; offset < sizeBytes; offset += CHUNK_BYTES) {
          yield await reader.read(offset, Math.min(CHUNK_BYTES, sizeBytes - offset));
        }
      },
    },
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      release();
      await reader.close();
    },
  };
}
