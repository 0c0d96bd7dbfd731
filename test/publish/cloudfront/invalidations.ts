import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { runCli } from '../../cli/run.js';
import { listening } from '../../support/listening.js';
import { temporaryDirectoryOfSuite } from '../../support/temporary-directory.js';
import { CEPH_ENV, type Ceph } from '../support/ceph.js';

const DISTRIBUTION = 'EDFDVBD632BHDS5';

/** What the API was asked: the request line, and the XML. */
interface Asked {
  readonly line: string;
  readonly authorization: string;
  readonly body: string;
}

/** `--cloudfront`, beside a bucket of the real Ceph and a server that answers as CloudFront's API does. */
export function cloudFrontSuite(ceph: () => Ceph): void {
  describe('publish --cloudfront', () => {
    const dir = temporaryDirectoryOfSuite();
    const mirrors = ['one', 'two'].map((name) => join(dir, name));
    beforeAll(async () => {
      const name = (series: string) => `puavo-os-${series}-bookworm-2025-01-13-060000-amd64.img`;
      for (const [n, mirror] of mirrors.entries()) {
        const images = join(dir, `images-${n}`);
        mkdirSync(images);
        for (const series of n === 0 ? ['a', 'b'] : ['a']) {
          if (n === 0) writeFileSync(join(images, name(series)), randomBytes(10_000));
          else linkSync(join(dir, 'images-0', name(series)), join(images, name(series)));
        }
        const built = await runCli(['--quiet', '--base-url', 'https://img.example', images, mirror]);
        expect(built).toMatchObject({ code: 0 });
      }
    });

    const publish = async (endpoint: string, words: readonly string[]) =>
      await runCli(['publish', '--endpoint', ceph().endpoint, '--path-style', '--cloudfront', DISTRIBUTION, ...words], {
        ...CEPH_ENV,
        AWS_ENDPOINT_URL_CLOUDFRONT: endpoint,
      });
    const lists = ['CKSUMS', 'SHA256SUMS', 'index.json'];
    const meta = (series: string) => `meta/puavo-os-${series}-bookworm-amd64.json`;
    const below = (prefix: string, paths: readonly string[]) => paths.map((path) => `/${prefix}/${path}`).sort();

    test('asks once for the indexes that changed, and for those that are no more, also when going back', async () => {
      const { endpoint, asked } = await startCloudFront();
      const target = 's3://test/spiegel-ä';
      const [first = '', second = ''] = mirrors;
      const dry = await publish(endpoint, ['--dry-run', first, target]);
      expect(dry.code).toBe(10);
      expect(asked).toEqual([]);

      const { code, stderr } = await publish(endpoint, [first, target]);
      expect(code, stderr).toBe(0);
      expect(stderr).toContain(
        `CloudFront distribution ${DISTRIBUTION} is asked to forget 5 paths: invalidation I2J0I21`,
      );
      expect(asked).toHaveLength(1);
      expect(asked[0]?.line).toBe(`POST /2020-05-31/distribution/${DISTRIBUTION}/invalidation`);
      expect(asked[0]?.authorization).toContain('Credential=test-access/');
      expect(pathsIn(asked[0])).toEqual(below('spiegel-%C3%A4', [...lists, meta('a'), meta('b')]));

      expect(await publish(endpoint, [first, target])).toMatchObject({ code: 0 });
      expect(asked).toHaveLength(1);

      expect(await publish(endpoint, [second, target])).toMatchObject({ code: 0 });
      expect(pathsIn(asked[1])).toEqual(below('spiegel-%C3%A4', [...lists, meta('b')]));
      expect(await publish(endpoint, ['--rollback', target])).toMatchObject({ code: 0 });
      expect(pathsIn(asked[2])).toEqual(below('spiegel-%C3%A4', [...lists, meta('b')]));
      expect(new Set(asked.map(referenceIn)).size).toBe(3);
    });

    test('has published before it fails, says so, and how to repeat it', async () => {
      const { endpoint, asked } = await startCloudFront(404);
      const target = 's3://test/forbidden-cdn';
      const { code, stderr } = await publish(endpoint, ['--quiet', String(mirrors[0]), target]);
      expect(code).toBe(1);
      const [message = '', hint = ''] = stderr.trimEnd().split('\n');
      expect(message).toContain(
        `${target}: published, but CloudFront distribution ${DISTRIBUTION} could not be told: ` +
          'expected success, found NoSuchDistribution: The specified distribution does not exist.',
      );
      const repeat = /aws cloudfront create-invalidation --distribution-id (\S+) --paths (.*)$/.exec(hint);
      expect(repeat?.[1]).toBe(DISTRIBUTION);
      expect(repeat?.[2]?.replaceAll("'", '').split(' ').sort()).toEqual(pathsIn(asked[0]));
      expect((await publish(endpoint, ['--dry-run', String(mirrors[0]), target])).code).toBe(0);
    });

    test('is for buckets, and for ids that can be one; nothing is stored otherwise', async () => {
      const { endpoint, asked } = await startCloudFront();
      const elsewhere = await publish(endpoint, [String(mirrors[0]), 's3://test/untouched', join(dir, 'www')]);
      expect(elsewhere.code).toBe(2);
      expect(elsewhere.stderr).toContain('expected s3://bucket/prefix with --cloudfront');
      const wrong = await runCli(['publish', '--cloudfront', '../x', String(mirrors[0]), 's3://test/untouched']);
      expect(wrong.code).toBe(2);
      expect(wrong.stderr).toContain('option --cloudfront: expected the id of a distribution');
      expect(asked).toEqual([]);
      expect((await publish(endpoint, ['--dry-run', String(mirrors[0]), 's3://test/untouched'])).code).toBe(10);
    });

    test('needs no CloudFront client where it is not asked for', () => {
      const chunks = readFileSync(join(import.meta.dirname, '../../../dist/program/main.js'), 'utf8');
      expect(chunks).not.toMatch(/^import .*client-(cloudfront|s3)/m);
    });
  });
}

async function startCloudFront(status = 201): Promise<{ readonly endpoint: string; readonly asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const { authorization = '' } = request.headers;
    asked.push({ line: `${request.method} ${request.url}`, authorization, body });
    response.writeHead(status, { 'content-type': 'text/xml' });
    response.end(status === 201 ? created(body) : REFUSED);
  });
  const port = await listening(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { endpoint: `http://127.0.0.1:${port}`, asked };
}

/** https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html */
function created(request: string): string {
  const batch = request.replace(/^<\?xml.*?\?>\s*/, '').replace(/ xmlns="[^"]*"/, '');
  return (
    '<?xml version="1.0"?><Invalidation xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Id>I2J0I21PCUYOIK</Id>' +
    `<Status>InProgress</Status><CreateTime>2025-01-13T06:00:00.000Z</CreateTime>${batch}</Invalidation>`
  );
}

const REFUSED =
  '<?xml version="1.0"?><ErrorResponse xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Error><Type>Sender</Type>' +
  '<Code>NoSuchDistribution</Code><Message>The specified distribution does not exist.</Message></Error>' +
  '<RequestId>b25f48e8</RequestId></ErrorResponse>';

function pathsIn(asked: Asked | undefined): string[] {
  const paths = [...(asked?.body ?? '').matchAll(/<Path>([^<]*)<\/Path>/g)].map(([, path = '']) => path);
  expect(asked?.body).toContain(`<Quantity>${paths.length}</Quantity>`);
  return paths.sort();
}

function referenceIn({ body }: Asked): string | undefined {
  return /<CallerReference>([^<]+)<\/CallerReference>/.exec(body)?.[1];
}
