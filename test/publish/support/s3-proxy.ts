import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { listening } from '../../support/listening.js';

/** A request that went through, and its answer. */
export interface Seen {
  /** Method, path and query, as in `PUT /test/a.img?partNumber=1`; without the id of an upload. */
  readonly line: string;
  readonly headers: IncomingHttpHeaders;
  readonly status: number;
}

/** What may be done to a request before the server sees it; one that is to wait is judged again soon. */
export type Verdict = 'pass' | { readonly status: number; readonly s3Error?: string } | 'lose-answer' | 'wait';

const WAIT_MS = 20;

export interface S3Proxy {
  readonly endpoint: string;
  readonly seen: Seen[];
  /** Called when the answer of a request is there, before the client gets it. */
  onAnswer: (seen: Seen) => void;
  /** Called when a request arrives. */
  judge: (line: string, headers: IncomingHttpHeaders) => Verdict;
}

/** Stands between a client and a server, until the running test is over: sees what they say, and may disturb it. */
export async function startS3Proxy(endpoint: string): Promise<S3Proxy> {
  const server = createServer(async (incoming, outgoing) => {
    const line = `${incoming.method} ${(incoming.url ?? '').replace(/[?&](x-id|uploadId)=[^&]*/g, '')}`;
    let verdict = proxy.judge(line, incoming.headers);
    while (verdict === 'wait') {
      await sleep(WAIT_MS);
      if (outgoing.destroyed) return;
      verdict = proxy.judge(line, incoming.headers);
    }
    const answered = (status: number) => {
      const seen = { line, headers: incoming.headers, status };
      proxy.seen.push(seen);
      proxy.onAnswer(seen);
    };
    if (typeof verdict === 'object') {
      incoming.resume();
      incoming.once('end', () => {
        answered(verdict.status);
        const { status, s3Error } = verdict;
        outgoing.writeHead(status).end(s3Error === undefined ? '' : `<Error><Code>${s3Error}</Code></Error>`);
      });
      return;
    }
    const { expect: _, ...headers } = incoming.headers;
    const forwarded = request(`${endpoint}${incoming.url}`, { method: incoming.method, headers }, (answer) => {
      answered(answer.statusCode ?? 0);
      if (verdict === 'lose-answer') {
        answer.resume();
        outgoing.destroy();
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    // Either side may go at any time: that is what is tried here.
    forwarded.on('error', () => outgoing.destroy());
    incoming.on('error', () => forwarded.destroy());
    outgoing.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  const port = await listening(server);
  const proxy: S3Proxy = {
    endpoint: `http://127.0.0.1:${port}`,
    seen: [],
    onAnswer: () => undefined,
    judge: () => 'pass',
  };
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return proxy;
}
