import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseHttpAddress } from '../../../src/net/http/address.js';
import { findAuthorization } from '../../../src/publish/http/credentials.js';
import { findLogin } from '../../../src/publish/http/netrc.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

test('a netrc file says who to be where, the first entry that fits first', () => {
  const netrc = `# machine img.example login commented password out
machine other.example
  login her
  password "with \\"quotes\\" and blanks"
macdef init
  machine img.example login macro password macro

machine IMG.example login me account none password 1234 machine img.example login late password late
default login anonymous password guest
`;
  expect(findLogin(netrc, 'img.example')).toEqual({ user: 'me', password: '1234' });
  expect(findLogin(netrc, 'other.example')).toEqual({ user: 'her', password: 'with "quotes" and blanks' });
  expect(findLogin(netrc, 'unknown.example')).toEqual({ user: 'anonymous', password: 'guest' });
  expect(findLogin('machine img.example login me', 'other.example')).toBeNull();
  expect(findLogin('macdef all\nmachine img.example login me', 'img.example')).toBeNull();
  expect(findLogin('', 'img.example')).toBeNull();
});

test('netrc comes before the environment, and only where nobody listens', async () => {
  const dir = await temporaryDirectory();
  writeFileSync(join(dir, '.netrc'), 'machine img.example login me password 1234\n');
  const environment = { HOME: dir, UPDATE_REPOSITORY_HTTP_USER: 'env', UPDATE_REPOSITORY_HTTP_PASSWORD: 'word' };
  const found = (target: string) => findAuthorization(parseHttpAddress(target), environment);
  const basic = (login: string) => `Basic ${Buffer.from(login).toString('base64')}`;
  expect(await found('https://img.example/')).toBe(basic('me:1234'));
  expect(await found('https://other.example/')).toBe(basic('env:word'));
  expect(await found('http://127.0.0.1:8080/')).toBe(basic('env:word'));
  expect(await found('http://img.example/')).toBeNull();
  expect(await findAuthorization(parseHttpAddress('https://other.example/'), { HOME: dir })).toBeNull();
  expect(await findAuthorization(parseHttpAddress('https://img.example/'), { NETRC: join(dir, 'none') })).toBeNull();
});

test('an address has no password, and no message has it', () => {
  expect(parseHttpAddress('https://img.example/a/b//')).toMatchObject({
    name: 'https://img.example/a/b',
    loopback: false,
  });
  for (const target of ['https://me:secret@img.example/', 'https://img.example/?a=secret', 'https://secret:x:y/']) {
    let message = '';
    try {
      parseHttpAddress(target);
    } catch (error) {
      message = JSON.stringify(error);
    }
    expect(message).toContain('USAGE');
    expect(message.split('\\n')[0]).not.toContain('secret');
  }
});
