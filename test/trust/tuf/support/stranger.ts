import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { BaseFetcher, Updater } from 'tuf-js';
import { DownloadHTTPError } from 'tuf-js/dist/error.js';
import { onTestFinished } from 'vitest';
import { listening } from '../../../support/listening.js';

/** Serves files by path over HTTP for as long as the running test; returns the URL. What it is given may change. */
export async function serveFiles(files: ReadonlyMap<string, Buffer>): Promise<string> {
  const server = createServer((request, response) => {
    const bytes = files.get(decodeURIComponent((request.url ?? '/').slice(1)));
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
  });
  const port = await listening(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${port}`;
}

/** A device that knows one root of a mirror and nothing of us: tuf-js' own client in a folder of its own. */
export class Stranger {
  readonly #folder: string;
  readonly #url: string;

  constructor(folder: string, url: string, root: string) {
    this.#folder = folder;
    this.#url = url;
    mkdirSync(join(folder, 'metadata'), { recursive: true });
    mkdirSync(join(folder, 'targets'), { recursive: true });
    writeFileSync(join(folder, 'metadata', 'root.json'), root);
  }

  /** What it finds out of an image or a delta; undefined for a path that no role vouches for. */
  async find(path: string) {
    return await this.#updater('').getTargetInfo(path);
  }

  /** Downloads and verifies an image or a delta, whose name never changes its bytes; returns the path of the file. */
  async fetchFile(path: string): Promise<string> {
    return await this.#fetch(this.#updater(''), path);
  }

  /** Downloads and verifies an index by its hash-named copy. */
  async fetchIndex(path: string): Promise<string> {
    return await this.#fetch(this.#updater('/metadata'), path);
  }

  async refresh(): Promise<void> {
    await this.#updater('').refresh();
  }

  async #fetch(updater: Updater, path: string): Promise<string> {
    const target = await updater.getTargetInfo(path);
    if (target === undefined) throw new Error(`${path} is no target`);
    return await updater.downloadTarget(target);
  }

  #updater(targetsBelow: '' | '/metadata'): Updater {
    return new Updater({
      metadataDir: join(this.#folder, 'metadata'),
      metadataBaseUrl: `${this.#url}/metadata`,
      targetDir: join(this.#folder, 'targets'),
      targetBaseUrl: `${this.#url}${targetsBelow}`,
      config: { prefixTargetsWithHash: targetsBelow !== '', fetchRetry: 0, fetchTimeout: 10_000 },
    });
  }
}

/** tuf-js' client in a folder of its own, of a mirror in memory, without any server between. */
export function inMemoryUpdater(folder: string, files: ReadonlyMap<string, Buffer>): Updater {
  writeFileSync(join(folder, 'root.json'), files.get('metadata/1.root.json') ?? '');
  return new Updater({
    metadataDir: folder,
    metadataBaseUrl: 'http://mirror.example/metadata',
    fetcher: new FilesFetcher(files),
  });
}

class FilesFetcher extends BaseFetcher {
  readonly #files: ReadonlyMap<string, Buffer>;

  constructor(files: ReadonlyMap<string, Buffer>) {
    super();
    this.#files = files;
  }

  override async fetch(url: string): Promise<Readable> {
    const bytes = this.#files.get(decodeURIComponent(new URL(url).pathname.slice(1)));
    if (bytes === undefined) throw new DownloadHTTPError(`no ${url}`, 404);
    return Readable.from([bytes]);
  }
}
