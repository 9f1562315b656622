/** What a simulation plants; REAL plants nothing. */
export interface Variant {
  /** Clients tell the other nodes which place the first one gave an operation. */
  readonly sendsVersions: boolean;
  /** Clients ask for a place above all that any node has met. */
  readonly asksForPlaceAbove: boolean;
  /** Clients take an undo that nobody answered for done. */
  readonly trustsUndos: boolean;
  /** Nodes remember what was undone, and refuse it when it comes late. */
  readonly remembersUndos: boolean;
  /** An undo looks at whose the group is. */
  readonly undoesOnlyItsOwn: boolean;
}

export const REAL: Variant = {
  sendsVersions: true,
  asksForPlaceAbove: true,
  trustsUndos: false,
  remembersUndos: true,
  undoesOnlyItsOwn: true,
};

export const PLANTED: Readonly<Record<string, Variant>> = {
  'every node orders operations by itself': { ...REAL, sendsVersions: false },
  'an operation has its place above what the first node has met': { ...REAL, asksForPlaceAbove: false },
  'an undo without an answer counts as done': { ...REAL, trustsUndos: true },
  'an undo leaves no mark': { ...REAL, remembersUndos: false },
  'an undo removes whatever is there': { ...REAL, undoesOnlyItsOwn: false },
};
