import { expect, test } from 'vitest';
import { parseS3Address } from '../../../src/publish/s3/address.js';

test('an address is a bucket, with or without a prefix', () => {
  const bucket = { bucket: 'images', keyPrefix: '', name: 's3://images' };
  expect(parseS3Address('s3://images')).toEqual(bucket);
  expect(parseS3Address('s3://images/')).toEqual(bucket);
  const below = { bucket: 'images', keyPrefix: 'puavo/big/', name: 's3://images/puavo/big' };
  expect(parseS3Address('s3://images/puavo/big')).toEqual(below);
  expect(parseS3Address('S3://images/puavo/big//')).toEqual(below);
});

test('what is no address is refused', () => {
  for (const target of [
    's3:',
    's3://',
    's3:///prefix',
    's3://a',
    's3://images/../other',
    's3://images//a',
    's3://b ad/x',
  ]) {
    expect(() => parseS3Address(target), target).toThrow(`${target}: expected s3://bucket or s3://bucket/prefix`);
  }
});

test('a secret in an address is refused, and not repeated', () => {
  expect(() => parseS3Address('s3://key:secret@images/x')).toThrow(/^s3:\/\/…@images\/x: expected/);
});
