import type { Device } from './device/device.js';
import { downloadFile } from './download/download-file.js';
import type { Mirrors } from './download/mirrors.js';
import { remoteFileOf } from './download/remote-file.js';
import type { HopFiles } from './hop-files.js';
import { performJob } from './job.js';
import { streamedDelta } from './streamed-delta.js';

/** Who downloads: where the files go, and what is told of it. */
export type Downloader = Pick<Device, 'nextJob' | 'signal' | 'onEvent'> & { readonly directory: string };

/** The files of a path from mirrors. What an earlier run has left of them in `directory` is gone on with. */
export function mirrorFiles(mirrors: Mirrors, downloader: Downloader): HopFiles {
  const { directory, signal, onEvent } = downloader;
  return {
    async fetch(hop, onBytes) {
      const file = remoteFileOf(hop);
      const job = { kind: 'download', path: file.path, totalBytes: file.sizeBytes } as const;
      return await performJob(downloader, job, async (onJobProgress) => {
        const onProgress = (doneBytes: number) => {
          onBytes?.(doneBytes);
          onJobProgress(doneBytes);
        };
        const { path, keptBytes } = await downloadFile(mirrors, file, { directory, signal, onEvent, onProgress });
        const detail = keptBytes === 0 ? 'whole' : `${keptBytes} bytes were here`;
        return { result: path, sizeBytes: file.sizeBytes, detail };
      });
    },
    stream(hop) {
      return streamedDelta({ mirrors, directory, signal, onEvent }, remoteFileOf(hop));
    },
  };
}
