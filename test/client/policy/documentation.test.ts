import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../src/cli/exit-codes.js';
import { addPolicyOptions } from '../../../src/cli/policy-flags.js';
import { plainLayout } from '../../../src/client/device/plain-layout.js';
import { puavoLayout } from '../../../src/client/device/puavo/puavo-layout.js';
import { parsePolicy } from '../../../src/client/policy/parse-policy.js';
import { DEFAULT_POLICY } from '../../../src/client/policy/policy.js';
import { isOpen, readTimeWindow } from '../../../src/client/policy/time-window.js';
import { parseChannel } from '../../../src/metadata/channel.js';
import { projectRoot } from '../../cli/run.js';

describe('docs/client-policy.md', async () => {
  const text = await readFile(join(projectRoot, 'docs', 'client-policy.md'), 'utf8');
  const [policy = '', channel = '', ...others] = [...text.matchAll(/```json\n(.*?)```/gs)].map(([, json]) => json);
  const rows = [...text.matchAll(/^\| `(\w+)` \| (.*?) \|.*\| (.*?) \|$/gm)];

  it('has an example of a policy with every member, which is one', () => {
    expect(Object.keys(parsePolicy(policy, 'example')).sort()).toEqual(Object.keys(DEFAULT_POLICY).sort());
  });

  it('has an example of a channel file, which is one, and no other example', () => {
    expect(parseChannel(channel, 'example')).toEqual({
      series: 'puavo-os-acme-buster-amd64',
      version: '20220120173248',
    });
    expect(others).toEqual([]);
  });

  it('documents every member and every option, beside each other', () => {
    expect(rows.map(([, member]) => member).sort()).toEqual(Object.keys(DEFAULT_POLICY).sort());
    const flags = rows.flatMap(([, , option = '']) => /`(--[^`]+)`/.exec(option)?.[1] ?? []);
    const options = addPolicyOptions(new Command()).options.filter(({ long }) => long !== '--policy');
    expect(flags.sort()).toEqual(options.map(({ flags }) => flags).sort());
  });

  it('has the defaults that are', () => {
    const stated = Object.fromEntries(rows.map(([, member = '', , value = '']) => [member, value.replaceAll('`', '')]));
    const { fallback, metered, connection, keep, maxHops, allowDowngrade } = DEFAULT_POLICY;
    const plain = { fallback, metered, connection, keep, maxHops, allowDowngrade };
    for (const [member, value] of Object.entries(plain)) expect(stated[member]).toBe(String(value));
    expect(stated.makeRoom).toBe(`${plainLayout('/').makeRoom}; with layout puavo ${puavoLayout()('/').makeRoom}`);
    expect(stated.target).toBe(DEFAULT_POLICY.target.kind);
  });

  it('tells what each exit code means for a device', () => {
    const codes = [...text.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    expect(codes).toEqual(Object.values(EXIT).sort((a, b) => a - b));
  });

  it('says rightly when a window over midnight is open', () => {
    const window = readTimeWindow('fri 22:00-06:00');
    expect(text).toContain('`fri 22:00-06:00` is open on Saturday at 5');
    expect(window !== null && isOpen(window, new Date(2026, 0, 10, 5, 0))).toBe(true);
  });
});
