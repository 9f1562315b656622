import { describe, expect, it } from '@jest/globals';
import { COLLECTIONS, STORES } from './index.js';

describe('the collections that replicas hold', () => {
  it('are those of the registered stores, in the same order', () => {
    expect(COLLECTIONS).toEqual(STORES.flatMap((store) => (store.kind === 'documents' ? store.collection : [])));
  });
});
