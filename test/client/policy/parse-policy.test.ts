import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../../src/client/policy/parse-policy.js';
import { DEFAULT_POLICY, policyOf } from '../../../src/client/policy/policy.js';
import { readTimeWindow } from '../../../src/client/policy/time-window.js';

const file = '/etc/policy.json';

describe('a policy file', () => {
  it('may say nothing, which leaves every default', () => {
    expect(policyOf(parsePolicy('{}', file))).toEqual(DEFAULT_POLICY);
  });

  it('has a member for all that can be chosen', () => {
    const members = {
      target: 'channel:stable',
      floor: '20250101000000',
      allowDowngrade: true,
      barriers: ['20250601000000', '20260101000000'],
      fallback: 'ask',
      metered: 'deltas-only',
      connection: 'metered',
      windows: ['22:00-06:00', 'sat,sun 00:00-24:00'],
      keep: 3,
      makeRoom: 'previous',
      maxHops: 5,
      limitBytesPerSecond: 1_000_000,
      downloadBytesPerSecond: 2_000_000,
      diskBytesPerSecond: 90_000_000,
      notify: 'https://hooks.example.org/t/secret?token=x',
    };
    const read = parsePolicy(JSON.stringify(members), file);
    expect(Object.keys(read)).toEqual(Object.keys(DEFAULT_POLICY));
    expect(read).toEqual({
      ...members,
      target: { kind: 'channel', path: 'channels/stable.json' },
      windows: members.windows.map(readTimeWindow),
      notify: { kind: 'webhook', url: new URL(members.notify) },
    });
  });

  it.each([
    ['latest', { kind: 'latest' }],
    ['20260101000000', { kind: 'version', version: '20260101000000' }],
    ['channel:beta', { kind: 'channel', path: 'channels/beta.json' }],
    ['channel:schools/basel.json', { kind: 'channel', path: 'schools/basel.json' }],
  ])('may want %s', (target, expected) => {
    expect(parsePolicy(JSON.stringify({ target }), file).target).toEqual(expected);
  });

  it('gives way to flags, member by member', () => {
    const read = parsePolicy('{"keep":5,"barriers":["20250601000000"],"fallback":"never"}', file);
    expect(policyOf(read, { keep: 1, barriers: [] })).toEqual({
      ...DEFAULT_POLICY,
      keep: 1,
      barriers: [],
      fallback: 'never',
    });
  });

  it.each([
    ['[]', '.: expected an object, found a list'],
    ['{"keep":0}', '.keep: expected an integer from 1 on, found 0'],
    ['{"keep":"2"}', '.keep: expected an integer'],
    ['{"maxHops":1.5}', '.maxHops: expected an integer'],
    ['{"limitBytesPerSecond":-1}', '.limitBytesPerSecond: expected an integer'],
    ['{"target":"newest"}', '.target: expected "latest", a version of 14 digits, or "channel:"'],
    ['{"target":"channel:"}', '.target: expected'],
    ['{"target":"channel:../x.json"}', '.target: expected'],
    ['{"target":"channel:/etc/x.json"}', '.target: expected'],
    ['{"target":"channel:a/b"}', '.target: expected'],
    ['{"target":5}', '.target: expected'],
    ['{"floor":"2025"}', '.floor: expected a version of 14 digits, found "2025"'],
    ['{"floor":null}', '.floor: expected a version of 14 digits, found null'],
    ['{"allowDowngrade":1}', '.allowDowngrade: expected true or false, found 1'],
    ['{"barriers":["20250601000000","x"]}', '.barriers[1]: expected a version of 14 digits, found "x"'],
    ['{"barriers":["20250601000000","20250601000000"]}', '.barriers[1]: expected a version that is not listed twice'],
    ['{"fallback":"yes"}', '.fallback: expected never, ask or full, found "yes"'],
    ['{"metered":"deltas"}', '.metered: expected full, deltas-only or never, found "deltas"'],
    ['{"makeRoom":"current"}', '.makeRoom: expected never, old or previous, found "current"'],
    ['{"connection":true}', '.connection: expected auto, metered or unmetered, found true'],
    ['{"windows":"22:00-06:00"}', '.windows: expected a list'],
    ['{"windows":["22:00"]}', '.windows[0]: expected a time window such as "22:00-06:00"'],
    ['{"notify":""}', '.notify: expected a command, or an https URL'],
    ['{"notify":"http://hooks.example.org/"}', '.notify: expected a command, or an https URL'],
    ['{"notify":"https://u:p@hooks.example.org/"}', '.notify: expected a command, or an https URL'],
    ['{"kept":2}', '.kept: expected one of target, floor,'],
    ['{"__proto__":{"keep":1}}', '.__proto__: expected one of target, floor,'],
    ['{"toString":1}', '.toString: expected one of'],
    ['{"keep":1,"keep":2}', ': expected plain JSON, found the key "keep" twice in one object'],
    ['{"keep":1', ': expected JSON, found'],
  ])('of %s is refused', (text, message) => {
    const opening = message.startsWith(':') ? `${file}${message}` : `${file}: ${message}`;
    expect(() => parsePolicy(text, file)).toThrow(
      expect.objectContaining({ code: 'CONFIG', message: expect.stringContaining(opening) }),
    );
  });

  it.each(['http://hooks.example.org/secret', 'https://u:secret@hooks.example.org/'])('does not show %s', (notify) => {
    expect(() => parsePolicy(JSON.stringify({ notify }), file)).toThrow(/found another text$/);
  });

  it('takes http for a webhook on this machine', () => {
    const { notify } = parsePolicy('{"notify":"http://127.0.0.1:8080/x"}', file);
    expect(notify).toEqual({ kind: 'webhook', url: new URL('http://127.0.0.1:8080/x') });
  });
});
