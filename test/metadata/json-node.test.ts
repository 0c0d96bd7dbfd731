import { describe, expect, it } from 'vitest';
import {
  type JsonNode,
  jsonCount,
  jsonItems,
  jsonMember,
  jsonMembers,
  parseJson,
} from '../../src/metadata/json-node.js';

describe('a JSON document of foreign origin', () => {
  it('names the place of every value as jq writes it', () => {
    const place = jsonMember(jsonItems(jsonMember(parse('{"a b":[0,{"c_1":1}]}'), 'a b'), 9)[1]!, 'c_1');
    expect(place).toMatchObject({ path: '."a b"[1].c_1', value: 1 });
    expect(parse('1').path).toBe('.');
  });

  it('has the members that it holds itself and none that objects inherit', () => {
    const node = parse('{"__proto__":{"x":1},"a":null}');
    expect(jsonMember(node, 'a').value).toBeNull();
    expect(jsonMember(node, 'b').value).toBeUndefined();
    expect(jsonMember(node, 'constructor').value).toBeUndefined();
    expect(jsonMember(node, 'x').value).toBeUndefined();
    expect([...jsonMembers(node, 2).keys()]).toEqual(['__proto__', 'a']);
  });

  it('may have no more members and items than the reader allows', () => {
    expect(() => jsonMembers(parse('{"a":1,"b":2}'), 1)).toThrow('f.json: .: expected at most 1 entries, found 2');
    expect(() => jsonItems(parse('[1,2]'), 1)).toThrow('f.json: .: expected at most 1 entries, found 2');
  });

  it.each(['-1', '1.5', '9007199254740992', '1e999', '"1"', 'null', '[1]'])('has no count in %s', (text) => {
    expect(() => jsonCount(parse(text))).toThrow('f.json: .: expected an integer from 0 to 2^53 - 1, found ');
  });

  it('fails with the code of its kind and the place as data', () => {
    const node = jsonMember(parseJson('{"a":1}', { file: 'c.json', code: 'CONFIG' }), 'a');
    expect(() => jsonItems(node, 1)).toThrow(
      expect.objectContaining({ code: 'CONFIG', data: { file: 'c.json', path: '.a' } }),
    );
  });
});

function parse(text: string): JsonNode {
  return parseJson(text, { file: 'f.json', code: 'FORMAT' });
}
