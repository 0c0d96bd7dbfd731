import { describe, expect, it } from 'vitest';
import { checkOf } from '../../../src/client/policy/check.js';
import { chooseTarget } from '../../../src/client/policy/choose-target.js';
import { newVersion, nothingNew } from './checks.js';
import { offerOf, series, version } from './offers.js';

const offer = offerOf(1, 2, 3, 4, 5);
const latest = { kind: 'latest' } as const;
const limits = { floor: null, allowDowngrade: false, barriers: [version(3)] };

describe('a check', () => {
  it('finds the version that is next, and where it leads', () => {
    const target = chooseTarget(offer, version(1), latest, limits);
    expect(checkOf(series, version(1), target, 629_101_112)).toEqual(newVersion);
  });

  it('finds nothing new where the device has what it is to have', () => {
    const target = chooseTarget(offer, version(5), latest, limits);
    expect(checkOf(series, version(5), target, 1)).toEqual(nothingNew);
  });
});
