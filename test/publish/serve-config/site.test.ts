import { expect, test } from 'vitest';
import { parseConfigPath, parseListenAddress, parseServerName } from '../../../src/publish/serve-config/site.js';

test('a listen address is a port, alone or of one address', () => {
  expect(parseListenAddress('443')).toEqual({ address: null, port: 443 });
  expect(parseListenAddress('192.0.2.1:8443')).toEqual({ address: '192.0.2.1', port: 8443 });
  expect(parseListenAddress('[2001:db8::1]:8443')).toEqual({ address: '[2001:db8::1]', port: 8443 });
});

test.each(['', '0', '65536', 'https', '443;', '443 ssl', 'host:443', '2001:db8::1:443', '[x]:1'])(
  'a listen address is not %j',
  (text) => {
    expect(() => parseListenAddress(text)).toThrow(/^expected a port/);
  },
);

test.each(['', 'a b', 'a;b', '-a', 'a-', 'a..b', '*', 'a/b', 'a:1', `${'a'.repeat(254)}`, 'a\n'])(
  'a host name is not %j',
  (text) => {
    expect(() => parseServerName(text)).toThrow(/^expected a host name/);
  },
);

test.each(['srv/www', '/srv/"; include /etc', '/srv/$uri', '/srv/\nroot', '/srv/%{x}', '/srv/{env.HOME}', '/srv/\\'])(
  'a path that would mean something else in a configuration is refused: %j',
  (text) => {
    expect(() => parseConfigPath(text)).toThrow(/^expected an absolute path/);
  },
);

test('paths with blanks and letters of any language, and host names, are kept as they are', () => {
  expect(parseConfigPath('/srv/my images/ä')).toBe('/srv/my images/ä');
  expect(parseServerName('images-1.example.org')).toBe('images-1.example.org');
});
