// Operations go to the server by ID alone: in production mode it runs nothing
// else. The IDs are those of manifest.json, which is made from operations/.
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import type { DocumentNode } from 'graphql';
import manifest from '../../manifest.json';

interface Manifest {
  operations: { id: string; name: string }[];
}

const ids = new Map((manifest as Manifest).operations.map(({ id, name }) => [name, id]));

/** The name of the document's operation. */
export function operationName(document: Pick<DocumentNode, 'definitions'>): string {
  for (const definition of document.definitions) {
    if (definition.kind === 'OperationDefinition' && definition.name) return definition.name.value;
  }
  throw new Error('an operation of this client has no name');
}

/** What stands under `extensions` of the request that asks for the operation. */
export function persistedQuery(name: string): { version: 1; sha256Hash: string } {
  const sha256Hash = ids.get(name);
  if (!sha256Hash) throw new Error(`operation ${name} is not in manifest.json: generate the manifests anew`);
  return { version: 1, sha256Hash };
}

/** The JSON body of a request for the document. */
export function requestBody<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): string {
  const name = operationName(document as unknown as DocumentNode);
  return JSON.stringify({ operationName: name, variables, extensions: { persistedQuery: persistedQuery(name) } });
}
