import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import manifest from '../../manifest.json';
import * as operations from '../gql/operations';
import { operationName, persistedQuery, requestBody } from './persisted';

const documents = Object.values(operations).map((document) => operationName(document as never));

test('every operation of the page stands in the manifest', () => {
  expect(documents.length).toBeGreaterThan(4);
  for (const name of documents) expect(persistedQuery(name).sha256Hash).toMatch(/^[0-9a-f]{64}$/);
});

test('the manifest is that of the operations folder, and its IDs are those of its bodies', () => {
  const files = readdirSync(new URL('../../operations/', import.meta.url)).map((file) => file.replace('.graphql', ''));
  expect(manifest.operations.map(({ name }) => name).sort()).toEqual(files.sort());
  expect(documents.sort()).toEqual(files);
  for (const { id, body } of manifest.operations) expect(id).toBe(createHash('sha256').update(body).digest('hex'));
});

test('a request carries the ID and never the text', () => {
  const body = JSON.parse(requestBody(operations.RefreshSessionDocument, { input: { refreshToken: 'r' } })) as Record<string, unknown>;
  expect(body).toEqual({ operationName: 'RefreshSession', variables: { input: { refreshToken: 'r' } }, extensions: { persistedQuery: persistedQuery('RefreshSession') } });
});

test('an operation that was not registered is named', () => {
  expect(() => persistedQuery('Stranger')).toThrow('operation Stranger is not in manifest.json');
});
