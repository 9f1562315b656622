/** The rules that a simulation can drop; REAL drops none. */
export interface Variant {
  /** Clients give the other nodes the version that the first node gave the operation. */
  readonly sendsVersions: boolean;
  /** Clients ask for a version above all that any node has met. */
  readonly asksForVersionAbove: boolean;
  /** Clients treat an unanswered undo as done. */
  readonly trustsUndos: boolean;
  /** After a 500, clients settle a missing change by a query only when nothing can arrive later. */
  readonly mindsWhatIsLate: boolean;
  /** And only when the node has met no later version. */
  readonly mindsWhatIsBelow: boolean;
  /** Clients do not treat a change that was answered 500 as undone when the node is unreachable afterwards. */
  readonly mindsWhatFailed: boolean;
  /** After a 500, clients treat a visible change as their own, even on a node that knows operation ids. */
  readonly believesLooks: boolean;
  /** Nodes remember undone operations and refuse them when they arrive late. */
  readonly remembersUndos: boolean;
  /** An undo checks which operation created the group. */
  readonly undoesOnlyItsOwn: boolean;
  /** Clients query the nodes once more before they report the operation as done. */
  readonly looksBeforeDone: boolean;
  /** Clients ask for a version above what any node has met, however far ahead it is. */
  readonly believesAnyNumber: boolean;
  /** A repair raises nodes that lag. */
  readonly raises: boolean;
  /** Nodes refuse a version that is far above all that they have met. */
  readonly refusesLeaps: boolean;
  /** Nodes give the last exact number of JavaScript to every later operation. */
  readonly endsNumbers: boolean;
}

export const REAL: Variant = {
  sendsVersions: true,
  asksForVersionAbove: true,
  trustsUndos: false,
  mindsWhatIsLate: true,
  mindsWhatIsBelow: true,
  mindsWhatFailed: true,
  believesLooks: false,
  remembersUndos: true,
  undoesOnlyItsOwn: true,
  looksBeforeDone: true,
  believesAnyNumber: false,
  raises: true,
  refusesLeaps: true,
  endsNumbers: false,
};

export const PLANTED: Readonly<Record<string, Variant>> = {
  'every node orders operations by itself': { ...REAL, sendsVersions: false },
  'an operation has a version above what only the first node has met': { ...REAL, asksForVersionAbove: false },
  'an undo without an answer counts as done': { ...REAL, trustsUndos: true },
  'a query ends a call that may land later': { ...REAL, mindsWhatIsLate: false },
  'a query ends a call that a later change may hide': { ...REAL, mindsWhatIsBelow: false },
  'a node that failed and is unreachable afterwards has done nothing': { ...REAL, mindsWhatFailed: false },
  'a change that a failed node shows is its own': { ...REAL, believesLooks: true },
  'an undo leaves no mark': { ...REAL, remembersUndos: false },
  'an undo removes whatever is there': { ...REAL, undoesOnlyItsOwn: false },
  'an operation is reported as done without a query': { ...REAL, looksBeforeDone: false },
  'a version that one node has met is spread to all': { ...REAL, believesAnyNumber: true },
  'a repair raises no node': { ...REAL, raises: false },
  'a node takes any number': { ...REAL, refusesLeaps: false },
  'the versions come to an end': { ...REAL, endsNumbers: true },
};
