import { Key, Metadata, MetadataKind, Signature, Targets } from '@tufjs/models';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalJson } from '../../../src/trust/tuf/canonical-json.js';
import { SigningKey } from '../../../src/trust/tuf/signing-key.js';

it('writes keys in order, no blanks, and escapes quotes and backslashes alone', () => {
  const value = { b: [1, true, { z: 'a"b\\c\n', y: undefined }], a: '', Z: -1 };
  expect(canonicalJson(value)).toBe('{"Z":-1,"a":"","b":[1,true,{"z":"a\\"b\\\\c\n"}]}');
});

it('has no fractions', () => {
  expect(() => canonicalJson({ a: 0.5 })).toThrow(/found 0.5/);
});

it('is the text that tuf-js verifies signatures over, whatever the paths are', () => {
  const key = SigningKey.generate('ed25519');
  const tufKey = Key.fromJSON(key.id, { ...key.publicKey });
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.nat()), (lengths) => {
      const targets = Object.fromEntries(
        Object.entries(lengths).map(([path, length]) => [path, { length, hashes: {} }]),
      );
      const signed = { _type: 'targets', spec_version: '1.0.31', version: 1, expires: '2030-01-01T00:00:00Z', targets };
      const metadata = new Metadata(Targets.fromJSON(signed));
      const sig = key.sign(Buffer.from(canonicalJson(signed)));
      metadata.signatures[key.id] = new Signature({ keyID: key.id, sig });
      expect(metadata.signed.type).toBe(MetadataKind.Targets);
      tufKey.verifySignature(metadata);
    }),
    { numRuns: 200 },
  );
});
