import { describe, expect, it } from '@jest/globals';
import { BOOKS_STORE } from '../../src/modules/books/index.js';
import { CUSTOMERS_STORE } from '../../src/modules/customers/index.js';
import type { StoreRegistration } from '../../src/modules/store-registration/index.js';

/** `npm run types` reads each line: one that the types do accept has an unused `@ts-expect-error`, and that is an error. */
const REFUSED: readonly StoreRegistration[] = [
  // @ts-expect-error an SQL store without a name
  without(BOOKS_STORE, 'name'),
  // @ts-expect-error an SQL store without a file
  without(BOOKS_STORE, 'file'),
  // @ts-expect-error an SQL store without entities
  without(BOOKS_STORE, 'entities'),
  // @ts-expect-error an SQL store without migrations
  without(BOOKS_STORE, 'migrations'),
  // @ts-expect-error an SQL store that does not say which tables have checksums
  without(BOOKS_STORE, 'sealed'),
  // @ts-expect-error an SQL store that does not say which queries its routes read
  without(BOOKS_STORE, 'queryNames'),
  // @ts-expect-error an SQL store that does not say whether it has crash sites
  without(BOOKS_STORE, 'crashSites'),
  // @ts-expect-error an SQL store that does not say whether it is seeded
  without(BOOKS_STORE, 'seed'),
  // @ts-expect-error an SQL store that does not say how ids of a lost file are passed over
  without(BOOKS_STORE, 'passOverIds'),
  // @ts-expect-error an SQL store that does not say whether an incarnation leaves work to the next
  without(BOOKS_STORE, 'recover'),
  // @ts-expect-error an SQL store that serves nothing
  without(BOOKS_STORE, 'serve'),
  // @ts-expect-error an SQL store that does not say whether it takes part in transactions
  { ...BOOKS_STORE, serve: (file) => without(BOOKS_STORE.serve(file), 'participant') },
  // @ts-expect-error a file that does not say how its health is called
  { ...BOOKS_STORE, file: without(BOOKS_STORE.file, 'healthPart') },
  // @ts-expect-error documents without a collection
  without(CUSTOMERS_STORE, 'collection'),
  // @ts-expect-error documents whose finished writes have no answer
  without(CUSTOMERS_STORE, 'answerOf'),
  // @ts-expect-error documents without routes
  without(CUSTOMERS_STORE, 'module'),
  // @ts-expect-error documents that do not say whether they are seeded
  without(CUSTOMERS_STORE, 'seed'),
];

function without<Whole extends object, Part extends keyof Whole>(whole: Whole, part: Part): Omit<Whole, Part> {
  const { [part]: _left, ...rest } = whole;
  return rest;
}

describe('a registration that lacks a part', () => {
  it('is refused by the types, for every part', () => {
    const lacking = [BOOKS_STORE, CUSTOMERS_STORE].flatMap((whole) =>
      REFUSED.filter(({ kind }) => kind === whole.kind).flatMap((store) =>
        Object.keys(whole).filter((part) => !(part in store)),
      ),
    );

    const parts = [...Object.keys(BOOKS_STORE), ...Object.keys(CUSTOMERS_STORE)];
    expect(new Set([...lacking, 'kind'])).toEqual(new Set(parts));
  });
});
