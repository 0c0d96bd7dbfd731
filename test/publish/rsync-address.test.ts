import { expect, test } from 'vitest';
import { parseRsyncAddress } from '../../src/publish/rsync/address.js';
import { parseListedLine, unescapeName } from '../../src/publish/rsync/listing.js';

test('an address is read as rsync and ssh read it', () => {
  const remotes: Record<string, string> = {
    'host:/srv/www': 'host:/srv/www/',
    'me@host.example:www/mirror/': 'me@host.example:www/mirror/',
    'ssh://me@host:2222/srv/www': 'me@host:/srv/www/',
    'ssh://host/~/www': 'host:www/',
    'ssh://host': 'host:/',
    'host::module/deep': 'rsync://host/module/deep/',
    'rsync://me@host:8730/module': 'rsync://me@host:8730/module/',
    '[::1]:/srv/www': '[::1]:/srv/www/',
  };
  for (const [target, remote] of Object.entries(remotes)) expect(parseRsyncAddress(target)).toMatchObject({ remote });
  expect(parseRsyncAddress('ssh://me@host:2222/srv/www')).toMatchObject({
    name: 'ssh://me@host:2222/srv/www',
    sshPort: 2222,
  });
  expect(parseRsyncAddress('host::module/deep/er')).toMatchObject({
    inModule: { root: 'rsync://host/module/', path: 'deep/er' },
  });
});

test('what is of another kind is left to others', () => {
  for (const target of ['/srv/a:b', './a:b/c', 'srv/www', 's3://bucket/prefix', 'https://host/path', 'file:///srv']) {
    expect(parseRsyncAddress(target)).toBeNull();
  }
});

test('what a shell or rsync would take for something else is refused', () => {
  const targets = [
    'host:/srv/$(id)',
    'host:/srv/a b',
    'host:/srv/*',
    'host:-e',
    'host:../etc',
    'ssh://host/~/-e',
    'rsync://host/',
  ];
  for (const target of targets) expect(() => parseRsyncAddress(target)).toThrow(/expected/);
  expect(parseRsyncAddress('-oProxyCommand=id:/srv')).toBeNull();
});

test('a password is refused, and not repeated', () => {
  for (const target of ['rsync://me:secret@host/module', 'ssh://me:sec@ret@host/srv']) {
    expect(() => parseRsyncAddress(target)).toThrow(/without a password/);
    expect(() => parseRsyncAddress(target)).not.toThrow(/sec/);
  }
});

test('a line of a listing becomes a file or a directory, and any other line nothing', () => {
  expect(parseListedLine('-rw-r--r--  1234567890 2026/11/26 15:52:42 rdiffs/a ä.img')).toEqual({
    kind: 'file',
    path: 'rdiffs/a ä.img',
    sizeBytes: 1_234_567_890,
    mtimeSeconds: Date.UTC(2026, 10, 26, 15, 52, 42) / 1000,
  });
  expect(parseListedLine('drwxr-xr-x        4096 2026/11/26 15:52:42 .')).toMatchObject({
    kind: 'directory',
    path: '.',
  });
  expect(parseListedLine('lrwxrwxrwx           4 2026/11/26 15:52:42 link')).toBeNull();
  expect(parseListedLine('Welcome to this host')).toBeNull();
});

test('a name is taken as it is on the other side, or not at all', () => {
  expect(unescapeName(String.raw`a\#134#134b`)).toBe(String.raw`a\#134b`);
  expect(unescapeName(String.raw`new\#012line`)).toBeNull();
  expect(unescapeName('not UTF-8 \uFFFD')).toBeNull();
});
