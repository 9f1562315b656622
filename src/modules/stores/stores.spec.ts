import { describe, expect, it } from '@jest/globals';
import { COLLECTIONS, SQL_FILES, STORES } from './index.js';

describe('the collections that replicas hold', () => {
  it('are those of the registered stores, in the same order', () => {
    expect(COLLECTIONS).toEqual(STORES.flatMap((store) => (store.kind === 'documents' ? store.collection : [])));
  });
});

describe('the SQL files that commands look after', () => {
  it('are those of the registered stores', () => {
    const files = STORES.flatMap((store) => (store.kind === 'sql' ? store.file : []));
    expect(new Set(SQL_FILES)).toEqual(new Set(files));
  });
});
