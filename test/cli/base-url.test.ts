import { describe, expect, it } from 'vitest';
import { parseBaseUrl } from '../../src/cli/base-url.js';

describe('the base URL', () => {
  it.each([
    ['https://images.example.org', 'https://images.example.org'],
    ['https://images.example.org/', 'https://images.example.org'],
    ['https://images.example.org///', 'https://images.example.org'],
    ['http://images.example.org:8080/a/b/', 'http://images.example.org:8080/a/b'],
  ])('%s is published as %s', (text, published) => {
    expect(parseBaseUrl(text)).toBe(published);
  });

  it.each([
    '',
    'images.example.org',
    'ftp://images.example.org',
    'file:///srv/images',
    'https://',
    'https://images.example.org/?a=b',
    'https://images.example.org/?',
    'https://images.example.org/#top',
    'https://user@images.example.org/',
    'https://user:secret@images.example.org/',
  ])('%j is refused', (text) => {
    expect(() => parseBaseUrl(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});
